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
