package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// limit is how long any client may take.
const limit = 3 * time.Minute

// A cost is what a process and those it waited for took.
type cost struct {
	began     time.Time
	wall, cpu time.Duration
	memory    []float64 // MiB resident, of the process alone, each half second
}

// peak returns the most memory seen, in MiB.
func (c cost) peak() float64 {
	most := 0.0
	for _, m := range c.memory {
		most = max(most, m)
	}
	return most
}

// execute runs a client to its end and returns what it printed.
func execute(ctx context.Context, dir string, command ...string) (string, cost, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	c := cost{began: time.Now()}
	if err := cmd.Start(); err != nil {
		return "", c, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.memory = append(c.memory, resident(cmd.Process.Pid))
		case err := <-done:
			c.wall = time.Since(c.began)
			c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if ctx.Err() != nil {
				err = errors.Join(err, fmt.Errorf("not done after %v", limit))
			}
			if err != nil {
				err = fmt.Errorf("%s: %w\n%s", command[0], err, tail(out.String()))
			}
			return out.String(), c, err
		}
	}
}

// resident returns the memory of a process in MiB.
func resident(pid int) float64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if fields := strings.Fields(string(statm)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseFloat(fields[1], 64)
		return pages * float64(os.Getpagesize()) / (1 << 20)
	}
	return 0
}

func tail(s string) string {
	const most = 1000
	return s[max(0, len(s)-most):]
}
