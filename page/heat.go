package page

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// A Heat is a figure for each combination of two swept keys: the darker, the
// larger. A combination without a figure to rely on is empty.
type Heat struct {
	X, Y []string    // the values of the keys, in their order
	Z    [][]float64 // by y, then x; NaN for none
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
