package runner_test

import (
	"errors"
	"testing"
	"time"

	"loadgen"
	"loadgen/runner"
	"loadgen/sweep"
)

// ended is a request that was sent at a second of the run and took so long.
func ended(at, took float64, kind loadgen.FailureKind) *loadgen.Record {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	r := &loadgen.Record{Start: time.Unix(1000, 0).Add(seconds(at)), Ended: seconds(took)}
	if kind != "" {
		r.Failure = &loadgen.Failure{Kind: kind, Message: "of a kind"}
	}
	return r
}

func TestWhenARunIsGivenUp(t *testing.T) {
	const (
		ok      = loadgen.FailureKind("")
		refused = loadgen.FailHTTP5xx
		cut     = loadgen.FailStreamCut
		timeout = loadgen.FailTimeout
	)
	repeat := func(n int, every, took float64, kind loadgen.FailureKind) (list []*loadgen.Record) {
		for i := range n {
			list = append(list, ended(float64(i)*every, took, kind))
		}
		return list
	}
	tenSeconds := sweep.Config{GiveUpAfter: sweep.Limit{Value: 10, On: true}}
	aTenth := sweep.Config{MaxErrorRate: sweep.Limit{Value: 0.1, On: true}}
	for _, row := range []struct {
		name    string
		config  sweep.Config
		records []*loadgen.Record
		at      int // the record that ends the run, -1 for none
		why     error
	}{
		{"refusals for ten seconds", tenSeconds, repeat(30, 1, 0.5, refused), 10, runner.ErrGivenUp}, // it ends at 10.5 s
		{"no connection for ten seconds", tenSeconds, repeat(30, 1, 0, loadgen.FailConnect), 11, runner.ErrEndpointGone},
		{"the machine's own limits", tenSeconds, append(repeat(1, 1, 0, loadgen.FailLocal), repeat(30, 1, 0, loadgen.FailConnect)...), 12, runner.ErrLocal},
		{"no time is too long", sweep.Config{}, repeat(1000, 1, 0, refused), -1, nil},
		{"a success in between", tenSeconds, append(repeat(10, 1, 0, refused), ended(9, 0.5, ok), ended(15, 1, refused), ended(18, 1, refused)), -1, nil},
		{"slow answers", tenSeconds, repeat(9, 60, 60, ok), -1, nil},
		{"a slow answer that was cut", tenSeconds, append(repeat(3, 12, 12, ok), ended(36, 12, cut)), -1, nil},
		{"the first answer was cut, and it was a slow one", tenSeconds, []*loadgen.Record{ended(0, 12, cut), ended(13, 12, ok)}, -1, nil},
		{"slow answers that are all cut", tenSeconds, append(repeat(1, 12, 12, ok), ended(12, 12, cut), ended(24, 12, cut), ended(36, 12, cut)), 3, runner.ErrGivenUp},
		{"a hang that timed out", tenSeconds, append(repeat(3, 1, 1, ok), ended(3, 600, timeout)), 3, runner.ErrGivenUp},
		{"an endpoint that never answers", tenSeconds, []*loadgen.Record{ended(0, 600, timeout)}, 0, runner.ErrGivenUp},
		{"timeouts that are short", tenSeconds, repeat(30, 2, 2, timeout), 5, runner.ErrGivenUp}, // it ends at 12 s
		{"what loadgen itself ended", tenSeconds, repeat(30, 60, 60, loadgen.FailCancelled), -1, nil},
		{"too many failures", aTenth, append(repeat(17, 1, 1, ok), repeat(3, 1, 1, refused)...), 19, runner.ErrGivenUp},
		{"a tenth of them", aTenth, append(repeat(18, 1, 1, ok), repeat(2, 1, 1, refused)...), -1, nil},
		{"too few to tell", aTenth, repeat(19, 1, 1, refused), -1, nil},
		// Of the 100 requests up to the eleventh failure eleven have failed.
		{"too many of the latest hundred", aTenth, append(repeat(500, 1, 1, ok), repeat(20, 1, 1, refused)...), 510, runner.ErrGivenUp},
		{"failures that are long past", aTenth, append(append(append(repeat(90, 1, 1, ok), repeat(9, 1, 1, refused)...), repeat(100, 1, 1, ok)...), repeat(9, 1, 1, refused)...), -1, nil},
	} {
		at, err := -1, error(nil)
		judge := runner.NewBreaker(&row.config)
		for i, rec := range row.records {
			if err = judge(rec); err != nil {
				at = i
				break
			}
		}
		if at != row.at || !errors.Is(err, row.why) {
			t.Errorf("%s: given up at record %d for %v, want %d and %v", row.name, at, err, row.at, row.why)
		}
	}
}
