// Package hook does what a batch asks to be done around its runs: a command on this
// machine, or a request to a server, such as one that empties its prefix cache.
//
// When a hook is due, and what its failure means, is up to runner; how it is written
// to sweep.
package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A Hook is one thing to do.
type Hook struct {
	// Command is given to the shell; empty for a request.
	Command string
	Method  string // of a request
	URL     string
	Body    string
	Header  map[string]string
	TLS     *tls.Config
	Timeout time.Duration
	// Dial replaces the network, in tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// kept is how much is kept of what a hook says: its end.
const kept = 4 << 10

// Do does it and returns the end of what came of it, and how long it took. env are
// further variables for a command, written as NAME=value. The error says what went
// wrong; at the end of its time a command is killed with all that it started.
func (h *Hook) Do(ctx context.Context, env []string) (said string, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	began := time.Now()
	if h.Command != "" {
		said, err = h.run(ctx, env)
	} else {
		said, err = h.ask(ctx)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("not done within %v", h.Timeout)
	}
	return strings.TrimSpace(said), time.Since(began), err
}

func (h *Hook) run(ctx context.Context, env []string) (string, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", h.Command)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second // whoever holds its output open is not waited for
	apart(cmd)
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended; what it left behind goes on
	}
	return out.String(), err
}

func (h *Hook) ask(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, h.Method, h.URL, strings.NewReader(h.Body))
	if err != nil {
		return "", errors.New("the address cannot be read")
	}
	if h.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range h.Header {
		req.Header.Set(name, value)
	}
	tr := &http.Transport{TLSClientConfig: h.TLS, DialContext: h.Dial, MaxResponseHeaderBytes: 64 << 10}
	if h.Dial == nil {
		tr.Proxy = http.ProxyFromEnvironment
	}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, kept))
	if resp.StatusCode/100 != 2 {
		return string(said), fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(said), nil
}

// A tail keeps the end of what is written.
type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.b.Write(p)
	if over := t.b.Len() - 2*kept; over > 0 {
		t.b.Next(t.b.Len() - kept)
	}
	return len(p), nil
}

func (t *tail) String() string {
	b := t.b.Bytes()
	return strings.ToValidUTF8(string(b[max(0, len(b)-kept):]), "\ufffd")
}
