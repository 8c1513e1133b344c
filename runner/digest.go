package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/sweep"
	"loadgen/synth"
)

// What a digest is of.
const (
	digestBodies = 3
	digestTimes  = 1000
)

// Digest is of what a run sends, as far as it tells this process from others that
// are to make the same: its first bodies and when its first sessions are due. A
// tokenizer, a dataset or a processor that differs makes another one.
func (r *Runner) Digest(ctx context.Context, ask sweep.Ask) (string, error) {
	c := &ask.Cell.Config
	v := r.Vocabulary(ctx, c.Tokenizer, c.Model)
	body, err := payload(c)
	if err != nil {
		return "", err
	}
	seed := ask.Seed(r.Batch.VarySeed)
	s, err := spec(c, seed, ask.Number, loadgen.Profiling)
	if err != nil {
		return "", err
	}
	source, err := synth.New(s, v.Lexicon)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n", v.Name)
	p := &phases{payload: body}
	finish := p.finisher()
	for range digestBodies {
		session, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", errors.Join(err, source.Close())
		}
		finish(session)
		for _, req := range session.Turns {
			fmt.Fprintf(hash, "%s %d %d %s\n", req.ID, req.InputTokens, req.MaxTokens, req.Body)
		}
	}
	pacing := ask.Cell.Pacing
	if pacing.Auto {
		pacing.Rate = 1 // the shape of the gaps is the same at every rate
	}
	planned, err := plan(c, pacing, ask.Cell.Probe, seed, loadgen.Portion{}, source.Times())
	if err := errors.Join(err, source.Close()); err != nil {
		return "", err
	}
	if planned.Schedule != nil {
		digestSchedule(hash, planned.Schedule)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func digestSchedule(to io.Writer, schedule load.Schedule) {
	n := 0
	for at := range schedule {
		fmt.Fprintf(to, "%d\n", at/time.Nanosecond)
		if n++; n == digestTimes {
			return
		}
	}
}
