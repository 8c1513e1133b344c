package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"loadgen/live"
	"loadgen/sink"
	"loadgen/sweep"
)

// sinkTimeout bounds each request to a sink on the network: one that hangs must
// not hold up the night.
const sinkTimeout = 30 * time.Second

type exportCommand struct {
	Dir string   `arg:"" help:"The directory of a batch, or of a run."`
	To  []string `required:"" sep:"none" placeholder:"SINK" help:"Where to, as an entry of export in a batch file: parquet, or '{to: otlp, url: http://localhost:4318}' (repeatable)."`
}

func (c *exportCommand) Run(ctx context.Context, std streams) error {
	exports, err := sweep.ParseExports(c.To)
	if err != nil {
		return usageError{err}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	written, err := sink.Write(ctx, c.Dir, exports, sinkOptions(filepath.Join(c.Dir, "..", "..", "mlruns")))
	for _, w := range written {
		if w.Err == nil {
			fmt.Fprintln(std.out, w)
		}
	}
	return err
}

// export hands a batch that is over to the sinks of its batch file.
func export(ctx context.Context, batch *sweep.Batch, dir string, log *slog.Logger) error {
	written, err := sink.Write(ctx, dir, batch.Export, sinkOptions(filepath.Join(batch.OutputBaseDir, "mlruns")))
	for _, w := range written {
		if w.Err == nil {
			log.Info("Exported " + w.String())
		}
	}
	return err
}

// expose serves the metrics of the runs while they last. A port that is taken
// costs no night: it is told.
func (c *runCommand) expose(board *live.Board, log *slog.Logger) (stop func()) {
	if c.MetricsListen == "" || c.DryRun {
		return func() {}
	}
	at, stop, err := board.Expose(c.MetricsListen, version)
	if err != nil {
		log.Warn("The runs are made without --metrics-listen: " + err.Error())
		return func() {}
	}
	log.Info("Serving metrics at http://" + at + "/metrics")
	return stop
}

func sinkOptions(tracking string) *sink.Options {
	return &sink.Options{Version: version, LookupEnv: os.LookupEnv, Client: &http.Client{Timeout: sinkTimeout}, Tracking: filepath.Clean(tracking)}
}
