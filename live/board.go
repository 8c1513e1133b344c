package live

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

// A Board is where a batch's progress is read from while it runs.
type Board struct {
	name    string // of the batch
	mu      sync.Mutex
	began   time.Time
	planned time.Duration // of all cells' measured phases; 0 unknown
	spent   time.Duration // planned time of the cells that are over
	run     *runner.Progress
	found   []results.Capacity // by searches, so far
}

// NewBoard returns the board of a batch that begins now.
func NewBoard(batch *sweep.Batch) *Board {
	b := &Board{name: batch.BatchName, began: time.Now()}
	if batch.Search.Asked() {
		return b // how long it takes is known by what it finds
	}
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

// Started notes that a cell begins.
func (b *Board) Started(p *runner.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil {
		b.spent += b.run.Cell.Config.BenchmarkDuration
	}
	b.run = p
}

// Found notes what searches have found so far, which is not changed any more.
func (b *Board) Found(searches []results.Capacity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.found = searches
}

// searches are what was found so far.
func (b *Board) searches() []results.Capacity {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found
}

// A status is one look at the board.
type status struct {
	Cell, Cells int
	Name        string // of the cell; of the batch where nothing is swept
	Search      string // how a search stands; empty without
	Stage       runner.Stage
	Elapsed     time.Duration // of the stage
	Over        bool          // the run is; what goes on are hooks and analyses, or a rest
	Issued      int           // in the stage
	InFlight    int
	Batch       time.Duration      // since the batch began
	BatchLeft   time.Duration      // -1 unknown
	Server      map[string]float64 // what it told last, by noun; empty where it is not asked
	metrics.Live
}

// look returns how things stand; false before the first cell.
func (b *Board) look(now time.Time) (status, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.run
	if p == nil {
		return status{}, false
	}
	s := status{
		Cell: p.Run - 1, Cells: p.Runs, Name: b.name,
		Stage: p.Stage(), Elapsed: p.Elapsed(), Issued: p.Issued(), InFlight: p.InFlight(), Live: p.Live(),
		Batch: now.Sub(b.began), BatchLeft: -1, Server: p.Server(),
	}
	if took, over := p.Over(); over {
		s.Elapsed, s.Over = took, true
	}
	if len(p.Cell.Values) > 0 {
		s.Name = (&report.Run{Values: p.Cell.Values}).Name()
	}
	if b.planned > 0 {
		measured := time.Duration(0)
		if s.Stage.Duration > 0 {
			measured = min(s.Elapsed, s.Stage.Duration)
		}
		if s.Over {
			measured = p.Cell.Config.BenchmarkDuration
		}
		s.BatchLeft = max(0, b.planned-b.spent-measured)
	}
	if probe := p.Cell.Probe; probe != nil {
		s.Search = p.Search
		left := max(0, probe.Usual()-s.Elapsed)
		if s.Over {
			left = 0
		}
		s.BatchLeft = left + probe.Usual()*time.Duration(max(0, p.Runs-p.Run))
	}
	return s, true
}

// done is the share of the stage that is over, by whichever end is nearer.
func (s status) done() float64 {
	share := 0.0
	if s.Over {
		return 1
	}
	if s.Stage.Duration > 0 {
		share = s.Elapsed.Seconds() / s.Stage.Duration.Seconds()
	}
	if s.Stage.Requests > 0 {
		share = max(share, float64(s.Issued-s.InFlight)/float64(s.Stage.Requests))
	}
	return min(share, 1)
}

// goesOn reports whether requests are sent or awaited, so that there is something
// to follow.
func (s status) goesOn() bool { return s.Stage.Name != "" && !s.Over }

// time says how much of the stage is over: 0:12 of 0:30.
func (s status) time() string {
	text := clock(s.Elapsed)
	if s.Over {
		return text + ", over"
	}
	if s.Stage.Duration > 0 {
		if left := s.Stage.Duration - s.Elapsed; left >= 0 {
			return text + " of " + clock(s.Stage.Duration)
		}
		return text + ", in the grace period"
	}
	return text
}

// counts says what became of the requests so far.
func (s status) counts() []part {
	flight := part{fmt.Sprintf("%d in flight", s.InFlight), report.Plain}
	if s.Load.Users > 0 {
		flight.text = fmt.Sprintf("%d of %d users in flight", s.InFlight, s.Load.Users)
	}
	if s.Stage.Name == "warm-up" {
		sent := fmt.Sprintf("%d sent", s.Issued)
		if s.Stage.Requests > 0 {
			sent = fmt.Sprintf("%d of %d sent", s.Issued, s.Stage.Requests)
		}
		return []part{{sent, report.Plain}, flight}
	}
	parts := []part{{fmt.Sprintf("%d ok", s.OK), report.Plain}, {fmt.Sprintf("%d failed", s.Failed), report.Plain}, flight}
	if s.Failed > 0 {
		parts[1].tone = report.Bad
	}
	if s.Cancelled > 0 {
		parts = append(parts, part{fmt.Sprintf("%d cancelled", s.Cancelled), report.Doubtful})
	}
	if s.Stage.Requests > 0 {
		parts = append(parts, part{fmt.Sprintf("%d of %d sent", s.Issued, s.Stage.Requests), report.Plain})
	}
	return parts
}

// failures says how many failed in which way.
func (s status) failures() []part {
	const most = 3
	var parts []part
	for i, e := range s.Failures {
		if i == most {
			return append(parts, part{fmt.Sprintf("and %d more kinds", len(s.Failures)-most), report.Bad})
		}
		text := fmt.Sprintf("%d %s", e.Count, strings.ReplaceAll(string(e.Kind), "_", " "))
		if e.Status > 0 {
			text += fmt.Sprintf(" (%d)", e.Status)
		}
		parts = append(parts, part{text, report.Bad})
	}
	return parts
}

// rates says what is achieved, of what was asked, and how much of it meets the
// limits; nothing before there is anything.
func (s status) rates() []part {
	if s.OK == 0 {
		return nil
	}
	rate := part{figure(s.RequestRate) + " req/s", report.Plain}
	if s.Load.Scheduled() && s.Load.Rate > 0 {
		rate.text = fmt.Sprintf("%s of %s req/s asked", figure(s.RequestRate), figure(s.Load.Rate))
		if s.RequestRate < 0.9*s.Load.Rate && s.Elapsed > 5*time.Second {
			rate.tone = report.Doubtful
		}
	}
	parts := []part{rate, {figure(s.TokenRate) + " tokens/s", report.Plain}}
	if s.Good >= 0 {
		share := float64(s.Good) / float64(max(1, s.OK+s.Failed))
		slo := part{fmt.Sprintf("%.1f %% within the SLOs", 100*share), report.Good}
		if share < 0.99 {
			slo.tone = report.Doubtful
		}
		if share < 0.9 {
			slo.tone = report.Bad
		}
		parts = append(parts, slo)
	}
	return parts
}

// latencies says how long the first token and the gaps take; nothing where the
// answers are not streamed.
func (s status) latencies() []part {
	if s.TTFTP50 == 0 {
		return nil
	}
	parts := []part{{fmt.Sprintf("TTFT p50 %s p99 %s ms", figure(s.TTFTP50), figure(s.TTFTP99)), report.Plain}}
	if s.ITLP50 > 0 {
		parts = append(parts, part{fmt.Sprintf("ITL p50 %s p99 %s ms", figure(s.ITLP50), figure(s.ITLP99)), report.Plain})
	}
	return parts
}

// server says how full the server is; nothing where it is not asked.
func (s status) server() []part {
	var parts []part
	for _, x := range []struct {
		noun, text   string
		scale, limit float64
	}{{"running", "%s running", 1, math.Inf(1)}, {"waiting", "%s waiting", 1, 1}, {"kv_usage", "KV cache %s %%", 100, 0.95}, {"asleep", "%s asleep", 1, 1}} {
		v, ok := s.Server[x.noun]
		if !ok || x.noun == "asleep" && v == 0 {
			continue
		}
		shown := part{fmt.Sprintf(x.text, figure(v*x.scale)), report.Plain}
		if v >= x.limit {
			shown.tone = report.Doubtful
		}
		parts = append(parts, shown)
	}
	if len(parts) > 0 {
		parts[0].text = "server: " + parts[0].text
	}
	return parts
}

// gpus says how hard the server's GPUs work; nothing where they are not asked.
func (s status) gpus() []part {
	var parts []part
	if v, ok := s.Server["gpu_power"]; ok {
		parts = append(parts, part{fmt.Sprintf("GPUs: %s W on average", figure(v)), report.Plain})
	}
	if v, ok := s.Server["gpu_temperature"]; ok {
		parts = append(parts, part{fmt.Sprintf("up to %s °C", figure(v)), report.Plain})
	}
	return parts
}

// A part is a piece of a status that is not broken.
type part struct {
	text string
	tone report.Tone
}

// figure writes a number with about four digits that count, and never in powers
// of ten.
func figure(v float64) string {
	decimals := 0
	for limit := 1000.0; decimals < 3 && v < limit; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// line is the status as one plain line.
func (s status) line() string {
	groups := []string{s.Stage.Name + " " + s.time()}
	if s.Search != "" {
		groups = append([]string{s.Search}, groups...)
	}
	for _, group := range [][]part{s.counts(), s.failures(), s.rates(), s.latencies(), s.server(), s.gpus()} {
		var texts []string
		for _, p := range group {
			texts = append(texts, p.text)
		}
		if len(texts) > 0 {
			groups = append(groups, strings.Join(texts, ", "))
		}
	}
	return strings.Join(groups, "; ")
}

// clock writes a time as minutes and seconds: 1:05, or 1:01:05.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
