package report_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/report"
)

func value(v float64) *float64 { return &v }

// spread is a distribution that is easy to recognize: v with its multiples.
func spread(v float64) *metrics.Stats {
	return &metrics.Stats{Avg: v, Min: v / 2, Max: 4 * v, P99: 3 * v, P90: 2 * v, P50: v, Std: v / 4, Count: 100}
}

// finished is a run of a closed loop of so many users.
func finished(users int, requests, latency float64, v metrics.Verdict) *report.Run {
	return &report.Run{
		Values: []loadgen.Value{{Key: "concurrency", Value: users}},
		Summary: &metrics.Summary{
			Metrics: []metrics.Metric{
				{Tag: "request_throughput", Header: "Request Throughput", Unit: "requests/sec", Value: value(requests), Console: 900},
				{Tag: "request_latency", Header: "Request Latency", Unit: "ms", Stats: spread(latency), Console: 300},
				{Tag: "request_count", Header: "Request Count", Unit: "requests", Value: value(1200), Integer: true, Console: 1100},
				{Tag: "benchmark_duration", Header: "Benchmark Duration", Unit: "sec", Value: value(60)},
			},
			Validity: metrics.Validity{Verdict: v},
			Counts:   metrics.Counts{Issued: 1200, OK: 1200},
		},
	}
}

// cells returns what stands in the line of a text that holds the mark,
// without the frame; empty where no line does.
func cells(text, mark string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, mark) {
			return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "\n", " ").Replace(line)), " ")
		}
	}
	return ""
}

func TestRunText(t *testing.T) {
	r := finished(4, 20, 1000, metrics.Degraded)
	r.Summary.Metrics = append(r.Summary.Metrics, metrics.Metric{
		Tag: "output_token_throughput_per_user", Header: "Output Token Throughput Per User", Unit: "tokens/sec/user", Stats: spread(40), Console: 500,
	})
	r.Summary.Weak = map[string][]string{"request_latency": {"p95", "p99"}}
	r.Summary.Errors = []metrics.Error{{Kind: loadgen.FailRateLimited, Status: 429, Message: "slow down", Count: 1100}}
	r.Summary.Counts = metrics.Counts{Issued: 2301, OK: 1200, Failed: 1100, Cancelled: 1, Warmup: 20}
	r.Summary.Loaded = &metrics.Window{To: 58, RequestThroughput: 20.25, TokenThroughput: value(2025), InFlight: 3.95}
	r.Summary.Steady = &metrics.Window{From: 2, To: 58, RequestThroughput: 20.5, TokenThroughput: value(2050), InFlight: 3.9}
	r.Summary.Validity.Reasons = []metrics.Sign{{Text: "median lag over median TTFT: 0.2, limit 0.1 ratio"}}
	r.Summary.Validity.Notes = []string{"the machine was 99 % busy"}
	r.Summary.Cancelled = true
	text := r.Text(report.Options{})
	for mark, want := range map[string]string{
		"Metric":             "Metric avg min max p99 p90 p50 std",
		"Request Latency":    "Request Latency (ms) 1,000.00 500.00 4,000.00 ~3,000.00 2,000.00 1,000.00 250.00",
		"Throughput Per":     "Output Token Throughput Per User 40.00 20.00 160.00 120.00 80.00 40.00 10.00",
		"(tokens/sec/user)":  "(tokens/sec/user)",
		"Request Throughput": "Request Throughput (requests/sec) 20.00 N/A N/A N/A N/A N/A N/A",
		"Request Count":      "Request Count (requests) 1,200 N/A N/A N/A N/A N/A N/A",
		"Benchmark Duration": "", // not in AIPerf's console
		"too few":            "~ too few values: p90 needs 10, p95 20, p99 100",
		"rate_limited":       "rate_limited 429 1,100 slow down",
		"issued":             "",
		" ok, ":              "2,301 requests: 1,200 ok, 1,100 failed, 1 cancelled, 20 of warm-up before",
		"under load":         "under load from 0.0 to 58.0 s: 20.25 requests/s, 2,025.0 tokens/s, 4.0 in flight",
		"steady from":        "steady from 2.0 to 58.0 s: 20.50 requests/s, 2,050.0 tokens/s, 3.9 in flight",
		"DEGRADED":           "DEGRADED",
		"median lag":         "- median lag over median TTFT: 0.2, limit 0.1 ratio",
		"busy":               "- the machine was 99 % busy",
		"cancelled before":   "- cancelled before its end: not to be compared with complete runs",
	} {
		if got := cells(text, mark); got != want {
			t.Errorf("line with %q:\n got %q\nwant %q", mark, got, want)
		}
	}
	order := []string{"Request Latency", "Throughput Per", "Request Throughput", "Request Count", "rate_limited", "DEGRADED"}
	for i := 1; i < len(order); i++ {
		if strings.Index(text, order[i-1]) > strings.Index(text, order[i]) {
			t.Errorf("%s stands after %s", order[i-1], order[i])
		}
	}
}

