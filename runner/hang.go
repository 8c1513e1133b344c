package runner

import (
	"fmt"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/sweep"
)

// A request that hangs does not fail before request_timeout, and until then no
// breaker hears of it: silence must do. It has to be longer than that between
// failures, for it is also how a slow endpoint looks.
const (
	firstPatience = 6 // times give_up_after, while nobody knows how long an answer takes
	nextPatience  = 3 // times give_up_after, and times the longest answer
	unknownAnswer = 5 * time.Minute
)

// watchHangs has the run given up when requests wait and none succeeds for longer
// than answers can be thought to take. What is in flight then is cancelled.
func (p *phases) watchHangs() {
	if p.breaker.patience == 0 {
		return
	}
	p.answer = answerTime(&p.run.Cell.Config)
	first := p.silence(loadgen.Warmup)
	if !p.run.Cell.Config.WarmsUp() {
		first = p.silence(loadgen.Profiling)
	}
	waits := func() bool { return p.flight() > 0 }
	p.hangs = load.StartAlarm(first, waits, func(waited time.Duration) {
		p.stop(fmt.Errorf("%w: no request has succeeded for %.0f s, and %d wait for an answer; where answers take so long, raise give_up_after (now %v)",
			ErrGivenUp, waited.Seconds(), p.flight(), p.breaker.patience))
		p.cancel()
	})
}

// silence is for how long no request of a phase may succeed while some wait. Those
// of a warm-up have no longer than the measurement, where that has an end, would
// have for an answer.
func (p *phases) silence(of loadgen.Phase) time.Duration {
	c, patience := &p.run.Cell.Config, p.breaker.patience
	times := time.Duration(firstPatience)
	if p.breaker.longest > 0 {
		times = nextPatience
	}
	limit := max(times*patience, nextPatience*p.breaker.longest, p.answer)
	if of == loadgen.Warmup && c.BenchmarkDuration > 0 {
		limit = min(limit, c.BenchmarkDuration+c.GracePeriod)
	}
	return max(limit, patience)
}

// answerTime is how long the longest answers of a cell may take at an endpoint that
// is very slow: that reads 50 tokens a second, and writes two.
func answerTime(c *sweep.Config) time.Duration {
	if c.InputFile != "" || c.SequenceDistribution != "" {
		return unknownAnswer
	}
	most := func(mean, stddev float64) float64 { return mean + 3*stddev }
	in := most(c.PromptInputTokensMean, c.PromptInputTokensStddev)
	out := most(c.PromptOutputTokensMean, c.PromptOutputTokensStddev)
	before := max(most(c.SessionTurnsMean, c.SessionTurnsStddev)-1, 0) * (in + out)
	read := float64(c.SharedSystemPromptLength+c.PrefixPromptLength) + before + in
	return time.Duration((read/50 + out/2) * float64(time.Second))
}
