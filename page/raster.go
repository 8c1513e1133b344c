package page

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// A raster is a canvas of pixels that draws a long line in pieces. The library
// keeps the parts of a line by their rows of pixels and looks through all of a
// row for each: the time for a line grows with the square of its points.
type raster struct {
	*vgimg.Canvas
	dashes []vg.Length
	offset vg.Length
}

// pieceOf is how many points a piece has.
const pieceOf = 100

// SetLineDash keeps the dashes: a piece goes on with them where the last ended.
func (r *raster) SetLineDash(dashes []vg.Length, offset vg.Length) {
	r.dashes, r.offset = dashes, offset
	r.Canvas.SetLineDash(dashes, offset)
}

// Stroke draws along a path. Pieces share the stretch where they meet, so that
// there is no seam.
func (r *raster) Stroke(p vg.Path) {
	if !straight(p) {
		r.Canvas.Stroke(p)
		return
	}
	drawn := vg.Length(0)
	for from := 0; from < len(p)-1; from += pieceOf - 2 {
		to := min(from+pieceOf, len(p))
		r.Canvas.SetLineDash(r.dashes, r.offset+drawn)
		r.Canvas.Stroke(append(vg.Path{{Type: vg.MoveComp, Pos: p[from].Pos}}, p[from+1:to]...))
		drawn += length(p[from:min(from+pieceOf-1, to)])
	}
	r.Canvas.SetLineDash(r.dashes, r.offset)
}

// straight reports whether a path is one line through points.
func straight(p vg.Path) bool {
	return len(p) > 1 && p[0].Type == vg.MoveComp && !slices.ContainsFunc(p[1:], func(c vg.PathComp) bool { return c.Type != vg.LineComp })
}

// length is that of a line.
func length(p vg.Path) vg.Length {
	sum := vg.Length(0)
	for i := 1; i < len(p); i++ {
		sum += vg.Length(math.Hypot(float64(p[i].Pos.X-p[i-1].Pos.X), float64(p[i].Pos.Y-p[i-1].Pos.Y)))
	}
	return sum
}
