package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"loadgen/archive"
	"loadgen/internal/secret"
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
	case c.Resume == "latest" && c.ConfigFile == "":
		return nil, nil, usageError{errors.New("--resume latest looks for the newest batch of a file: add --config-file FILE, or name the directory")}
	}
	return c.loadBroken(o)
}

// loadBroken reads the batch that is to go on, which has everything that was
// said when it began; what is said again must be the same.
func (c *runCommand) loadBroken(o sweep.Options) (batch *sweep.Batch, broken *brokenOff, err error) {
	dir := c.Resume
	if dir == "latest" {
		named, err := sweep.Load(c.ConfigFile, o)
		if err != nil {
			return nil, nil, usageError{err}
		}
		if dir, err = results.Latest(named.OutputBaseDir, named.BatchName); err != nil {
			return nil, nil, usageError{err}
		}
	}
	root, manifest, text, err := results.Continue(dir)
	if err != nil {
		return nil, nil, usageError{err}
	}
	defer func() {
		if err != nil {
			root.Close()
		}
	}()
	o.Salt = manifest.Salt // the same prompts
	if c.Set == nil {
		o.Overrides = manifest.Overrides
		if slices.ContainsFunc(o.Overrides, func(s string) bool { return strings.HasSuffix(s, secret.Mask) }) {
			return nil, nil, usageError{fmt.Errorf("%s was begun with a secret in --set, which is not kept: give --set again", dir)}
		}
	}
	if c.Only == nil && c.Skip == nil {
		o.Only, o.Skip = manifest.Only, manifest.Skip
	}
	broken = &brokenOff{root, archive.Resume{
		Manifest: manifest, Text: text, Failed: c.RerunFailed, Invalid: c.RerunInvalid, Anyway: c.ResumeAnyway,
	}}
	if c.ConfigFile != "" {
		batch, err = sweep.Load(c.ConfigFile, o)
		return batch, broken, asUsage(err)
	}
	if strings.Contains(string(text), secret.Mask) {
		return nil, nil, usageError{fmt.Errorf("the batch file of %s held a secret, which is not kept: name the file again with --config-file", dir)}
	}
	c.ConfigFile = filepath.Join(dir, results.SourceName)
	batch, err = sweep.Parse(c.ConfigFile, text, o)
	return batch, broken, asUsage(err)
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