func TestRunTextWithoutSuccess(t *testing.T) {
	r := &report.Run{Summary: &metrics.Summary{Validity: metrics.Validity{Verdict: metrics.Valid}, NoSteady: "no request ended"}}
	text := r.Text(report.Options{})
	for _, want := range []string{"run\n", "no metrics: no request succeeded", "no steady state: no request ended"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestBatchTable(t *testing.T) {
	valid, invalid := metrics.Valid, metrics.Invalid
	failing := finished(8, 31, 258, valid)
	failing.Summary.Counts = metrics.Counts{Issued: 1200, OK: 1164, Failed: 36}
	limited := func(n int, goodput float64) *report.Run {
		r := finished(n, 10, 100, valid)
		r.Summary.Metrics = append(r.Summary.Metrics, metrics.Metric{Tag: "goodput", Value: value(goodput)})
		return r
	}
	deployed := func(n int, perUser, all float64) *report.Run {
		r := finished(n, 10, 100, valid)
		r.Summary.GPUs = 2
		r.Summary.Loaded = &metrics.Window{To: 60, RequestThroughput: 10, TokenThroughput: &all}
		r.Summary.Metrics = append(
			r.Summary.Metrics, metrics.Metric{Tag: "output_token_throughput", Value: value(all)}, metrics.Metric{Tag: metrics.PerGPU, Value: value(all / 2)},
			metrics.Metric{Tag: "output_token_throughput_per_user", Stats: &metrics.Stats{Avg: perUser}},
		)
		return r
	}
	word := finished(0, 10, 100, valid)
	word.Values[0] = loadgen.Value{Key: "request_rate_mode", Value: "poisson"}
	probe := func(users, number int, rate float64) *report.Run {
		r := finished(users, rate, 100, valid)
		r.Probe, r.Repeat = true, number
		return r
	}
	for _, tt := range []struct {
		name string
		runs []*report.Run
		rows []string // each begins with its own mark
		note string
	}{
		{
			"throughput saturates: the knee is at 4, the most at 16",
			[]*report.Run{finished(1, 10, 100, valid), finished(4, 40, 100, valid), failing, finished(16, 32, 500, valid)},
			[]string{
				"concurrency (req/s) gain (ms) (ms) errors verdict",
				"1 10.00 100.0 300.0 0 VALID",
				"4 40.00 +300.0% 100.0 300.0 0 VALID best, knee",
				"8 31.00 -22.5% 258.0 774.0 36 (3.0%) VALID",
				"16 32.00 +3.2% 500.0 1,500.0 0 VALID",
			},
			"best: highest requests (req/s) of the valid runs; knee: most requests (req/s) per median latency; gain: against the row with the next lower value",
		},
		{
			"an invalid run is neither best nor proof of a knee",
			[]*report.Run{finished(1, 10, 100, valid), finished(2, 20, 100, valid), finished(4, 40, 100, valid), finished(8, 50, 900, invalid)},
			[]string{"4 40.00 +100.0% 100.0 300.0 0 VALID best", "8 50.00 900.0 2,700.0 0 INVALID"},
			"best: highest requests (req/s) of the valid runs; gain: against the row with the next lower value",
		},
		{
			"goodput decides where there are limits",
			[]*report.Run{limited(1, 9), limited(2, 4)},
			[]string{"1 9.00 10.00 100.0 300.0 0 VALID best", "2 4.00 -55.6% 10.00 100.0 300.0 0 VALID"},
			"best: highest goodput (req/s) of the valid runs; gain: against the row with the next lower value",
		},
		{
			"per user and per GPU: 16 is slower in both",
			[]*report.Run{deployed(1, 90, 90), deployed(8, 50, 400), deployed(16, 20, 320)},
			[]string{"1 90.0 45.0 90.0 10.00 100.0 300.0 0 VALID frontier", "8 400.0 +344.4% 200.0 50.0 10.00 100.0 300.0 0 VALID best, knee, frontier", "16 320.0 -20.0% 160.0 20.0 10.00 100.0 300.0 0 VALID"},
			"best: highest output (tok/s) of the valid runs; knee: most output (tok/s) per median latency; frontier: no valid run of the same work has more tokens/s per user and no fewer per GPU, or the other way round; gain: against the row with the next lower value",
		},
		{"words have no order", []*report.Run{word, word}, []string{"poisson 10.00 100.0 300.0 0 VALID best"}, "best: highest requests (req/s) of the valid runs"},
		{"one run is not the best of anything", []*report.Run{{Summary: finished(1, 10, 100, valid).Summary}}, []string{"run 10.00 100.0 300.0 0 VALID"}, ""},
		{
			"a search's runs are probes, and the one that carries most may break a limit",
			[]*report.Run{probe(1, 1, 10), probe(8, 2, 40)},
			[]string{"1 1 10.00 100.0 300.0 0 VALID", "8 2 40.00 +300.0% 100.0 300.0 0 VALID"},
			"gain: against the row with the next lower value",
		},
		{"nothing has finished", nil, []string{"no run has finished"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := report.BatchTable(tt.runs, report.Options{})
			var got []string
			for line := range strings.Lines(text) {
				got = append(got, cells(line, ""))
			}
			all := "\n" + strings.Join(got, "\n") + "\n"
			for _, want := range tt.rows {
				if !strings.Contains(all, "\n"+want+"\n") {
					t.Errorf("no line %q in:\n%s", want, text)
				}
			}
			if last := got[len(got)-1]; tt.note != "" && last != tt.note {
				t.Errorf("note %q, want %q", last, tt.note)
			}
		})
	}
}

func TestPlanText(t *testing.T) {
	plan := func(users, requests int, d time.Duration) report.Planned {
		return report.Planned{
			Values:   []loadgen.Value{{Key: "concurrency", Value: users}},
			Dir:      "results/chat/concurrency1",
			Requests: requests, Duration: d,
			Parameters: []loadgen.Value{
				{Key: "model", Value: "m"},
				{Key: "concurrency", Value: users},
				{Key: "slos", Value: map[string]float64{"time_to_first_token": 60, "request_latency": 400}},
			},
		}
	}
	once := report.Rounds{Least: 1, Most: 1}
	for _, tt := range []struct {
		name string
		runs []report.Planned
		want []string
		more report.Rounds
	}{
		{"repeats with a rest between them", []report.Planned{plan(1, 0, time.Minute), plan(2, 0, 90*time.Second)}, []string{
			"2 cells with 3 repeats each: 6 runs, about 8m20s in all",
		}, report.Rounds{Least: 3, Most: 3, Rest: 10 * time.Second}},
		{"repeats with an open end", []report.Planned{plan(1, 0, time.Minute), plan(2, 0, 90*time.Second)}, []string{
			"2 cells with 3 to 20 repeats each: 6 to 40 runs, at least 7m30s in all",
		}, report.Rounds{Least: 3, Most: 20}},
		{"runs that end by time", []report.Planned{plan(1, 0, time.Minute), plan(2, 0, 90*time.Second)}, []string{
			"  model  m\n", "  slos   {request_latency: 400, time_to_first_token: 60}\n", "1 1 as many as fit 1m results/chat/concurrency1", "2 2 as many as fit 1m30s results/chat/concurrency1",
			"2 runs, about 2m30s in all, besides warm-up and grace periods",
		}, once},
		{"a run that ends by count", []report.Planned{plan(1, 5000, 0)}, []string{
			"1 1 5,000 until all are done", "1 run, how long it takes depends on the endpoint",
		}, once},
		{"some end by count only", []report.Planned{plan(1, 5000, 0), plan(2, 10, time.Hour)}, []string{
			"2 runs, at least 1h in all: some runs end by count only",
		}, once},
		{"nothing planned", nil, []string{"0 runs"}, once},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := report.PlanText(tt.runs, tt.more, report.Options{})
			all := text
			for line := range strings.Lines(text) {
				all += cells(line, "") + "\n"
			}
			for _, want := range tt.want {
				if !strings.Contains(all, want) {
					t.Errorf("no %q in:\n%s", want, text)
				}
			}
			if shared, _, _ := strings.Cut(text, "╭"); strings.Contains(shared, "concurrency") {
				t.Errorf("the swept key is listed as shared:\n%s", text)
			}
		})
	}
}

