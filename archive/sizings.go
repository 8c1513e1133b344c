package archive

import (
	"errors"
	"path/filepath"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/results"
)

// The files of a sizing.
const (
	sizingName = "sizing.json"
	aiqSizing  = "calc_runner_output.json"
)

// A Sizing is what a sweep of one load, with all else the same, says of the
// load that its endpoint bears.
type Sizing struct {
	At       string `json:"at,omitempty"` // the swept values that are no load
	OpenLoop bool   `json:"open_loop"`
	analyze.SizingReport
}

func (s *Sizing) title() string {
	if s.At == "" {
		return "Sizing"
	}
	return "Sizing at " + s.At
}

// A SizingQuestion is what a user asks about a deployment. The limits are of
// the 95th percentile; 0 for none.
type SizingQuestion struct {
	TTFT, ITL, Latency, Runtime time.Duration

	Users     int
	ThinkTime time.Duration
	GPUs      int // of the deployment that was tested
	// AIQ also writes what AIQ's calculator would.
	AIQ bool
}

// Asked reports whether there is any target.
func (q SizingQuestion) Asked() bool { return len(q.targets()) > 0 }

// targets are the limits by metric in milliseconds.
func (q SizingQuestion) targets() map[string]float64 {
	targets := map[string]float64{}
	for metric, limit := range map[string]time.Duration{
		"time_to_first_token": q.TTFT, "inter_token_latency": q.ITL, "request_latency": q.Latency, "session_duration": q.Runtime,
	} {
		if limit > 0 {
			targets[metric] = float64(limit) / float64(time.Millisecond)
		}
	}
	return targets
}

// Of answers the question for each sweep of a load in a batch's runs, and
// writes the answers below dir, unless that is empty. What was measured is
// written before anything is fitted.
func (q SizingQuestion) Of(runs []*Recording, dir string) ([]Sizing, error) {
	write := func(name string, v any) error {
		if dir == "" {
			return nil
		}
		return results.WriteJSON(filepath.Join(dir, name), v)
	}
	raw := q.answer(runs, nil)
	if err := write(sizingName, raw); err != nil || !q.Asked() {
		return raw, err
	}
	answered := q.answer(runs, q.targets())
	err := write(sizingName, answered)
	if q.AIQ {
		err = errors.Join(err, write(aiqSizing, SizingAIQ(runs, analyze.SizingQuestionAIQ{
			TargetLatency: q.Latency.Seconds(), TargetRuntime: q.Runtime.Seconds(), Users: q.Users, TestGPUs: q.GPUs,
		})))
	}
	return answered, err
}

// answer fits the runs of each sweep of a load, in the order of the runs.
func (q SizingQuestion) answer(runs []*Recording, targets map[string]float64) []Sizing {
	type sweepOf struct {
		at   string
		open bool
	}
	var order []sweepOf
	points := map[sweepOf][]analyze.SizingPoint{}
	for _, r := range runs {
		key := sweepOf{r.Others(), r.Meta.Facts.Load.Mode == loadgen.OpenLoop}
		if _, known := points[key]; !known {
			order = append(order, key)
		}
		points[key] = append(points[key], r.SizingPoint())
	}
	var out []Sizing
	for _, key := range order {
		out = append(out, Sizing{key.at, key.open, analyze.SizingOf(points[key], analyze.SizingQuestion{
			OpenLoop: key.open, Targets: targets, ThinkTime: q.ThinkTime.Seconds(),
			Users: q.Users, TestGPUs: q.GPUs, Seed: runs[0].Meta.Seed,
		})})
	}
	return out
}
