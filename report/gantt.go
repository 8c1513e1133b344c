package report

import (
	"cmp"
	"math"
	"slices"

	"loadgen"
)

// GanttOptions says how a Gantt chart is drawn; the zero value is AIQ's chart
// at a size that a screen shows.
type GanttOptions struct {
	Title string  // default: Gantt Chart of Nested Calls (All Examples)
	Width int     // pixels, default 1600
	Scale float64 // pixels of a PNG for each of Width, default 2
	Rows  int     // at most, default 60: more calls share rows, more still are left out
}

// NewGantt arranges the calls of a trace over time. Up to Options.Rows calls
// have a row each, in order of start, named as AIQ names them; more are packed
// into lanes in which no two overlap. Where the lanes do not suffice, the
// longest calls and those slowest to their first token are shown first and the
// number left out is stated; the curve of calls in flight above the lanes
// counts them all.
func NewGantt(calls []loadgen.Call, o GanttOptions) *Gantt {
	g := &Gantt{o: o.withDefaults(), calls: ganttCalls(calls)}
	g.arrange()
	return g
}

// SVG draws the picture as SVG.
func (g *Gantt) SVG() []byte {
	c := newSVG(g.o.Width, g.height())
	g.draw(c)
	return c.bytes()
}

// PNG draws the same picture as a PNG, Options.Scale times as fine.
func (g *Gantt) PNG() ([]byte, error) {
	c, err := newRaster(g.o.Width, g.height(), g.o.Scale)
	if err != nil {
		return nil, err
	}
	g.draw(c)
	return c.png()
}

// A canvas is what a picture is drawn on, in pixels from the top left corner.
type canvas interface {
	// box fills a rectangle; tip says what it is where a reader can ask.
	box(x, y, w, h float64, fill color, tip string)
	// frame draws a line of the width around a rectangle.
	frame(x, y, w, h, width float64, stroke color)
	// text writes a line with its baseline at y; align is -1, 0 or 1 for a
	// text that begins, is centred or ends at x.
	text(x, y, size float64, align int, fill color, s string)
}

// A color is 0xRRGGBB.
type color uint32

const (
	black          color = 0x222222
	textGray       color = 0x777777
	gridGray       color = 0xe4e4e4
	decodeBlue     color = 0x1f77b4 // matplotlib's tab: colours, as AIQ's
	connectBlue    color = 0xc6dbef
	prefillBlue    color = 0x6baed6
	toolGreen      color = 0x2ca02c
	functionOrange color = 0xff7f0e
	otherGray      color = 0x7f7f7f
	failedRed      color = 0xd62728
	framedGold     color = 0xffc107
	flightGray     color = 0xb0bec5
)

const (
	ganttTop    = 76.0 // title and legend
	ganttFlight = 84.0 // the curve of calls in flight
	ganttBottom = 64.0 // ticks, label and note
	ganttRight  = 28.0
	ganttNamed  = 5 // of the longest calls, these are framed
)

// A Gantt is a picture of calls over time that is ready to be drawn.
type Gantt struct {
	o       GanttOptions
	calls   []ganttCall // by start
	lanes   [][]int     // positions in calls, by start
	shown   int
	byRow   bool // a row per call
	longest []int
	span    float64 // seconds on the axis
}

// A ganttCall is a bar, in seconds since the first of them.
type ganttCall struct {
	label            string
	kind             loadgen.CallKind
	start, end       float64
	written, first   float64 // ends of the connect and prefill phases; start where unknown
	hasFirst, failed bool
}

func (o GanttOptions) withDefaults() GanttOptions {
	if o.Title == "" {
		o.Title = "Gantt Chart of Nested Calls (All Examples)"
	}
	if o.Width <= 0 {
		o.Width = 1600
	}
	if o.Scale <= 0 {
		o.Scale = 2
	}
	if o.Rows <= 0 {
		o.Rows = 60
	}
	return o
}