// At any width of a terminal the frame is whole, no line is longer than asked and
// what had to go is named. Without colour there is
// no escape sequence; with colour the text is the same.
func TestTablesAtAnyWidth(t *testing.T) {
	run := finished(4, 20, 123456, metrics.Valid)
	run.Summary.Errors = []metrics.Error{{Kind: loadgen.FailHTTP5xx, Status: 503, Message: strings.Repeat("überlastet 過負荷 ", 20), Count: 3}}
	gone := &report.Run{Values: run.Values, Failed: "the endpoint is gone"}
	runs := []*report.Run{run, finished(8, 30, 150, metrics.Invalid), gone}
	draw := map[string]func(report.Options) string{
		"run":   run.Text,
		"batch": func(o report.Options) string { return report.BatchTable(runs, o) },
	}
	for name, text := range draw {
		for width := 40; width <= 160; width += 5 {
			plain := text(report.Options{Width: width})
			frame := 0
			for line := range strings.Lines(plain) {
				line = strings.TrimRight(line, "\n")
				if w := lipgloss.Width(line); w > width {
					t.Fatalf("%s at %d: a line of %d: %q", name, width, w, line)
				}
				switch {
				case strings.HasPrefix(line, "╭"):
					frame = lipgloss.Width(line)
				case strings.HasPrefix(line, "│") && lipgloss.Width(line) != frame:
					t.Fatalf("%s at %d: the frame is broken: %q", name, width, line)
				}
			}
			if strings.Contains(plain, "\x1b") {
				t.Fatalf("%s at %d: an escape sequence without colour", name, width)
			}
			colored := text(report.Options{Width: width, Color: true})
			if d := cmp.Diff(plain, ansi.ReplaceAllString(colored, "")); d != "" {
				t.Fatalf("%s at %d: colour changes the text:\n%s", name, width, d)
			}
		}
	}
	if narrow := run.Text(report.Options{Width: 80}); !strings.Contains(narrow, "left out for want of width: std") {
		t.Errorf("what was left out is not named:\n%s", narrow)
	}
}

