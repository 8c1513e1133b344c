package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"loadgen/mockllm"
)

// childStart is how long the simulated endpoint may take to listen.
const childStart = 10 * time.Second

// A mockChild is the simulated endpoint as a process of its own, so that its
// work cannot disturb the runtime that measures it. It ends when its standard
// input does, and so with its parent, however that ends.
type mockChild struct {
	url   string
	cmd   *exec.Cmd
	leash io.WriteCloser
}

// startMockChild starts this program again as the simulated endpoint on a free
// port of the loopback interface.
func startMockChild(ctx context.Context, cfg mockllm.Config, stderr io.Writer) (*mockChild, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	settings, err := json.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	c := &mockChild{cmd: exec.Command(self, "mock", "--listen", "127.0.0.1:0", "--leash")}
	c.cmd.Env = append(os.Environ(), mockSettings+"="+string(settings))
	c.cmd.Stderr = stderr
	detach(c.cmd) // ^C at the terminal is for the parent, which ends it in order
	if c.leash, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		line, _ := bufio.NewReader(out).ReadString('\n')
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), listening); ok {
			address <- url
		}
	}()
	select {
	case url, ok := <-address:
		if ok {
			c.url = url
			return c, nil
		}
		err = errors.New("it ended before it listened")
	case <-time.After(childStart):
		err = fmt.Errorf("it did not listen within %v", childStart)
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.stop()
	return nil, fmt.Errorf("starting the simulated endpoint: %w", err)
}

// stop ends the child, by force if it does not go on its own.
func (c *mockChild) stop() {
	c.leash.Close()
	timer := time.AfterFunc(3*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	_ = c.cmd.Wait()
}
