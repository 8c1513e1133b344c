package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"loadgen"
)

func (g *Gantt) rowHeight() float64 {
	return max(11, min(24, 660/float64(max(1, len(g.lanes)))))
}

func (g *Gantt) left() float64 {
	if !g.byRow {
		return 64
	}
	longest := 0
	for i := range g.calls {
		longest = max(longest, len(shorten(g.calls[i].label)))
	}
	return 24 + 6.6*float64(longest)
}

func (g *Gantt) height() int {
	return int(ganttTop + ganttFlight + float64(max(1, len(g.lanes)))*g.rowHeight() + ganttBottom)
}

// draw paints the picture.
func (g *Gantt) draw(c canvas) {
	width, height := float64(g.o.Width), float64(g.height())
	left, right := g.left(), width-ganttRight
	x := func(seconds float64) float64 { return left + seconds/g.span*(right-left) }
	lanes := ganttTop + ganttFlight
	bottom := height - ganttBottom

	c.box(0, 0, width, height, 0xffffff, "")
	c.text(width/2, 30, 18, 0, black, g.o.Title)
	g.drawLegend(c, left)
	step := niceStep(g.span, 10)
	for k := 0; float64(k)*step <= g.span*(1+1e-9); k++ {
		at := x(float64(k) * step)
		c.box(at, ganttTop, 1, bottom-ganttTop, gridGray, "")
		c.text(at, bottom+18, 12, 0, textGray, strconv.FormatFloat(float64(k)*step, 'g', 6, 64))
	}
	c.box(left, bottom, right-left, 1, textGray, "")
	c.text((left+right)/2, bottom+38, 13, 0, black, "Time (s)")
	g.drawFlight(c, x, left)
	if len(g.calls) == 0 {
		c.text((left+right)/2, lanes+24, 14, 0, textGray, "no calls")
		return
	}

	h := g.rowHeight()
	for l, lane := range g.lanes {
		y := lanes + float64(l)*h
		switch {
		case g.byRow:
			c.text(left-8, y+h/2+4, 11, 1, black, shorten(g.calls[lane[0]].label))
		case l == 0 || (l+1)%10 == 0:
			c.text(left-8, y+h/2+4, 11, 1, textGray, strconv.Itoa(l+1))
		}
		for _, i := range g.distinct(lane, x) {
			g.drawCall(c, i, x, y+0.2*h, 0.6*h)
		}
	}
	for l, lane := range g.lanes {
		for _, i := range lane {
			if call := &g.calls[i]; !g.byRow && slices.Contains(g.longest, i) {
				c.frame(x(call.start), lanes+(float64(l)+0.2)*h, max(1, x(call.end)-x(call.start)), 0.6*h, 2, framedGold)
			}
		}
	}
	if note := g.note(); note != "" {
		c.text(right, bottom+56, 11, 1, textGray, note)
	}
}

// distinct returns the calls of a lane that can be seen: of those that would
// end within the same pixel as the one before, none but the failed.
func (g *Gantt) distinct(lane []int, x func(float64) float64) []int {
	if g.byRow {
		return lane
	}
	var seen []int
	pixel := math.Inf(-1)
	for _, i := range lane {
		end := math.Floor(x(g.calls[i].end))
		if end > pixel || g.calls[i].failed {
			seen = append(seen, i)
		}
		pixel = max(pixel, end)
	}
	return seen
}

// drawCall paints one bar with its phases; a bar narrower than three pixels has
// one colour, for its phases would be lost.
func (g *Gantt) drawCall(c canvas, i int, x func(float64) float64, y, h float64) {
	call := &g.calls[i]
	from, to := x(call.start), x(call.end)
	if to-from < 1 {
		to = from + 1
	}
	tip := ""
	if len(g.calls) <= 2000 { // more would make the file too heavy to open
		tip = call.tip()
	}
	fill := call.fill()
	switch {
	case to-from < 3 || call.kind != loadgen.LLMCall || call.failed:
		c.box(from, y, to-from, h, fill, tip)
	default:
		written, first := x(call.written), x(call.first)
		c.box(from, y, written-from, h, connectBlue, tip)
		c.box(written, y, first-written, h, prefillBlue, tip)
		c.box(first, y, to-first, h, fill, tip)
	}
	if g.byRow {
		c.frame(from, y, to-from, h, 0.7, black)
	}
}

