package page

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"loadgen/internal/outside"
)

// The sizes of charts: on a page, in the units of its own coordinates, where
// text is to be read on a telephone; as a file, half of AIPerf's pixels.
const (
	inlineWidth, inlineHeight = 460, 260
	fileWidth, fileHeight     = 800, 400
)

// label is a text of a picture: one line, not too long for it.
func label(text string) string { return cut(outside.Line(text), 60) }

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// SVG draws the chart as a file of its own.
func (c *Chart) SVG() ([]byte, error) { return asSVG(c.paint) }

// PNG draws the same picture in 1600 × 800 pixels.
func (c *Chart) PNG() ([]byte, error) { return asPNG(c.paint) }

func (c *Chart) paint(area draw.Canvas) { stack{c}.paint(area) }

// A stack is charts one above the other, over the same axis, each with its legend
// beside it.
type stack []*Chart

func (s stack) paint(area draw.Canvas) {
	plots, legends := make([][]*plot.Plot, len(s)), make([]plot.Legend, len(s))
	low, high, width := math.Inf(1), math.Inf(-1), vg.Length(0)
	for i, c := range s {
		p := c.plot(true)
		plots[i], legends[i] = []*plot.Plot{p}, c.legend()
		low, high = min(low, p.X.Min), max(high, p.X.Max)
		width = max(width, legends[i].Rectangle(area).Size().X)
	}
	for _, row := range plots {
		row[0].X.Min, row[0].X.Max = low, high
	}
	const between = 10
	if width > 0 {
		width += between
	}
	tiles := draw.Tiles{Rows: len(s), Cols: 1, PadY: between}
	for i, row := range plot.Align(plots, tiles, draw.Crop(area, 0, -width, 0, 0)) {
		plots[i][0].Draw(row[0])
		legends[i].Draw(draw.Crop(tiles.At(area, 0, i), 0, 0, 0, -2*between))
	}
}

func asSVG(paint func(draw.Canvas)) ([]byte, error) {
	return drawn(func() ([]byte, error) {
		canvas := vgsvg.New(fileWidth, fileHeight)
		paint(onWhite(canvas))
		var b bytes.Buffer
		_, err := canvas.WriteTo(&b)
		return b.Bytes(), err
	})
}

// dotsPerInch of a file of pixels are two to a point; tests draw fewer.
var dotsPerInch = 144

func asPNG(paint func(draw.Canvas)) ([]byte, error) {
	return drawn(func() ([]byte, error) {
		canvas := &raster{Canvas: vgimg.NewWith(vgimg.UseWH(fileWidth, fileHeight), vgimg.UseDPI(dotsPerInch))}
		paint(onWhite(canvas))
		var b bytes.Buffer
		_, err := vgimg.PngCanvas{Canvas: canvas.Canvas}.WriteTo(&b)
		return b.Bytes(), err
	})
}

// onWhite is a file's ground, with a margin that keeps texts off its edge.
func onWhite(canvas vg.CanvasSizer) draw.Canvas {
	const margin = 8
	area := draw.New(canvas)
	area.SetColor(color.White)
	area.Fill(area.Path())
	return draw.Crop(area, margin, -2*margin, margin, -margin)
}

// legend is what the page writes beside a chart.
func (c *Chart) legend() plot.Legend {
	l := plot.NewLegend()
	l.Top, l.Padding = true, 3
	plain(&l.TextStyle.Font, 10.5)
	l.TextStyle.Color = inkColor
	for _, k := range c.keys() {
		const longest = 36
		l.Add(cut(label(k.Name), longest), swatch{palette[k.Color%len(palette)]})
	}
	return l
}

// A swatch is the field of a legend.
type swatch struct{ fill color.Color }

// Thumbnail fills the field.
func (s swatch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.fill, []vg.Point{
		{X: c.Min.X, Y: c.Center().Y - 1.5},
		{X: c.Max.X, Y: c.Center().Y - 1.5},
		{X: c.Max.X, Y: c.Center().Y + 1.5},
		{X: c.Min.X, Y: c.Center().Y + 1.5},
	})
}

// A key names a colour of a chart.
type key struct {
	Name  string
	Color int
}

// weakName is what a ring means.
const weakName = "DEGRADED or cut short: with care"

// keys are the named series and levels, each once, and what a ring means where
// there is one.
func (c *Chart) keys() []key {
	var keys []key
	seen := map[key]bool{}
	weak := false
	add := func(k key) {
		if k.Name != "" && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	for _, s := range c.Series {
		if len(s.Points) > 0 {
			add(key{s.Name, s.Color % len(palette)})
		}
		weak = weak || slices.Contains(s.Weak, true)
	}
	if weak {
		add(key{weakName, caution})
	}
	for _, l := range c.Levels {
		add(key{l.Name, l.Color % len(palette)})
	}
	return keys
}

// drawn turns a panic of the library into an error: a picture must not cost the
// page.
func drawn(work func() ([]byte, error)) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("drawing: %v", r)
		}
	}()
	return work()
}
