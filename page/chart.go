package page

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Chart is a picture of numbers before it is drawn: to be read on a page, or
// as a file.
type Chart struct {
	// Name is that of its file, and unique within a run or a batch.
	Name string
	// Title says what is shown, Says what is to be seen in it: it is read out to
	// those who do not see the picture.
	Title, Says    string
	XLabel, YLabel string
	LogX, LogY     bool
	// FromZero begins the vertical axis at 0.
	FromZero bool
	Series   []Series
	Heat     *Heat
	// Levels are horizontal lines that something is to be held against.
	Levels []Level
}

// A Series is what a chart shows in one colour.
type Series struct {
	Name string
	Kind Kind
	// Points with a coordinate that is no number interrupt a line.
	Points plotter.XYs
	// Errors are how far below and above each point its interval reaches; nil
	// for none.
	Errors []Error
	Labels []string // beside the points; nil for none
	// Weak are the points that rest on runs that are DEGRADED or were cut short,
	// which have a ring; nil for none.
	Weak   []bool
	Color  int // of the palette
	Dashed bool
}

// An Error is how far an interval reaches below and above its point.
type Error struct{ Low, High float64 }

// A Kind is how a series is drawn.
type Kind int

const (
	Line   Kind = iota // through the points
	Marked             // with a mark at each point
	Dots               // marks alone
	Steps              // level from each point to the next
	Bars               // from the axis to each point, as wide as points are apart
	Crosses
)

// A Level is a horizontal line, or an upright one.
type Level struct {
	At      float64
	Name    string
	Upright bool
	Color   int
}

// The palette is Okabe's and Ito's, which people who see few colours can tell
// apart, but for the yellow, which is too light for lines on white. The last two
// mean that something is INVALID or weak, and nothing else.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff},
	{0xd5, 0x5e, 0x00, 0xff},
	{0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff},
	{0x56, 0xb4, 0xe9, 0xff},
	{0xe6, 0x9f, 0x00, 0xff},
	{0x66, 0x66, 0x66, 0xff},
	{0x99, 0x33, 0x99, 0xff},
	{0xc0, 0x1c, 0x28, 0xff},
	{0x8a, 0x5a, 0x00, 0xff},
}

const (
	ordinary = 8 // colours for series
	warning  = 8 // that of what is not to be relied on
	caution  = 9 // that of what is to be read with care
)

var (
	inkColor  = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	axisColor = color.NRGBA{0x88, 0x88, 0x88, 0xff}
	gridColor = color.NRGBA{0xe3, 0xe3, 0xe3, 0xff}
)

// empty reports whether there is nothing to be drawn.
func (c *Chart) empty() bool {
	if c.Heat != nil {
		return false
	}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if c.drawable(p) {
				return false
			}
		}
	}
	return true
}

