package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"loadgen/metrics"
	"loadgen/runner"
	"loadgen/sweep"
)

// A board is where a batch's progress is read from while it runs.
type board struct {
	mu      sync.Mutex
	began   time.Time
	planned time.Duration // of all cells' measured phases; 0 unknown
	spent   time.Duration // planned time of the cells that are over
	run     *runner.Progress
}

func newBoard(batch *sweep.Batch) *board {
	b := &board{began: time.Now()}
	for _, cell := range batch.Cells() {
		d := cell.Config.BenchmarkDuration
		if d == 0 {
			b.planned = 0
			return b
		}
		b.planned += d * time.Duration(batch.Repeats)
	}
	return b
}

// started notes that a cell begins.
func (b *board) started(p *runner.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil {
		b.spent += b.run.Cell.Config.BenchmarkDuration
	}
	b.run = p
}

// A status is one look at the board.
type status struct {
	Cell, Cells int
	Name        string // of the cell
	Stage       runner.Stage
	Elapsed     time.Duration // of the stage
	Issued      int           // in the stage
	InFlight    int
	Batch       time.Duration // since the batch began
	BatchLeft   time.Duration // -1 unknown
	metrics.Live
}

// look returns how things stand; false before the first cell.
func (b *board) look(now time.Time) (status, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.run
	if p == nil {
		return status{}, false
	}
	s := status{
		Cell: p.Run - 1, Cells: p.Runs, Name: strings.ReplaceAll(p.Cell.Dir, "_", " "),
		Stage: p.Stage(), Elapsed: p.Elapsed(), Issued: p.Issued(), InFlight: p.InFlight(), Live: p.Live(),
		Batch: now.Sub(b.began), BatchLeft: -1,
	}
	if b.planned > 0 {
		measured := time.Duration(0)
		if s.Stage.Duration > 0 {
			measured = min(s.Elapsed, s.Stage.Duration)
		}
		s.BatchLeft = max(0, b.planned-b.spent-measured)
	}
	return s, true
}

// done is the share of the stage that is over, by whichever end is nearer.
func (s status) done() float64 {
	share := 0.0
	if s.Stage.Duration > 0 {
		share = s.Elapsed.Seconds() / s.Stage.Duration.Seconds()
	}
	if s.Stage.Requests > 0 {
		share = max(share, float64(s.Issued-s.InFlight)/float64(s.Stage.Requests))
	}
	return min(share, 1)
}

// time says how much of the stage is over: 0:12 of 0:30.
func (s status) time() string {
	text := clock(s.Elapsed)
	if s.Stage.Duration > 0 {
		if left := s.Stage.Duration - s.Elapsed; left >= 0 {
			return text + " of " + clock(s.Stage.Duration)
		}
		return text + ", in the grace period"
	}
	return text
}

// counts says what became of the requests so far.
func (s status) counts() string {
	if s.Stage.Name == "warm-up" {
		return fmt.Sprintf("%d of %d sent, %d in flight", s.Issued, s.Stage.Requests, s.InFlight)
	}
	text := fmt.Sprintf("%d ok, %d failed, %d in flight", s.OK, s.Failed+s.Cancelled, s.InFlight)
	if s.Stage.Requests > 0 {
		text += fmt.Sprintf(", %d of %d sent", s.Issued, s.Stage.Requests)
	}
	return text
}

// rates says what is achieved; empty before there is anything.
func (s status) rates() string {
	if s.OK == 0 {
		return ""
	}
	return fmt.Sprintf("%.4g req/s, %.5g tokens/s", s.RequestRate, s.TokenRate)
}

// latencies says how long the first token and the gaps take; empty where the
// answers are not streamed.
func (s status) latencies() string {
	if s.TTFTP50 == 0 {
		return ""
	}
	text := fmt.Sprintf("TTFT p50 %.4g p99 %.4g ms", s.TTFTP50, s.TTFTP99)
	if s.ITLP50 > 0 {
		text += fmt.Sprintf(", ITL p50 %.4g p99 %.4g ms", s.ITLP50, s.ITLP99)
	}
	return text
}

// line is the status as one plain line.
func (s status) line() string {
	parts := []string{s.Stage.Name + " " + s.time(), s.counts()}
	for _, more := range []string{s.rates(), s.latencies()} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, "; ")
}

// clock writes a time as minutes and seconds: 1:05, or 1:01:05.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
