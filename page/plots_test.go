package page_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/plotter"

	"loadgen/page"
)

// Most tests ask what is drawn, not how finely.
func TestMain(m *testing.M) {
	page.DrawAt(18)
	m.Run()
}

func TestPlotsHaveTheNamesOfAIPerf(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it draws some fifty pictures")
	}
	dir := batch(t, made{values: value("concurrency", 1), seconds: 4, verdict: "VALID"}, made{values: value("concurrency", 4), seconds: 4, scale: 2, verdict: "VALID"})
	into := filepath.Join(t.TempDir(), "plots")
	n, err := page.Plots(dir, into, true)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, name := range []string{
		"ttft_vs_throughput", "pareto_curve_throughput_vs_interactivity", "cell0/ttft_over_time", "cell0/itl_over_time", "cell1/latency_over_time",
		"cell1/dispersed_throughput_over_time", "cell1/ttft_timeline", "cell0/ttft_ecdf", "cell0/osl_histogram",
	} {
		for _, ext := range []string{".svg", ".png"} {
			if _, err := os.Stat(filepath.Join(into, name+ext)); err != nil {
				t.Error(err)
			}
			files++
		}
	}
	if n < files {
		t.Errorf("%d pictures", n)
	}
}

func TestWithoutRunsOnlyTheSweepIsDrawn(t *testing.T) {
	t.Parallel()
	dir := batch(t, made{values: value("concurrency", 1), verdict: "VALID"}, made{values: value("concurrency", 4), scale: 2, verdict: "VALID"})
	into := filepath.Join(t.TempDir(), "plots")
	if _, err := page.Plots(dir, into, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(into, "cell0")); !os.IsNotExist(err) {
		t.Errorf("the charts of a run: %v", err)
	}
}

// A long line is drawn in pieces, and goes on from one to the next. The picture is
// as fine as users have it.
func TestALongLineHasNoGap(t *testing.T) {
	before := page.DrawAt(144)
	defer page.DrawAt(before)
	line := page.Series{}
	for i := range 2000 {
		line.Points = append(line.Points, plotter.XY{X: float64(i), Y: 1})
	}
	data, err := (&page.Chart{Title: "level", Series: []page.Series{line}}).PNG()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 1600 || size.Y != 800 {
		t.Fatalf("%v pixels", size)
	}
	gaps := 0
	for x := 400; x < 1400; x++ {
		blue := false
		for y := range 800 {
			r, _, b, _ := picture.At(x, y).RGBA()
			blue = blue || r < 0x3000 && b > 0x9000
		}
		if !blue {
			gaps++
		}
	}
	if gaps > 0 {
		t.Errorf("%d of 1000 columns have no line", gaps)
	}
}
