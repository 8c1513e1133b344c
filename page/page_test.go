package page_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"loadgen/metrics"
	"loadgen/page"
)

// html returns the page of some directories, which must be sound: nothing in it
// asks for another file, and every picture is well-formed.
func html(t *testing.T, dirs ...string) string {
	t.Helper()
	text, err := page.HTML(dirs)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, string(text))
	return string(text)
}

func sound(t *testing.T, text string) {
	t.Helper()
	if found := regexp.MustCompile(`(?i)\s(?:src|href|xlink:href|action|data)\s*=\s*"(?:[a-z]+:)?//[^"]*"|@import|url\((?:"|')?http`).FindString(text); found != "" {
		t.Errorf("the page asks for something else: %s", found)
	}
	if len(text) > 1_500_000 {
		t.Errorf("%d bytes are more than a page may have", len(text))
	}
	pictures := regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(text, -1)
	for _, picture := range pictures {
		d := xml.NewDecoder(strings.NewReader(picture))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a picture is no XML: %v\n%.300s", err, picture)
			}
			if e, ok := token.(xml.StartElement); ok && !regexp.MustCompile(`^(svg|g|path|text|rect|title)$`).MatchString(e.Name.Local) {
				t.Errorf("a picture has an element %q", e.Name.Local)
			}
		}
	}
}

func TestTheBestRunIsTheFirstSentence(t *testing.T) {
	dir := batch(t, made{values: value("concurrency", 1)}, made{values: value("concurrency", 4), scale: 3})
	text := html(t, dir)
	for _, want := range []string{
		"The most output token throughput of the runs to be relied on has concurrency=",
		"Of 2 runs:", "Across the sweep", "Time to first token against throughput", "Run by run", "Time to first token, histogram",
		"Requests in flight", "How it was measured",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestAnInvalidRunIsDrawnAsSuch(t *testing.T) {
	dir := batch(t, made{values: value("concurrency", 1)}, made{values: value("concurrency", 4), verdict: metrics.Invalid}, made{values: value("concurrency", 8)})
	text := html(t, dir)
	if !strings.Contains(text, "INVALID: not to be relied on") || !strings.Contains(text, `class="sc8"`) {
		t.Error("no mark of its own for the INVALID run")
	}
	if strings.Contains(text, "has concurrency=4") {
		t.Error("an INVALID run is the best")
	}
}

// Points of weak runs have a ring each, the field of a map a star, and words.
func TestADegradedRunIsMarkedWhereverItIsDrawn(t *testing.T) {
	var runs []made
	for _, users := range []int{1, 4} {
		for _, tokens := range []int{10, 20} {
			m := made{values: append(value("concurrency", users), value("prompt_output_tokens_mean", tokens)...), verdict: metrics.Valid}
			if users == 4 && tokens == 20 {
				m.verdict = metrics.Degraded
			}
			runs = append(runs, m)
		}
	}
	text := html(t, batch(t, runs...))
	for _, tc := range []struct {
		where string
		rings int
	}{
		{"b1-ttft_vs_throughput", 1},
		{"b1-output_token_throughput_over_concurrency", 1},
		{"b1-pareto_curve_throughput_vs_latency", 1},
	} {
		picture := figure(text, tc.where)
		if n := strings.Count(picture, `class="sc9"`); n != tc.rings {
			t.Errorf("%s: %d rings, want %d", tc.where, n, tc.rings)
		}
		if !strings.Contains(picture, "DEGRADED or cut short") {
			t.Errorf("%s: no words for the ring", tc.where)
		}
	}
	if n := strings.Count(figure(text, "b1-output_token_throughput_map"), " *</text>"); n != 1 {
		t.Errorf("%d stars on the map", n)
	}
	if text := html(t, batch(t, runs[:2]...)); strings.Contains(text, `class="sc9"`) || strings.Contains(text, "DEGRADED or cut short: with care") {
		t.Error("a ring round a VALID run")
	}
}

// figure is the part of a page that holds a chart.
func figure(text, id string) string {
	_, text, _ = strings.Cut(text, `<figure id="`+id+`"`)
	text, _, _ = strings.Cut(text, "</figure>")
	return text
}

// Of four repeats on the page tells how far latency and throughput are known.
func TestRepeatsHaveARegion(t *testing.T) {
	var runs []made
	for i := range 4 {
		runs = append(runs, made{values: value("concurrency", 1), repeat: i + 1, scale: 1 + 0.1*float64(i), verdict: metrics.Valid})
	}
	if text := html(t, batch(t, runs...)); !strings.Contains(figure(text, "b1-latency_throughput_uncertainty"), "95 % region") {
		t.Error("no region of four repeats")
	}
	if text := html(t, batch(t, runs[:3]...)); strings.Contains(text, "latency_throughput_uncertainty") {
		t.Error("a region of three repeats")
	}
}

func TestARunThatWasBrokenOffIsReadFromItsLines(t *testing.T) {
	dir := batch(t, made{values: value("concurrency", 1)}, made{values: value("concurrency", 4), killed: true})
	text := html(t, dir)
	for _, want := range []string{"1 incomplete", "it was broken off, or is still at work"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestThePageIsWrittenIntoTheBatch(t *testing.T) {
	dir := batch(t, made{})
	if err := page.Write(dir); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(pageOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	if again := html(t, dir); again != string(written) {
		t.Error("made again it is another")
	}
}

func TestADirectoryWithoutRunsIsNoPage(t *testing.T) {
	if _, err := page.HTML([]string{t.TempDir()}); !errors.Is(err, page.ErrNothing) {
		t.Errorf("%v", err)
	}
}

// A page of a hundred cells keeps to its size, and says what is left out.
func TestAHundredCellsFitOnAPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it draws some hundred charts")
	}
	var runs []made
	for i := range 100 {
		runs = append(runs, made{values: append(value("concurrency", i%10+1), value("prompt_input_tokens_mean", 100*(i/10+1))...), seconds: 4})
	}
	text := html(t, batch(t, runs...))
	if !strings.Contains(text, "left out to keep the page small") || strings.Count(text, "<details id=") != 100 {
		t.Errorf("%d bytes", len(text))
	}
}
