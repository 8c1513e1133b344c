package page

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"loadgen/metrics"
)

// A Heat is a figure for each combination of two swept keys: the darker, the
// larger. A combination without a figure to rely on is empty.
type Heat struct {
	X, Y []string    // the values of the keys, in their order
	Z    [][]float64 // by y, then x; NaN for none
	Weak [][]bool    // likewise; they have a star
}

// heatShades are so many colours from light to dark.
const heatShades = 24

// shade returns the colour of a share between 0 and 1.
func shade(share float64) color.NRGBA {
	k := math.Round(share*(heatShades-1)) / (heatShades - 1)
	mix := func(light, dark float64) uint8 { return uint8(math.Round(light + (dark-light)*k)) }
	return color.NRGBA{mix(0xe8, 0x00), mix(0xf1, 0x45), mix(0xf8, 0x7a), 0xff}
}

// darkColor is that of a text on a light field, by day and by night.
var darkColor = color.NRGBA{0x11, 0x11, 0x11, 0xff}

type shades struct{}

// Colors returns them from light to dark.
func (shades) Colors() []color.Color {
	out := make([]color.Color, heatShades)
	for i := range out {
		out[i] = shade(float64(i) / (heatShades - 1))
	}
	return out
}

// Dims, X, Y and Z are what the library asks of a grid; a cell's middle is at
// its index.

type heatGrid struct{ *Heat }

func (h heatGrid) Dims() (c, r int)   { return len(h.Heat.X), len(h.Heat.Y) }
func (h heatGrid) X(c int) float64    { return float64(c) }
func (h heatGrid) Y(r int) float64    { return float64(r) }
func (h heatGrid) Z(c, r int) float64 { return h.Heat.Z[r][c] }

func (h *Heat) span() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, row := range h.Z {
		for _, v := range row {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high
}

// add draws the map with the figures in its fields.
func (h *Heat) add(p *plot.Plot) {
	low, high := h.span()
	if high <= low {
		high = low + 1
	}
	m := plotter.NewHeatMap(heatGrid{h}, shades{})
	m.Min, m.Max, m.NaN = low, high, nil
	p.Add(m)
	texts := &plotter.Labels{}
	for r, row := range h.Z {
		for c, v := range row {
			style := p.X.Tick.Label
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			text := "–"
			if finite(v) {
				text = short(roundedTo(v, 3))
				if h.Weak[r][c] {
					text += " *"
				}
				if style.Color = darkColor; (v-low)/(high-low) > 0.55 {
					style.Color = color.White
				}
			}
			texts.XYs = append(texts.XYs, plotter.XY{X: float64(c), Y: float64(r)})
			texts.Labels = append(texts.Labels, text)
			texts.TextStyle = append(texts.TextStyle, style)
		}
	}
	p.Add(texts)
	p.X.Tick.Marker, p.Y.Tick.Marker = names(h.X), names(h.Y)
	p.X.Min, p.X.Max = -0.5, float64(len(h.X))-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(h.Y))-0.5
}

func names(texts []string) plot.ConstantTicks {
	var t plot.ConstantTicks
	for i, text := range texts {
		t = append(t, plot.Tick{Value: float64(i), Label: label(text)})
	}
	return t
}

// heatMaps draw figures over two keys, where exactly two have several values.
func (b *Batch) heatMaps(throughput metrics.Figure) []Chart {
	var keys []string
	for _, v := range b.cells[0].values {
		if len(b.valuesOf(v.Key)) > 1 {
			keys = append(keys, v.Key)
		}
	}
	if len(keys) != 2 {
		return nil
	}
	xs, ys := b.valuesOf(keys[0]), b.valuesOf(keys[1])
	const most = 24
	if len(xs) > most || len(ys) > most {
		return nil
	}
	var charts []Chart
	for _, f := range []metrics.Figure{throughput, {Tag: "time_to_first_token", Stat: "p99"}, {Tag: "request_latency", Stat: "p99"}} {
		h := &Heat{X: xs, Y: ys}
		any := false
		for _, y := range ys {
			row, stars := make([]float64, len(xs)), make([]bool, len(xs))
			for i, x := range xs {
				row[i] = math.NaN()
				for _, c := range b.cells {
					if c.has(keys[0], x) && c.has(keys[1], y) {
						if v, ok := c.figure(f); ok {
							row[i], any = v.mean, true
							stars[i] = c.weak()
						}
					}
				}
			}
			h.Z, h.Weak = append(h.Z, row), append(h.Weak, stars)
		}
		title := axisOf(f)
		if slices.ContainsFunc(h.Weak, func(row []bool) bool { return slices.Contains(row, true) }) {
			title += " (* with care)"
		}
		if any {
			charts = append(charts, Chart{
				Name: f.Tag + "_map", Title: title, XLabel: keys[0], YLabel: keys[1], Heat: h,
				Says: "The darker, the larger. A field with a dash has no run to rely on, one with a star a run that is DEGRADED or was cut short.",
			})
		}
	}
	return charts
}

// valuesOf are the values of a key as text, numbers in ascending order.
func (b *Batch) valuesOf(key string) []string {
	var texts []string
	numbers := map[string]float64{}
	for _, c := range b.cells {
		for _, v := range c.values {
			text := fmt.Sprint(v.Value)
			if v.Key == key && !slices.Contains(texts, text) {
				texts = append(texts, text)
				if n, ok := numeric(v.Value); ok {
					numbers[text] = n
				}
			}
		}
	}
	if len(numbers) == len(texts) {
		slices.SortFunc(texts, func(x, y string) int { return cmp.Compare(numbers[x], numbers[y]) })
	}
	return texts
}

func (c *cell) has(key, value string) bool {
	for _, v := range c.values {
		if v.Key == key {
			return fmt.Sprint(v.Value) == value
		}
	}
	return false
}