// drawable reports whether a point has a place on the axes.
func (c *Chart) drawable(p plotter.XY) bool {
	return finite(p.X) && finite(p.Y) && (!c.LogX || p.X > 0) && (!c.LogY || p.Y > 0)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// plot arranges the chart for gonum/plot.
func (c *Chart) plot(title bool) *plot.Plot {
	p := plot.New()
	if title {
		p.Title.Text = label(c.Title)
		p.Title.Padding = 8
	}
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = label(c.XLabel), label(c.YLabel)
	plain(&p.Title.TextStyle.Font, 13)
	p.Title.TextStyle.Color = inkColor
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		plain(&a.Label.TextStyle.Font, 11)
		plain(&a.Tick.Label.Font, 10.5)
		a.Label.TextStyle.Color, a.Tick.Label.Color = inkColor, inkColor
		a.LineStyle.Color, a.Tick.LineStyle.Color = axisColor, axisColor
		a.Tick.Length = 4
		a.Padding = 0
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{7}, ticks{6}
	if c.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if c.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if c.Heat != nil {
		c.Heat.add(p)
		return p
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color, grid.Horizontal.Width = gridColor, 1
	p.Add(grid)
	for i := range c.Series {
		c.add(p, &c.Series[i])
	}
	for _, l := range c.Levels {
		c.addLevel(p, l)
	}
	c.frame(p)
	return p
}

// frame gives the axes room: from zero where the chart asks for it, and never
// an axis without a length.
func (c *Chart) frame(p *plot.Plot) {
	if c.FromZero && !c.LogY {
		p.Y.Min = min(p.Y.Min, 0)
	}
	for _, axis := range []struct {
		a   *plot.Axis
		log bool
	}{{&p.X, c.LogX}, {&p.Y, c.LogY}} {
		a := axis.a
		switch {
		case !finite(a.Min) || !finite(a.Max):
			a.Min, a.Max = 0, 1
			if axis.log {
				a.Min = 0.1
			}
		case axis.log:
			a.Min, a.Max = a.Min/1.15, a.Max*1.15
		case a.Min == a.Max:
			a.Min, a.Max = a.Min-max(math.Abs(a.Min)*0.1, 0.5), a.Max+max(math.Abs(a.Max)*0.1, 0.5)
			if c.FromZero && a == &p.Y {
				a.Min = min(0, a.Max)
			}
		}
	}
	if !c.LogY && p.Y.Max > 0 {
		p.Y.Max *= 1.04
		if c.labelled() {
			p.Y.Max *= 1.05
		}
	}
	if c.labelled() && !c.LogX { // the text beside the last point is not to be cut
		p.X.Max += 0.05 * (p.X.Max - p.X.Min)
	}
}

// labelled reports whether there are texts beside points.
func (c *Chart) labelled() bool {
	return slices.ContainsFunc(c.Series, func(s Series) bool { return s.Labels != nil })
}

func plain(f *font.Font, size vg.Length) { f.Variant, f.Size = "Sans", size }

// add draws a series in pieces, each without a gap.
func (c *Chart) add(p *plot.Plot, s *Series) {
	shade := palette[s.Color%len(palette)]
	style := draw.LineStyle{Color: shade, Width: 1.6}
	if s.Dashed {
		style.Dashes = []vg.Length{5, 3}
	}
	for from := 0; from < len(s.Points); {
		to := from
		for to < len(s.Points) && c.drawable(s.Points[to]) {
			to++
		}
		if piece := s.Points[from:to]; len(piece) > 0 {
			c.piece(p, s, piece, style)
		}
		from = to + 1
	}
	c.addErrors(p, s, shade)
	c.addRings(p, s)
	c.addLabels(p, s)
}

func (c *Chart) piece(p *plot.Plot, s *Series, piece plotter.XYs, style draw.LineStyle) {
	mark := draw.GlyphStyle{Color: style.Color, Radius: 2.6, Shape: draw.CircleGlyph{}}
	switch s.Kind {
	case Bars:
		p.Add(bars{piece, style.Color})
		return
	case Dots:
		mark.Radius = 1.7
	case Crosses:
		mark.Shape, mark.Radius = draw.CrossGlyph{}, 4
	}
	if s.Kind != Dots && s.Kind != Crosses {
		line := &plotter.Line{XYs: piece, LineStyle: style}
		if s.Kind == Steps {
			line.StepStyle = plotter.PostStep
		}
		p.Add(line)
	}
	if s.Kind == Marked || s.Kind == Dots || s.Kind == Crosses || len(piece) == 1 {
		p.Add(&plotter.Scatter{XYs: piece, GlyphStyle: mark})
	}
}

func (c *Chart) addErrors(p *plot.Plot, s *Series, shade color.Color) {
	if s.Errors == nil {
		return
	}
	bars := &plotter.YErrorBars{LineStyle: draw.LineStyle{Color: shade, Width: 1}, CapWidth: 6}
	for i, pt := range s.Points {
		e := s.Errors[i]
		if !c.drawable(pt) || e.Low == 0 && e.High == 0 || c.LogY && pt.Y-e.Low <= 0 {
			continue
		}
		bars.XYs = append(bars.XYs, pt)
		bars.YErrors = append(bars.YErrors, e)
	}
	if len(bars.XYs) > 0 {
		p.Add(bars)
	}
}

// addRings marks the points of a series that are weak.
func (c *Chart) addRings(p *plot.Plot, s *Series) {
	var weak plotter.XYs
	for i, pt := range s.Points {
		if i < len(s.Weak) && s.Weak[i] && c.drawable(pt) {
			weak = append(weak, pt)
		}
	}
	if len(weak) > 0 {
		p.Add(&plotter.Scatter{XYs: weak, GlyphStyle: draw.GlyphStyle{Color: palette[caution], Radius: 5, Shape: ring{}}})
	}
}

// A ring is as wide as a line: the library's own is a hair.
type ring struct{}

// DrawGlyph draws the ring.
func (ring) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: 1.4})
	var p vg.Path
	p.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	p.Arc(at, style.Radius, 0, 2*math.Pi)
	p.Close()
	c.Stroke(p)
}

