package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"loadgen/mockllm"
)

// listening begins the one line that the simulated endpoint prints when it is
// there; the URL follows.
const listening = "listening on "

// mockSettings is the environment variable by which a parent hands its child
// the whole configuration.
const mockSettings = "LOADGEN_MOCK_SETTINGS"

type mockCommand struct {
	Listen string `default:"127.0.0.1:8000" placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one."`
	Cert   string `type:"path" placeholder:"FILE" help:"With --tls: write the server's certificate here, for tls.ca_file."`
	Leash  bool   `hidden:"" help:"End when standard input does."`

	mockllm.Flags
}

func (c *mockCommand) Run(ctx context.Context, std streams) error {
	cfg, err := c.config()
	if err != nil {
		return usageError{err}
	}
	server, err := mockllm.New(cfg)
	if err != nil {
		return usageError{err}
	}
	if c.Cert != "" {
		if !cfg.TLS {
			return usageError{errors.New("--cert needs --tls")}
		}
		if err := os.WriteFile(c.Cert, server.CertPEM(), 0o644); err != nil {
			return fmt.Errorf("writing the certificate: %w", err)
		}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Leash {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, std.in)
		}()
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; is something else there? Choose another with --listen", c.Listen, err)
	}
	scheme := "http"
	if cfg.TLS {
		scheme = "https"
	}
	fmt.Fprintf(std.out, "%s%s://%s\n", listening, scheme, l.Addr())
	return server.Serve(ctx, l)
}

// config returns what the flags say, or what the parent handed down.
func (c *mockCommand) config() (mockllm.Config, error) {
	settings := os.Getenv(mockSettings)
	if !c.Leash || settings == "" {
		return c.Flags.Config(), nil
	}
	var cfg mockllm.Config
	if err := json.Unmarshal([]byte(settings), &cfg); err != nil {
		return cfg, fmt.Errorf("reading %s: %w", mockSettings, err)
	}
	return cfg, nil
}
