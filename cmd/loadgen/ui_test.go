package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"loadgen"
	"loadgen/metrics"
	"loadgen/runner"
)

// busy is a status with every figure that there is.
func busy() status {
	return status{
		Cell: 1, Cells: 3, Name: "request_rate=120000 prompt_input_tokens_mean=1000",
		Stage:   runner.Stage{Name: "profiling", Duration: time.Minute},
		Elapsed: 12 * time.Second, InFlight: 1234, Batch: 75 * time.Second, BatchLeft: 110 * time.Second,
		Live: metrics.Live{
			OK: 123456, Failed: 789, Cancelled: 3, RequestRate: 98765.4, TokenRate: 7654321, Good: 120000,
			TTFTP50: 0.1234, TTFTP99: 12345.6, ITLP50: 8.4051, ITLP99: 98.7654,
			Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 120000},
			Failures: []metrics.Error{
				{Kind: loadgen.FailHTTP5xx, Status: 503, Count: 700},
				{Kind: loadgen.FailTimeout, Count: 80},
				{Kind: loadgen.FailConnect, Count: 8},
				{Kind: loadgen.FailRateLimited, Status: 429, Count: 1},
			},
		},
	}
}

func TestThePanelCutsNoNumber(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		text := ansi.Strip(newPanel(&board{}, width).text(busy()))
		for line := range strings.Lines(text) {
			if w := lipgloss.Width(strings.TrimRight(line, "\n")); w > width {
				t.Errorf("at %d a line of %d: %q", width, w, line)
			}
		}
		for _, want := range []string{
			"Run 2/3", "batch 1:15, about 1:50 left", "0:12 of 1:00", "123456 ok", "789 failed", "3 cancelled", "1234 in flight",
			"700 http 5xx (503)", "80 timeout", "and 1 more kinds", "98765 of 120000 req/s asked", "7654321 tokens/s",
			"96.6 % within the SLOs", // 120,000 of 124,245
			"TTFT p50 0.123 p99 12346 ms", "ITL p50 8.405 p99 98.77 ms",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("at %d no %q in:\n%s", width, want, text)
			}
		}
	}
}

func TestASingleRunIsHeadedByItsBatch(t *testing.T) {
	s := busy()
	s.Cell, s.Cells, s.Name = 0, 1, "nightly"
	head, _, _ := strings.Cut(strings.TrimSpace(ansi.Strip(newPanel(&board{}, 80).text(s))), "\n")
	if want := "Run  nightly  batch 1:15, about 1:50 left"; head != want {
		t.Errorf("headed %q, want %q", head, want)
	}
}

func TestThePanelIsGoneAtTheEnd(t *testing.T) {
	p := newPanel(&board{run: &runner.Progress{}}, 80)
	if _, quit := p.Update(over{}); quit == nil {
		t.Error("the panel does not end")
	}
	if shown := p.View().Content; shown != "" {
		t.Errorf("the last view shows %q", shown)
	}
}

func TestADumbTerminalGetsPlainLines(t *testing.T) {
	t.Setenv("TERM", "dumb")
	shown := startDisplay("live", io.Discard, &board{})
	defer shown.stop()
	if _, live := shown.log.(above); live {
		t.Error("a live panel was started")
	}
}
