package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"loadgen/archive"
	"loadgen/calibrate"
	"loadgen/report"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

type calibrateCommand struct {
	Step        time.Duration `default:"4s" help:"How long each step is measured."`
	MaxStreams  int           `default:"4096" help:"Raise the number of streams up to here."`
	MaxRate     int           `default:"32000" help:"Raise the requests per second up to here."`
	Calibration string        `type:"path" placeholder:"FILE" help:"Where to keep the ceiling; by default where runs look for it."`
	NoSave      bool          `help:"Print the ceiling only."`
	Verbose     bool          `help:"Log each step as a run does."`
}

func (c *calibrateCommand) Run(ctx context.Context, std streams) error {
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = newLogger(std.err, false)
	}
	stopping, ctx, release := interruptible(ctx, newLogger(std.err, false))
	defer release()
	k := &calibrate.Calibrator{
		Step: c.Step, MaxStreams: c.MaxStreams, MaxRate: c.MaxRate, Stop: stopping, Version: version,
		Endpoint: func(ctx context.Context, batch *sweep.Batch) (string, func(), error) {
			return startMock(ctx, batch, std.err)
		},
		Vocabulary: runner.NewVocabularies(false, log).Get, Processors: setProcessors, Log: log,
	}
	steps, err := k.Steps(ctx)
	if stopping.Err() != nil {
		return interruptError{errors.New("interrupted; nothing was kept")}
	}
	if err != nil {
		return err
	}
	found := archive.CalibrationOf(steps)
	fmt.Fprint(std.out, report.CalibrationText(found.Steps, found.Ceiling, reportOptions(std.out)))
	if c.NoSave {
		return nil
	}
	path, err := archive.CalibrationPath(c.Calibration)
	if err != nil {
		return err
	}
	if err := results.WriteCalibration(path, found); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Kept in %s: runs beyond it are INVALID, or DEGRADED where nothing beyond was tried\n", path)
	return nil
}