func (b *ganttCall) fill() color {
	if b.failed {
		return failedRed
	}
	switch b.kind {
	case loadgen.LLMCall:
		return decodeBlue
	case loadgen.ToolCallKind:
		return toolGreen
	case loadgen.FunctionCall:
		return functionOrange
	}
	return otherGray
}

func (b *ganttCall) tip() string {
	s := fmt.Sprintf("%s from %.3f to %.3f s, %.3f s", b.label, b.start, b.end, b.end-b.start)
	if b.hasFirst {
		s += fmt.Sprintf(", first token after %.3f s", b.first-b.start)
	}
	if b.failed {
		s += ", failed"
	}
	return s
}

// note says what the picture does not show.
func (g *Gantt) note() string {
	switch {
	case g.byRow:
		return ""
	case g.shown < len(g.calls):
		return fmt.Sprintf("%s of %s in %d lanes; the longest and the slowest to a first token are among them; framed: the %d longest",
			decimal(float64(g.shown), 0), Count(len(g.calls), "call"), len(g.lanes), len(g.longest))
	}
	return fmt.Sprintf("%s in %d lanes, none overlapping in a lane; framed: the %d longest", Count(len(g.calls), "call"), len(g.lanes), len(g.longest))
}

// drawLegend names the colours that the picture has.
func (g *Gantt) drawLegend(c canvas, x float64) {
	has := map[color]bool{}
	for i := range g.calls {
		b := &g.calls[i]
		has[b.fill()] = true
		if b.kind == loadgen.LLMCall && !b.failed {
			has[connectBlue] = has[connectBlue] || b.written > b.start
			has[prefillBlue] = has[prefillBlue] || b.first > b.written
		}
	}
	decode := "LLM"
	if has[prefillBlue] {
		decode = "LLM: decode"
	}
	for _, entry := range []struct {
		fill color
		text string
	}{
		{connectBlue, "LLM: connect"},
		{prefillBlue, "LLM: prefill"},
		{decodeBlue, decode},
		{toolGreen, "TOOL"},
		{functionOrange, "FUNCTION"},
		{otherGray, "other"},
		{failedRed, "failed"},
	} {
		if has[entry.fill] {
			c.box(x, 48, 12, 12, entry.fill, "")
			c.text(x+17, 58, 12, -1, black, entry.text)
			x += 40 + 7*float64(len(entry.text))
		}
	}
}

// drawFlight paints how many calls were in flight, a column per pixel with the
// most in it, so that no short spike is lost.
func (g *Gantt) drawFlight(c canvas, x func(float64) float64, left float64) {
	type step struct {
		at float64
		by int
	}
	var steps []step
	for i := range g.calls {
		steps = append(steps, step{g.calls[i].start, 1}, step{g.calls[i].end, -1})
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) // ends first
	})
	columns := make([]int, g.o.Width+2)
	level, peak, from := 0, 0, 0
	for _, s := range steps {
		to := min(int(x(s.at)), len(columns)-1)
		for k := from; k <= to; k++ {
			columns[k] = max(columns[k], level)
		}
		level += s.by
		peak, from = max(peak, level), to
		columns[to] = max(columns[to], level)
	}
	base, h := ganttTop+ganttFlight-16, ganttFlight-28
	for k := 0; k < len(columns); {
		n := 1
		for k+n < len(columns) && columns[k+n] == columns[k] {
			n++
		}
		if columns[k] > 0 {
			y := h * float64(columns[k]) / float64(peak)
			c.box(float64(k), base-y, float64(n), y, flightGray, "")
		}
		k += n
	}
	c.box(left, base, float64(g.o.Width)-ganttRight-left, 1, textGray, "")
	c.text(left-8, base-h+8, 11, 1, textGray, strconv.Itoa(peak))
	c.text(left-8, base+2, 11, 1, textGray, "0")
	c.text(left+6, base-h-2, 11, -1, textGray, "in flight")
}

// niceStep returns a step of 1, 2 or 5 times a power of ten that cuts a span
// into at most n pieces.
func niceStep(span float64, n int) float64 {
	power := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5} {
		if span <= m*power*float64(n) {
			return m * power
		}
	}
	return 10 * power
}

// shorten cuts a label to a length that leaves room for the bars.
func shorten(label string) string {
	if r := []rune(label); len(r) > 32 {
		return string(r[:31]) + "…"
	}
	return label
}
