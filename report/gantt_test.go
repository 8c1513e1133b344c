package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"loadgen"
	"loadgen/report"
)

// elements reads an SVG picture as XML and counts its elements; every text
// and title is returned.
func elements(t *testing.T, svg []byte) (counts map[string]int, texts []string) {
	t.Helper()
	counts = map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return counts, texts
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			counts[e.Name.Local]++
		case xml.CharData:
			if s := strings.TrimSpace(string(e)); s != "" {
				texts = append(texts, s)
			}
		}
	}
}

func contains(texts []string, want string) bool {
	for _, s := range texts {
		if strings.Contains(s, want) {
			return true
		}
	}
	return false
}

func TestGanttOfAWorkflow(t *testing.T) {
	svg := report.NewGantt([]loadgen.Call{
		{ID: "f", Kind: loadgen.FunctionCall, Name: "plan", Start: 100, FirstToken: -1, End: 110},
		{ID: "a", Kind: loadgen.LLMCall, Name: "m<1>", Start: 101, FirstToken: 103, End: 105},
		{ID: "s", Parent: "a", Kind: loadgen.SpanCall, Name: "connect", Start: 101, FirstToken: -1, End: 102},
		{ID: "t", Kind: loadgen.ToolCallKind, Name: "search", Start: 106, FirstToken: -1, End: 107},
		{ID: "b", Kind: loadgen.LLMCall, Name: "m<1>", Start: 107, FirstToken: -1, End: 108, Failed: true},
		{ID: "x", Parent: "elsewhere", Kind: loadgen.SpanCall, Name: "decode", Start: 108, FirstToken: -1, End: 109},
	}, report.GanttOptions{}).SVG()
	_, texts := elements(t, svg)
	for _, want := range []string{
		"Gantt Chart of Nested Calls (All Examples)", "Time (s)",
		"FUNCTION:plan", "LLM:m<1>", "TOOL:search", "SPAN:decode",
		"LLM: connect", "LLM: prefill", "LLM: decode", "TOOL", "FUNCTION", "other", "failed",
		"LLM:m<1> from 1.000 to 5.000 s, 4.000 s, first token after 2.000 s",
		"in flight", "10",
	} {
		if !contains(texts, want) {
			t.Errorf("no text %q in %q", want, texts)
		}
	}
	for what, fill := range map[string]string{
		"LLM": "#1f77b4", "TOOL": "#2ca02c", "FUNCTION": "#ff7f0e", "other": "#7f7f7f", "failed": "#d62728",
	} {
		if !bytes.Contains(svg, []byte(fill)) {
			t.Errorf("%s is not drawn in %s", what, fill)
		}
	}
}

// users makes the calls of a closed loop, one call after another per user.
func closedLoop(users, calls int) []loadgen.Call {
	rng := rand.New(rand.NewPCG(1, 1))
	free := make([]float64, users)
	var out []loadgen.Call
	for i := range calls {
		at := free[i%users]
		took := 0.5 + rng.Float64()
		out = append(out, loadgen.Call{ID: fmt.Sprint(i), Name: "m", Start: at, FirstToken: at + 0.1, End: at + took})
		free[i%users] = at + took
	}
	return out
}

func TestGanttOfALoadRun(t *testing.T) {
	slow := closedLoop(100, 3000)
	slow[1500].End = slow[1500].Start + 77
	slow[1501].Name = "late"
	for _, tt := range []struct {
		name  string
		calls []loadgen.Call
		note  string
	}{
		{"users that fit into the rows", closedLoop(16, 2000), "2,000 calls in 16 lanes, none overlapping in a lane; framed: the 5 longest"},
		{"more users than rows", slow, "of 3,000 calls in 60 lanes; the longest and the slowest to a first token are among them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			svg := report.NewGantt(tt.calls, report.GanttOptions{}).SVG()
			_, texts := elements(t, svg)
			if !contains(texts, tt.note) {
				t.Errorf("no note %q in %q", tt.note, texts[len(texts)-3:])
			}
			if n := bytes.Count(svg, []byte(`stroke="#ffc107"`)); n != 5 {
				t.Errorf("%d calls are framed, want the 5 longest", n)
			}
		})
	}
}

func TestGanttAtTenThousandCalls(t *testing.T) {
	calls := closedLoop(48, 10_000)
	if svg := report.NewGantt(calls, report.GanttOptions{}).SVG(); len(svg) > 4<<20 {
		t.Errorf("the picture has %d bytes: too heavy to open", len(svg))
	}
	data, err := report.NewGantt(calls, report.GanttOptions{Width: 500}).PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != 1000 {
		t.Errorf("the picture is %d pixels wide, want 2 for each of 500", w)
	}
	// In the middle of the run all lanes are busy: their blue covers more
	// than a third of the middle column's lower half.
	blue := 0
	for y := img.Bounds().Dy() / 2; y < img.Bounds().Dy(); y++ {
		if r, _, b, _ := img.At(500, y).RGBA(); b > r+0x2000 {
			blue++
		}
	}
	if blue*6 < img.Bounds().Dy() {
		t.Errorf("%d of %d pixels are blue", blue, img.Bounds().Dy()/2)
	}
}

// Whatever the calls, a picture comes out that XML readers accept.
func TestGanttOfAnyCalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, 1e308, 5}
	number := func() float64 {
		if rng.IntN(2) == 0 {
			return odd[rng.IntN(len(odd))]
		}
		return rng.Float64() * 1000
	}
	for range 40 {
		calls := make([]loadgen.Call, rng.IntN(200))
		for i := range calls {
			calls[i] = loadgen.Call{
				ID: fmt.Sprint(rng.IntN(50)), Parent: fmt.Sprint(rng.IntN(50)), Kind: loadgen.CallKind(rng.IntN(4)),
				Name:  []string{"connect", "m", "\x00<&\xff", strings.Repeat("長", 99)}[rng.IntN(4)],
				Start: number(), FirstToken: number(), End: number(),
			}
		}
		svg := report.NewGantt(calls, report.GanttOptions{Rows: 1 + rng.IntN(100)}).SVG()
		elements(t, svg)
		if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
			t.Fatalf("a place that is no number for %+v", calls)
		}
	}
}

func BenchmarkGanttSVG10k(b *testing.B) {
	calls := closedLoop(48, 10_000)
	for b.Loop() {
		report.NewGantt(calls, report.GanttOptions{}).SVG()
	}
}

func BenchmarkGanttPNG10k(b *testing.B) {
	calls := closedLoop(48, 10_000)
	for b.Loop() {
		if _, err := report.NewGantt(calls, report.GanttOptions{}).PNG(); err != nil {
			b.Fatal(err)
		}
	}
}
