package metrics

import (
	"fmt"
	"slices"
	"time"

	"loadgen"
)

// judgeWorkers holds what those that made a run together say of themselves, and
// of each other.
func judgeWorkers(j *judge, workers []loadgen.Worker) {
	if len(workers) == 0 {
		return
	}
	lost, why, worst, said, ok := 0, "", 0, "", 0
	for _, w := range workers {
		ok += w.OK
	}
	first, last, bound := workers[0].Late, workers[0].Late, time.Duration(0)
	var drifts []time.Duration
	for _, w := range workers {
		name := fmt.Sprintf("worker %d", w.Worker)
		if n := w.OK + w.Failed; w.OK == 0 && n >= conclusiveCount && ok > 0 {
			j.note("none of the %d requests of %s on %s succeeded, while others' did: can it reach the endpoint?", n, name, w.Host)
		}
		if w.Gone != "" {
			if lost++; lost == 1 {
				why = name + ": " + w.Gone
			}
			continue
		}
		first, last, bound = min(first, w.Late), max(last, w.Late), max(bound, w.Bound)
		drifts = append(drifts, w.Drift)
		if n := rank(Verdict(w.Verdict)); n > worst && w.Issued > 0 {
			worst, said = n, name+" is "+w.Verdict
			if len(w.Reasons) > 0 {
				said += ": " + w.Reasons[0]
			}
		}
	}
	j.sign("workers_lost", float64(lost))
	j.say("workers_lost", fmt.Sprintf("%d of %d workers were lost: %s", lost, len(workers), why))
	j.sign("worker_verdict", float64(worst))
	j.say("worker_verdict", said)
	j.sign("start_spread", millis(last-first))
	if len(drifts) > 0 {
		bound += (slices.Max(drifts) - slices.Min(drifts)) / 2
	}
	j.sign("clock_bound", 2*millis(bound))
}

// rank orders verdicts, the best first.
func rank(v Verdict) int {
	switch v {
	case Invalid:
		return 2
	case Degraded:
		return 1
	}
	return 0
}
