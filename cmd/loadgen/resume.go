package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"loadgen/archive"
	"loadgen/results"
	"loadgen/sweep"
)

// A brokenOff is a batch that is to go on; nil for one that begins.
type brokenOff struct {
	batch *results.Batch
	archive.Resume
}

func (b *brokenOff) root() *results.Batch {
	if b == nil {
		return nil
	}
	return b.batch
}

func (b *brokenOff) dir() string {
	if b == nil {
		return ""
	}
	return b.batch.Dir
}

func (b *brokenOff) close() {
	if b != nil {
		b.batch.Close()
	}
}

// load reads the batch file, or that of the batch that is to go on.
func (c *runCommand) load(stdin io.Reader) (*sweep.Batch, *brokenOff, error) {
	o := sweep.Options{
		Stdin: stdin, Overrides: c.Set, Only: c.Only, Skip: c.Skip,
		OutputBaseDir: c.OutputBaseDir, LookupEnv: os.LookupEnv,
	}
	switch {
	case c.Resume == "" && c.ConfigFile == "":
		return nil, nil, usageError{errors.New("missing flags: --config-file=FILE")}
	case c.Resume == "" && (c.RerunFailed || c.RerunInvalid || c.ResumeAnyway):
		return nil, nil, usageError{errors.New("--rerun-failed, --rerun-invalid and --resume-anyway say how to go on: add --resume DIR")}
	case c.Resume == "":
		o.Salt = archive.NewSalt()
		batch, err := sweep.Load(c.ConfigFile, o)
		return batch, nil, asUsage(err)
	}
	again, err := archive.Reopen(c.Resume, c.ConfigFile, o)
	if err != nil {
		return nil, nil, usageError{err}
	}
	c.ConfigFile = again.ConfigFile
	again.Failed, again.Invalid, again.Anyway = c.RerunFailed, c.RerunInvalid, c.ResumeAnyway
	return again.Batch, &brokenOff{again.Root, again.Resume}, nil
}

// begin writes down what the batch is to be, or returns the runs of the one
// that goes on.
func (c *runCommand) begin(recorder *archive.Recorder, broken *brokenOff, started time.Time) ([]*sweep.Run, error) {
	if broken == nil {
		return nil, recorder.Declare(started, c.Only, c.Skip)
	}
	done, err := recorder.Restore(broken.Resume)
	if errors.Is(err, archive.ErrNotTheSame) {
		return nil, usageError{fmt.Errorf("%s %w", recorder.Root.Dir, err)}
	}
	return done, err
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}