// arrange gives every call its lane, or none.
func (g *Gantt) arrange() {
	for _, c := range g.calls {
		g.span = max(g.span, c.end)
	}
	if g.span == 0 {
		g.span = 1
	}
	g.longest = g.most(ganttNamed, func(c *ganttCall) float64 { return c.end - c.start })
	if g.byRow = len(g.calls) <= g.o.Rows; g.byRow {
		for i := range g.calls {
			g.lanes = append(g.lanes, []int{i})
		}
		g.shown = len(g.calls)
		return
	}
	g.lanes, g.shown = g.pack(nil)
	if g.shown < len(g.calls) {
		slowest := g.most(2*g.o.Rows, func(c *ganttCall) float64 { return c.first - c.start })
		g.lanes, g.shown = g.pack(append(g.most(2*g.o.Rows, func(c *ganttCall) float64 { return c.end - c.start }), slowest...))
	}
}

// ganttCalls returns the bars of the calls by start. The phases of a call are
// no bars of their own but shades of its bar; a call without times is left
// out.
func ganttCalls(calls []loadgen.Call) []ganttCall {
	known := make(map[string]bool, len(calls))
	written := map[string]float64{}
	epoch := math.Inf(1)
	timed := func(c *loadgen.Call) bool {
		return c.Start >= 0 && c.Start < 1e15 && c.End < 1e15 && !math.IsNaN(c.End)
	}
	for i := range calls {
		c := &calls[i]
		if !timed(c) {
			continue
		}
		epoch = min(epoch, c.Start)
		if c.Kind != loadgen.SpanCall {
			known[c.ID] = true
		} else if c.Name == "connect" {
			written[c.Parent] = c.End
		}
	}
	var out []ganttCall
	for i := range calls {
		c := &calls[i]
		if !timed(c) || c.Kind == loadgen.SpanCall && known[c.Parent] {
			continue
		}
		b := ganttCall{label: c.Kind.String() + ":" + c.Name, kind: c.Kind, failed: c.Failed}
		b.start, b.end = c.Start-epoch, max(c.Start, c.End)-epoch
		b.written, b.first = b.start, b.start
		if c.Wrote >= c.Start {
			b.written = min(c.Wrote-epoch, b.end)
			b.first = b.written
		}
		if c.FirstToken >= c.Start && c.FirstToken <= c.End {
			b.first, b.hasFirst = max(b.written, c.FirstToken-epoch), true
		}
		if w, ok := written[c.ID]; ok && c.ID != "" {
			b.written = min(max(b.start, w-epoch), b.end)
			b.first = max(b.first, b.written)
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b ganttCall) int { return cmp.Compare(a.start, b.start) })
	return out
}

// most returns the positions of the n calls with the largest measure.
func (g *Gantt) most(n int, measure func(*ganttCall) float64) []int {
	order := make([]int, len(g.calls))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(measure(&g.calls[b]), measure(&g.calls[a]))
	})
	return order[:min(n, len(order))]
}

// pack puts each call into the first lane that is free over its time: first
// the wanted ones, then all others by start. It returns the lanes and how many
// calls found a place.
func (g *Gantt) pack(wanted []int) (lanes [][]int, shown int) {
	placed := make([]bool, len(g.calls))
	place := func(i int) {
		c := &g.calls[i]
		for l := range lanes {
			at, _ := slices.BinarySearchFunc(lanes[l], c.start, func(k int, start float64) int {
				return cmp.Compare(g.calls[k].start, start)
			})
			if at > 0 && g.calls[lanes[l][at-1]].end > c.start || at < len(lanes[l]) && g.calls[lanes[l][at]].start < c.end {
				continue
			}
			lanes[l] = slices.Insert(lanes[l], at, i)
			placed[i], shown = true, shown+1
			return
		}
		if len(lanes) < g.o.Rows {
			lanes = append(lanes, []int{i})
			placed[i], shown = true, shown+1
		}
	}
	for _, i := range wanted {
		if !placed[i] {
			place(i)
		}
	}
	for i := range g.calls {
		if !placed[i] {
			place(i)
		}
	}
	return lanes, shown
}