// At 80 columns nothing of a batch is left out: the table goes on below itself,
// each block with the swept values.
func TestABatchTableGoesOnBelowItself(t *testing.T) {
	full := func(users int) *report.Run {
		r := finished(users, 20, 100, metrics.Valid)
		r.Summary.Metrics = append(
			r.Summary.Metrics,
			metrics.Metric{Tag: "output_token_throughput", Value: value(1000)},
			metrics.Metric{Tag: "time_to_first_token", Stats: spread(50)},
			metrics.Metric{Tag: "inter_token_latency", Stats: spread(8)},
		)
		return r
	}
	text := report.BatchTable([]*report.Run{full(1), full(4)}, report.Options{Width: 80})
	if n := strings.Count(text, "concurrency"); n != 2 {
		t.Errorf("the swept key heads %d blocks, want 2:\n%s", n, text)
	}
	for _, want := range []string{"gain", "TTFT p50", "TTFT p99", "ITL p50", "ITL p99", "latency p50", "latency p99", "errors", "verdict"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

func TestATableTellsWhatFailedAndWhatMissedItsLimits(t *testing.T) {
	failing := finished(8, 90, 100, metrics.Valid)
	failing.Summary.Counts = metrics.Counts{Issued: 100, OK: 90, Failed: 10}
	late := finished(4, 40, 100, metrics.Valid)
	late.Missed = []string{"budget request_latency_p99: 300 is above 200"}
	runs := []*report.Run{
		finished(1, 10, 100, metrics.Valid), late, failing,
		{Values: []loadgen.Value{{Key: "concurrency", Value: 16}}, Failed: "the endpoint is gone"},
		{Values: []loadgen.Value{{Key: "concurrency", Value: 32}}, Skipped: "hopeless after 16"},
	}
	text := report.BatchTable(runs, report.Options{})
	for mark, want := range map[string]string{
		"MISSED":   "MISSED concurrency=4: budget request_latency_p99: 300 is above 200",
		"FAILED c": "FAILED concurrency=16: the endpoint is gone",
	} {
		if got := cells(text, mark); got != want {
			t.Errorf("line with %q: %q, want %q", mark, got, want)
		}
	}
	ends, found := map[string]string{
		"4": "VALID missed, best", "8": "10 (10.0%) VALID", "16": "N/A FAILED", "32": "N/A skipped",
	}, 0
	for line := range strings.Lines(text) {
		row := cells(line, "│")
		users, _, _ := strings.Cut(row, " ")
		if want, known := ends[users]; known {
			if found++; !strings.HasSuffix(row, want) {
				t.Errorf("row %q does not end in %q", row, want)
			}
		}
	}
	if found != len(ends) {
		t.Errorf("%d of %d rows in:\n%s", found, len(ends), text)
	}
	if got, want := late.Line(), "requests 40.00 req/s, latency p50 100.0 ms, latency p99 300.0 ms, VALID, MISSED: budget request_latency_p99: 300 is above 200"; got != want {
		t.Errorf("the line of a run is\n%q, want\n%q", got, want)
	}
}

func TestARunSaysWhyItHasNoFirstTokenAndWhichTokensItCounts(t *testing.T) {
	r := finished(1, 10, 100, metrics.Valid)
	r.Summary.Sources.NotStreamed = r.Summary.Counts.OK
	r.Summary.Metrics = append(
		r.Summary.Metrics,
		metrics.Metric{Tag: "input_sequence_length", Stats: &metrics.Stats{Avg: 200, Count: 1200}},
		metrics.Metric{Tag: "usage_prompt_tokens", Stats: &metrics.Stats{Avg: 212, Count: 1200}},
	)
	text := r.Text(report.Options{})
	for _, want := range []string{"streaming: true asks for it", "200.0 tokens of text on average (the Input Sequence Length), 212.0 by the server's count"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	r.Summary.Sources.TemplateTokens = 11
	if text, want := r.Text(report.Options{}), "200.0 tokens of text on average (the Input Sequence Length), 211.0 with the chat template, 212.0 by the server's count"; !strings.Contains(text, want) {
		t.Errorf("no %q in:\n%s", want, text)
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")
