package runner

import (
	"context"
	"errors"
	"fmt"

	"loadgen"
)

// ErrAllFailed is a run of whose requests not one succeeded.
var ErrAllFailed = errors.New("every request failed")

// ErrNoneFinished is a run that was over before any of its requests was.
var ErrNoneFinished = errors.New("no request finished in time")

// ErrNoneSent is a run in which no request was due, or none could be sent.
var ErrNoneSent = errors.New("no request was sent")

// conclude makes the summary, whatever became of the run: one without a single
// request says so.
func (p *phases) conclude(err error) {
	run := p.run
	if p.sender != nil {
		run.Transport = p.sender.Transport()
		run.Transport.RoundTrip = p.sender.RoundTrip()
		run.Transport.DialErrors -= p.refused.DialErrors
		run.Transport.LocalDials -= p.refused.LocalDials
		run.Health.ClockSteps = max(run.Health.ClockSteps, p.sender.ClockSteps())
	}
	if cut := p.cut(); cut != nil {
		err = cut
	}
	if err != nil {
		run.Outcome.Cancelled, run.Outcome.Cut = false, err.Error() // not by the user
	}
	run.Outcome.Notes = p.notes()
	summary := p.collector.Summary(run.Outcome, run.Health, run.Transport)
	run.Summary, run.Course = &summary, p.collector.Course()
	if run.Cell.Probe != nil {
		run.Margins, run.Queue = p.collector.Margins(true), p.collector.Queue()
	}
}

// notes says what weakens the figures beside what they tell themselves.
func (p *phases) notes() []string {
	c := &p.run.Cell.Config
	var notes []string
	if note := p.vocabulary.Note; note != "" && (c.Tokenizer != "" || !c.Mock()) { // the simulated endpoint has no tokenizer to differ from
		notes = append(notes, note)
	}
	notes = append(notes, p.run.Prompts.Notes()...)
	notes = append(notes, p.aside...)
	if note := p.warmUps.note(); note != "" {
		p.Log.Warn(note)
		notes = append(notes, note)
	}
	return append(notes, p.unseen...)
}

// fruitless says why no request of a run succeeded; nil where the user knows.
func (p *phases) fruitless() error {
	c, counts := &p.run.Cell.Config, p.run.Summary.Counts
	switch {
	case counts.Failed > 0:
		return fmt.Errorf("%w: %s", ErrAllFailed, p.run.Summary.Errors[0].Message)
	case p.run.Outcome.Cancelled:
		return nil
	case p.run.Outcome.Cut != "":
		return fmt.Errorf("no request succeeded before it was ended: %s", p.run.Outcome.Cut)
	case counts.Cancelled > 0:
		return fmt.Errorf("%w: the end of the grace period cancelled all that were sent, %d; raise grace_period (now %v) or benchmark_duration (%v) "+
			"above the time that an answer takes, for which request_timeout allows %v",
			ErrNoneFinished, counts.Cancelled, c.GracePeriod, c.BenchmarkDuration, c.RequestTimeout)
	case p.run.Cell.Pacing.Mode == loadgen.ClosedLoop: // whose first is due at once
		return fmt.Errorf("%w within benchmark_duration (%v): this process was not given a CPU in time; free the machine, or raise it", ErrNoneSent, c.BenchmarkDuration)
	}
	return fmt.Errorf("%w: by the schedule none was due within benchmark_duration (%v); raise it, or the rate", ErrNoneSent, c.BenchmarkDuration)
}

// cut returns what ended the run before its time, if it was not the user.
func (p *phases) cut() error {
	if err := p.keep.err(); err != nil {
		return err
	}
	if why := context.Cause(p.stopping); errors.Is(why, ErrGivenUp) {
		return why
	}
	return nil
}
