package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"loadgen/internal/outside"
	"loadgen/runner"
	"loadgen/sweep"
)

// join says hello until it is welcome.
func (w *worker) join(ctx context.Context) (in welcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	key, prefix, told := newKey(), "", ""
	for {
		if w.conn, prefix, err = w.connect(workerName+key, key); err == nil {
			break
		}
		if why := err.Error(); why != told {
			w.Log.Warn(why + "; trying again")
			told = why
		}
		select {
		case <-ctx.Done():
			return in, err
		case <-time.After(again):
		}
	}
	host, _ := os.Hostname()
	h := hello{
		Protocol: protocol, Version: w.Runner.Version, Index: w.Index,
		Host: outside.Line(host), Process: os.Getpid(), Key: key,
	}
	in, err = ask[welcome](ctx, w.conn, prefix+"hello", h)
	for err == nil && in.Refused != "" && !in.Final {
		select {
		case <-ctx.Done():
			in.Final = true
		case <-time.After(again):
			in, err = ask[welcome](ctx, w.conn, prefix+"hello", h)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		err = fmt.Errorf("no coordinator has answered at %s within %v", w.shown(), w.Patience)
	case err != nil:
		err = fmt.Errorf("the coordinator says what this version does not understand: %w", err)
	case in.Refused != "":
		err = fmt.Errorf("%w: %s", ErrRefused, in.Refused)
	}
	if err != nil {
		w.conn.Close()
		return in, err
	}
	w.seat = seat{in.Batch, in.Index, key}
	return in, nil
}

// prepare reads the batch.
func (w *worker) prepare(s Script) error {
	batch, err := sweep.Parse(s.Name, s.Text, sweep.Options{
		Overrides: s.Overrides, Only: s.Only, Skip: s.Skip, Salt: s.Salt, OutputBaseDir: s.OutputBaseDir,
		LookupEnv: w.Runner.LookupEnv,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(checkFiles(s.Files), w.checkHosts(batch)); err != nil {
		return err
	}
	if err := runner.CheckPrompts(batch); err != nil {
		return err
	}
	w.batch = batch
	r := w.Runner
	r.Batch, r.Endpoint, r.Vocabulary = batch, s.Endpoint, w.Vocabularies(!s.Offline).Get
	r.Started = func(p *runner.Progress) { w.progress.Store(p) }
	return nil
}
