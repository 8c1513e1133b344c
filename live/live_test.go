package live

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

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
		Server: map[string]float64{"running": 1024, "waiting": 210, "kv_usage": 0.97, "gpu_power": 612, "gpu_temperature": 81, "asleep": 0},
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

var escape = regexp.MustCompile("\x1b\\[[0-9;]*[a-zA-Z]")

func TestThePanelCutsNoNumber(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		plain, colored := (&panel{}).text(busy(), width), (&panel{color: true}).text(busy(), width)
		text := strings.Join(plain, "\n")
		if stripped := escape.ReplaceAllString(strings.Join(colored, "\n"), ""); stripped != text || strings.Contains(text, "\x1b") {
			t.Errorf("at %d colour changes the text from\n%s\nto\n%s", width, text, stripped)
		}
		for _, line := range plain {
			if w := lipgloss.Width(line); w > width {
				t.Errorf("at %d a line of %d: %q", width, w, line)
			}
		}
		for _, want := range []string{
			"Run 2/3", "batch 1:15, about 1:50 left", "0:12 of 1:00", "123456 ok", "789 failed", "3 cancelled", "1234 in flight",
			"700 http 5xx (503)", "80 timeout", "and 1 more kinds", "98765 of 120000 req/s asked", "7654321 tokens/s",
			"96.6 % within the SLOs", // 120,000 of 124,245
			"server: 1024 running", "210.0 waiting", "KV cache 97.00 %", "GPUs: 612.0 W on average", "up to 81.00 °C",
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
	if got, want := (&panel{}).text(s, 80)[1], "Run  nightly  batch 1:15, about 1:50 left"; got != want {
		t.Errorf("headed %q, want %q", got, want)
	}
}

// screen is what a terminal of a width shows after what was written to it, as
// far as a panel makes use of one.
func screen(written string, width int) string {
	rows, y := [][]rune{nil}, 0
	for len(written) > 0 {
		if m := escape.FindString(written); m != "" && strings.HasPrefix(written, m) {
			n, _ := strconv.Atoi(strings.Trim(m, "\x1b[AJ"))
			if strings.HasSuffix(m, "A") {
				y -= n
			}
			if strings.HasSuffix(m, "J") {
				rows = append(rows[:y], nil)
			}
			written = written[len(m):]
			continue
		}
		r := []rune(written)[0]
		written = written[len(string(r)):]
		down := r == '\n' || r != '\r' && len(rows[y]) == width
		if down {
			if y++; y == len(rows) {
				rows = append(rows, nil)
			}
		}
		if r != '\n' && r != '\r' {
			rows[y] = append(rows[y], r)
		}
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(string(row) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func TestAPanelLeavesTheLogAlone(t *testing.T) {
	for _, width := range []int{20, 60, 120} {
		var written bytes.Buffer
		p := &panel{w: &written, board: &Board{}, size: func() (int, int) { return width, 24 }}
		var log strings.Builder
		for i := range 5 {
			line := fmt.Sprintf("%d a line that is longer than a narrow terminal\n", i)
			log.WriteString(line)
			_, _ = p.Write([]byte(line))
			// As draw does it, of a status that does not come from a run.
			p.lines = p.text(busy(), width)[:1+i]
			written.WriteString(strings.Join(p.lines, "\n") + "\n")
		}
		p.end()
		_, _ = p.Write([]byte("after\n"))
		log.WriteString("after\n")
		if got, want := screen(written.String(), width), screen(log.String(), width); got != want {
			t.Errorf("at %d the screen shows\n%s\nwant\n%s", width, got, want)
		}
	}
}

func TestARunThatIsOverIsFollowedNoMore(t *testing.T) {
	s := busy()
	if !s.goesOn() || s.done() > 0.5 {
		t.Errorf("a run that goes on: %t, %v done", s.goesOn(), s.done())
	}
	s.Over = true
	if s.goesOn() || s.done() != 1 {
		t.Errorf("a run that is over: goes on %t, %v done", s.goesOn(), s.done())
	}
	if text := strings.Join((&panel{}).text(s, 80), "\n"); !strings.Contains(text, "profiling 0:12, over") {
		t.Errorf("the panel shows\n%s", text)
	}
	var b strings.Builder
	if expose(&b, s, true, "b", "1.0"); !strings.Contains(b.String(), `stage="over"} 1`) || strings.Contains(b.String(), `stage="profiling"`) {
		t.Errorf("exposed:\n%s", b.String())
	}
}

func TestADumbTerminalGetsPlainLines(t *testing.T) {
	t.Setenv("TERM", "dumb")
	shown := Start("live", io.Discard, &Board{}, func(io.Writer) *slog.Logger { return slog.New(slog.DiscardHandler) })
	defer shown.Stop()
	if _, live := shown.Log.(*panel); live {
		t.Error("a live panel was started")
	}
}
