package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"loadgen/internal/outside"
)

// An svg is a canvas that writes SVG.
type svg struct{ b bytes.Buffer }

func newSVG(width, height int) *svg {
	s := &svg{}
	fmt.Fprintf(&s.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif">`+"\n", width, height, width, height)
	return s
}

func (s *svg) bytes() []byte {
	s.b.WriteString("</svg>\n")
	return s.b.Bytes()
}

func (s *svg) box(x, y, w, h float64, fill color, tip string) {
	if w <= 0 || h <= 0 {
		return
	}
	s.rect(x, y, w, h)
	fmt.Fprintf(&s.b, ` fill="#%06x"`, fill)
	if tip == "" {
		s.b.WriteString("/>\n")
		return
	}
	s.b.WriteString("><title>")
	xml.EscapeText(&s.b, []byte(outside.Text(tip))) // a bytes.Buffer does not fail
	s.b.WriteString("</title></rect>\n")
}

func (s *svg) frame(x, y, w, h, width float64, stroke color) {
	s.rect(x-width/2, y-width/2, w+width, h+width)
	fmt.Fprintf(&s.b, ` fill="none" stroke="#%06x" stroke-width="%g"/>`+"\n", stroke, width)
}

func (s *svg) rect(x, y, w, h float64) {
	s.b.WriteString(`<rect x="`)
	for i, v := range []float64{x, y, w, h} {
		s.b.WriteString([]string{"", `" y="`, `" width="`, `" height="`}[i])
		s.b.Write(strconv.AppendFloat(nil, float64(int(v*100+0.5))/100, 'f', -1, 64))
	}
	s.b.WriteString(`"`)
}

func (s *svg) text(x, y, size float64, align int, fill color, text string) {
	anchor := []string{"start", "middle", "end"}[align+1]
	fmt.Fprintf(&s.b, `<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" fill="#%06x">`, x, y, size, anchor, fill)
	xml.EscapeText(&s.b, []byte(outside.Line(text)))
	s.b.WriteString("</text>\n")
}
