package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"loadgen"
)

// A Step keeps a runner that makes a portion of each run in step with those who
// make the others.
type Step interface {
	// Start is called when all is ready for the first request of a phase, and
	// returns the moment at which all begin, once it has come.
	Start(context.Context, loadgen.Phase) time.Time
	// Learnt is called when a warm-up that drains is over, and returns what the
	// answers to all of it have taught.
	Learnt(context.Context) (Lesson, error)
	// Enough is asked at each of the looks at a probe whether all may end.
	Enough() bool
}

// A Lesson is what the answers of a warm-up have taught, for prompts and arrivals
// that depend on it.
type Lesson struct {
	// Rate is what request_rate: auto comes to, in sessions per second; 0 for others.
	Rate float64 `json:"rate,omitempty"`
	// Template is how many tokens the chat template adds, by the roles of a
	// prompt's messages, a line each.
	Template map[string]int `json:"template,omitempty"`
}

// startWith says that the driver begins with a phase.
func (p *phases) startWith(of loadgen.Phase) {
	if p.Step != nil {
		p.driver.Start = func(ctx context.Context) time.Time { return p.Step.Start(ctx, of) }
	}
}

// lesson returns what the warm-up has taught, as far as the run depends on it.
func (p *phases) lesson(ctx context.Context) (Lesson, error) {
	if p.Step == nil || !p.run.Cell.Config.WarmsUp() {
		return p.learn()
	}
	lesson, err := p.Step.Learnt(ctx)
	if err == nil {
		p.template.teach(lesson.Template)
	}
	return lesson, err
}

// learn draws the lesson from the warm-up that was folded here.
func (p *phases) learn() (Lesson, error) {
	var lesson Lesson
	pacing := p.run.Cell.Pacing
	if !pacing.Auto {
		return lesson, nil
	}
	if p.warmUps.ok == 0 {
		return lesson, errors.New("no request of the warm-up succeeded: there is no latency to calculate the request rate from")
	}
	latency := p.warmUps.latency / time.Duration(p.warmUps.ok)
	lesson.Rate = float64(pacing.WarmupConcurrency) / latency.Seconds()
	p.Log.Info(fmt.Sprintf("Request rate: %.4g/s = concurrency %d ÷ mean warm-up latency %.4g s",
		lesson.Rate, pacing.WarmupConcurrency, latency.Seconds()))
	return lesson, nil
}
