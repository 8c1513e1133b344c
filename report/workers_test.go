package report_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/report"
)

func TestWhoMadeARunTogetherIsTold(t *testing.T) {
	worker := func(host string, issued int, late, bound time.Duration, gone string) loadgen.Worker {
		return loadgen.Worker{Host: host, Issued: issued, Late: late, Bound: bound, Gone: gone}
	}
	const us = time.Microsecond
	for name, tt := range map[string]struct {
		workers []loadgen.Worker
		want    string
	}{
		"one process": {nil, ""},
		"one worker":  {[]loadgen.Worker{worker("a", 1200, 30*us, 50*us, "")}, "made by 1 worker on a, 1,200 requests"},
		"two on a host": {
			[]loadgen.Worker{worker("a", 30, 30*us, 50*us, ""), worker("a", 30, 50*us, 120*us, "")},
			"made by 2 workers on a, 30 requests each; they began within 0.02 ms of each other, and their clocks are known within 0.12 ms",
		},
		"three on two hosts, one of whom was lost": {
			[]loadgen.Worker{worker("a", 34, 30*us, 50*us, ""), worker("b", 3, time.Second, time.Second, "its process ended"), worker("b", 33, 30*us, 1500*us, "")},
			"made by 3 workers on 2 hosts, 3 to 34 requests each; they began within 0.00 ms of each other, and their clocks are known within 1.50 ms",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := report.WorkersLine(tt.workers); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
