package sweep_test

import (
	"errors"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// certifiedAt is a run with a p95 of its TTFT, of which 500 ms were promised and
// proved where there is a bound.
func certifiedAt(p95 float64, bound *float64) *metrics.Summary {
	limit := 500.0
	return &metrics.Summary{
		Metrics:      []metrics.Metric{{Tag: "time_to_first_token", Stats: &metrics.Stats{P95: p95}}},
		Certificates: []metrics.Certificate{{Name: "time_to_first_token.p95", Limit: &limit, Bound: bound, Certified: bound != nil}},
	}
}

func TestWhatABatchComesShortOf(t *testing.T) {
	limit := 490.0
	cell := &sweep.Cell{Cell: loadgen.Cell{Dir: "concurrency_4"}}
	limited := &sweep.Cell{Cell: loadgen.Cell{Dir: "concurrency_8"}}
	limited.Config.RequireSLOs = true
	invalid := &metrics.Summary{Validity: metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Text: "the client was late"}}}}
	for name, c := range map[string]struct {
		run   sweep.Run
		allow bool
		want  error // of the kind
	}{
		"a budget that is kept but not certified": {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: certifiedAt(480, nil)}, false, sweep.CannotTellError{}},
		"one that is certified":                   {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: certifiedAt(480, &limit)}, false, nil},
		"one that is missed is told as such":      {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: certifiedAt(520, nil)}, false, nil},
		"nothing":                                 {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: &metrics.Summary{}}, false, nil},
		"a run failed":                            {sweep.Run{Ask: sweep.Ask{Cell: cell}, Err: errors.New("refused")}, false, sweep.FailedError{}},
		"a measurement is INVALID":                {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: invalid}, false, sweep.InvalidError{}},
		"an INVALID one that is allowed":          {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: invalid}, true, nil},
		"an SLO was missed":                       {sweep.Run{Ask: sweep.Ask{Cell: limited}, Summary: &metrics.Summary{}}, false, sweep.LimitError{}},
		"a run that was skipped":                  {sweep.Run{Ask: sweep.Ask{Cell: limited, Skip: "hopeless"}}, false, nil},
	} {
		err := (&sweep.Batch{}).Judge([]*sweep.Run{&c.run}, c.allow)
		kind := func(err error) string {
			var failed sweep.FailedError
			var invalid sweep.InvalidError
			var limit sweep.LimitError
			var unsure sweep.CannotTellError
			switch {
			case errors.As(err, &failed):
				return "failed"
			case errors.As(err, &invalid):
				return "invalid"
			case errors.As(err, &limit):
				return "limit"
			case errors.As(err, &unsure):
				return "cannot tell"
			}
			return ""
		}
		if got, want := kind(err), kind(c.want); got != want || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v is %q, want %q", name, err, got, want)
		}
	}
}