func (c *Chart) addLabels(p *plot.Plot, s *Series) {
	if s.Labels == nil {
		return
	}
	texts := &plotter.Labels{Offset: vg.Point{X: 4, Y: 4}}
	for i, pt := range s.Points {
		if c.drawable(pt) && s.Labels[i] != "" {
			style := p.X.Tick.Label
			style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
			plain(&style.Font, 9.5)
			texts.XYs = append(texts.XYs, pt)
			texts.Labels = append(texts.Labels, label(s.Labels[i]))
			texts.TextStyle = append(texts.TextStyle, style)
		}
	}
	if len(texts.XYs) > 0 {
		p.Add(texts)
	}
}

// addLevel draws a line across the chart, where it lies within.
func (c *Chart) addLevel(p *plot.Plot, l Level) {
	shade := palette[l.Color%len(palette)]
	style := draw.LineStyle{Color: shade, Width: 1.1, Dashes: []vg.Length{2, 3}}
	if l.Upright {
		if c.drawable(plotter.XY{X: l.At, Y: 1}) {
			p.X.Min, p.X.Max = min(p.X.Min, l.At), max(p.X.Max, l.At)
			p.Add(level{l, style})
		}
		return
	}
	if c.drawable(plotter.XY{X: 1, Y: l.At}) {
		p.Y.Min, p.Y.Max = min(p.Y.Min, l.At), max(p.Y.Max, l.At)
		p.Add(level{l, style})
	}
}

// A level is a line from edge to edge.
type level struct {
	Level
	style draw.LineStyle
}

// Plot draws the line.
func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if l.Upright {
		c.StrokeLine2(l.style, x(l.At), c.Min.Y, x(l.At), c.Max.Y)
		return
	}
	c.StrokeLine2(l.style, c.Min.X, y(l.At), c.Max.X, y(l.At))
}

// bars are drawn as one outline, from the axis up: a library's histogram would
// make a path for each.
type bars struct {
	plotter.XYs
	fill color.Color
}

// Plot draws the outline.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	base := y(max(0, p.Y.Min))
	outline := []vg.Point{{X: x(b.XYs[0].X), Y: base}}
	for i, at := range b.XYs {
		right := at.X + b.width()
		if i+1 < len(b.XYs) {
			right = b.XYs[i+1].X
		}
		outline = append(outline, vg.Point{X: x(at.X), Y: y(at.Y)}, vg.Point{X: x(right), Y: y(at.Y)})
	}
	outline = append(outline, vg.Point{X: outline[len(outline)-1].X, Y: base})
	c.FillPolygon(b.fill, outline)
}

// width is that of the last bar: the distance of the points before it.
func (b bars) width() float64 {
	if n := len(b.XYs); n > 1 {
		return b.XYs[n-1].X - b.XYs[n-2].X
	}
	return 1
}

// DataRange is that of all bars.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = plotter.XYRange(b.XYs)
	return xmin, xmax + b.width(), min(ymin, 0), ymax
}
