package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// An endpoint is a server of ours that runs.
type endpoint struct {
	url  string
	stop func()
}

const (
	chunks    = 100 // of a reply that is streamed at once
	reply     = `{"id":"chatcmpl-0","object":"chat.completion","created":1700000000,"model":"mock-model","choices":[{"index":0,"message":{"role":"assistant","content":" word"},"finish_reason":"length"}],"usage":{"prompt_tokens":16,"completion_tokens":1,"total_tokens":17}}`
	event     = `data: {"id":"chatcmpl-0","object":"chat.completion.chunk","created":1700000000,"model":"mock-model","choices":[{"index":0,"delta":{%s},"finish_reason":%s}]}\n\n`
	models    = `{"object":"list","data":[{"id":"mock-model","object":"model"}]}`
	jsonPath  = "/v1/chat/completions"
	ssePath   = "/sse/v1/chat/completions"
	nginxConf = `worker_processes 2;
daemon off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 15000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen %s backlog=4096;
    location = /v1/models { default_type application/json; return 200 '%s'; }
    location ~ /health$ { return 200; }
    location = %s { default_type application/json; return 200 '%s'; }
    location = %s {
      default_type text/event-stream;
%s      return 200 "%s";
    }
  }
}
`
)

// startNginx serves two prebuilt replies from memory, to requests of any
// method: nginx reads the body away and looks at nothing. It costs less per
// request than any client, is somebody else's work, and everybody has it.
func startNginx(ctx context.Context, dir string) (*endpoint, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	// A text in nginx's file is 4 KiB at most.
	var sets, all strings.Builder
	part := ""
	put := func() {
		fmt.Fprintf(&sets, "      set $p%d '%s';\n", all.Len(), part)
		fmt.Fprintf(&all, "$p%d", all.Len())
		part = ""
	}
	for range chunks {
		if part += fmt.Sprintf(event, `"content":" word"`, "null"); len(part) > 3500 {
			put()
		}
	}
	part += fmt.Sprintf(event, "", `"length"`) + `data: [DONE]\n\n`
	put()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConf, address, models, jsonPath, reply, ssePath, sets.String(), all.String())
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nginx", "-p", dir, "-c", conf)
	cmd.Stderr = os.Stderr
	// A master that is killed leaves its workers behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("nginx is the endpoint of this measurement: %w", err)
	}
	e := &endpoint{url: "http://" + address, stop: func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}}
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return e, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	e.stop()
	return nil, errors.New("nginx did not listen")
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startMock serves the simulated endpoint in a process of its own, which ends
// with its standard input.
func (b *bench) startMock(flags ...string) (*endpoint, error) {
	cmd := exec.CommandContext(b.ctx, b.loadgen, append([]string{"mock", "--listen", "127.0.0.1:0", "--leash"}, flags...)...)
	cmd.Stderr = os.Stderr
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	stop := func() {
		leash.Close()
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		stop()
		return nil, fmt.Errorf("the simulated endpoint did not listen: %q: %w", line, err)
	}
	return &endpoint{strings.TrimSpace(line[at:]), stop}, nil
}

// lateness returns by how much the simulated endpoint wrote its chunks too
// late: the mean and the most, in milliseconds.
func (e *endpoint) lateness(ctx context.Context) (mean, most float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/mock/stats", nil)
	if err != nil {
		return 0, 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	var stats struct {
		Mean float64 `json:"late_mean_ns"`
		Max  float64 `json:"late_max_ns"`
	}
	err = json.NewDecoder(res.Body).Decode(&stats)
	return stats.Mean / 1e6, stats.Max / 1e6, err
}
