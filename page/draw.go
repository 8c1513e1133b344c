package page

import (
	"bytes"
	"fmt"
	"image/color"

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
func (c *Chart) SVG() ([]byte, error) {
	return drawn(func() ([]byte, error) {
		p := c.filePlot()
		canvas := vgsvg.New(fileWidth, fileHeight)
		p.Draw(margin(canvas))
		var b bytes.Buffer
		_, err := canvas.WriteTo(&b)
		return b.Bytes(), err
	})
}

// margin keeps texts off the edge of a file.
func margin(canvas vg.CanvasSizer) draw.Canvas {
	const width = 8
	return draw.Crop(draw.New(canvas), width, -2*width, width, -width)
}

// PNG draws the same picture in 1600 × 800 pixels.
func (c *Chart) PNG() ([]byte, error) {
	return drawn(func() ([]byte, error) {
		const dotsPerInch = 144 // two to a point
		canvas := &raster{Canvas: vgimg.NewWith(vgimg.UseWH(fileWidth, fileHeight), vgimg.UseDPI(dotsPerInch))}
		c.filePlot().Draw(margin(canvas))
		var b bytes.Buffer
		_, err := vgimg.PngCanvas{Canvas: canvas.Canvas}.WriteTo(&b)
		return b.Bytes(), err
	})
}

// filePlot is the chart with what the page writes beside it: title, legend and a
// white ground.
func (c *Chart) filePlot() *plot.Plot {
	p := c.plot(true)
	p.BackgroundColor = color.White
	p.Legend.Top, p.Legend.Padding = true, 3
	plain(&p.Legend.TextStyle.Font, 10.5)
	p.Legend.TextStyle.Color = inkColor
	for _, k := range c.keys() {
		p.Legend.Add(label(k.Name), swatch{palette[k.Color%len(palette)]})
	}
	return p
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

// keys are the named series and levels, each once.
func (c *Chart) keys() []key {
	var keys []key
	seen := map[key]bool{}
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
