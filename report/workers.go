package report

import (
	"fmt"
	"time"

	"loadgen"
	"loadgen/internal/outside"
)

// WorkersLine says who made a run together, how evenly they shared it and how well
// their times can be put side by side; empty for a run of one process.
func WorkersLine(workers []loadgen.Worker) string {
	if len(workers) == 0 {
		return ""
	}
	hosts := map[string]bool{}
	least, most := workers[0].Issued, workers[0].Issued
	var there []loadgen.Worker
	for _, w := range workers {
		hosts[w.Host] = true
		least, most = min(least, w.Issued), max(most, w.Issued)
		if w.Gone == "" {
			there = append(there, w)
		}
	}
	where := "on " + outside.Line(workers[0].Host)
	if len(hosts) > 1 {
		where = "on " + Count(len(hosts), "host")
	}
	shares := Count(most, "request")
	if least < most {
		shares = decimal(float64(least), 0) + " to " + shares
	}
	if len(workers) > 1 {
		shares += " each"
	}
	text := fmt.Sprintf("made by %s %s, %s", Count(len(workers), "worker"), where, shares)
	if len(there) < 2 {
		return text
	}
	first, last, bound := there[0].Late, there[0].Late, time.Duration(0)
	for _, w := range there {
		first, last, bound = min(first, w.Late), max(last, w.Late), max(bound, w.Bound)
	}
	return fmt.Sprintf("%s; they began within %s ms of each other, and their clocks are known within %s ms", text, inMillis(last-first), inMillis(bound))
}

func inMillis(d time.Duration) string { return decimal(d.Seconds()*1e3, 2) }
