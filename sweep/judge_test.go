package sweep_test

import (
	"errors"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

func TestWhatABatchComesShortOf(t *testing.T) {
	cell := &sweep.Cell{Cell: loadgen.Cell{Dir: "concurrency_4"}}
	limited := &sweep.Cell{Cell: loadgen.Cell{Dir: "concurrency_8"}}
	limited.Config.RequireSLOs = true
	invalid := &metrics.Summary{Validity: metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Text: "the client was late"}}}}
	for name, c := range map[string]struct {
		run   sweep.Run
		allow bool
		want  error // of the kind
	}{
		"nothing":                        {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: &metrics.Summary{}}, false, nil},
		"a run failed":                   {sweep.Run{Ask: sweep.Ask{Cell: cell}, Err: errors.New("refused")}, false, sweep.FailedError{}},
		"a measurement is INVALID":       {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: invalid}, false, sweep.InvalidError{}},
		"an INVALID one that is allowed": {sweep.Run{Ask: sweep.Ask{Cell: cell}, Summary: invalid}, true, nil},
		"an SLO was missed":              {sweep.Run{Ask: sweep.Ask{Cell: limited}, Summary: &metrics.Summary{}}, false, sweep.LimitError{}},
		"a run that was skipped":         {sweep.Run{Ask: sweep.Ask{Cell: limited, Skip: "hopeless"}}, false, nil},
	} {
		err := (&sweep.Batch{}).Judge([]*sweep.Run{&c.run}, c.allow)
		kind := func(err error) string {
			var failed sweep.FailedError
			var invalid sweep.InvalidError
			var limit sweep.LimitError
			switch {
			case errors.As(err, &failed):
				return "failed"
			case errors.As(err, &invalid):
				return "invalid"
			case errors.As(err, &limit):
				return "limit"
			}
			return ""
		}
		if got, want := kind(err), kind(c.want); got != want || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v is %q, want %q", name, err, got, want)
		}
	}
}
