package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"image/color"
	"io"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// inline draws the chart for a page: without title and legend, which the page
// writes itself, and with the names of classes in place of colours, which the
// page gives a meaning by day and by night.
func (c *Chart) inline(width, height int) (template.HTML, error) {
	out, err := drawn(func() ([]byte, error) {
		p := c.plot(false)
		canvas := vgsvg.New(vg.Length(width), vg.Length(height))
		area := draw.New(canvas)
		p.Draw(area)
		var drawing bytes.Buffer
		if _, err := canvas.WriteTo(&drawing); err != nil {
			return nil, err
		}
		data := p.DataCanvas(area)
		head := fmt.Sprintf(` class="chart" data-box="%.5g %.5g %.5g %.5g" data-axes="%.6g %.6g %.6g %.6g" data-log="%d%d"`,
			float64(data.Min.X), float64(data.Min.Y), float64(data.Max.X), float64(data.Max.Y),
			p.X.Min, p.X.Max, p.Y.Min, p.Y.Max, one(c.LogX), one(c.LogY))
		if c.Heat != nil {
			head = ` class="chart"`
		}
		return restyle(drawing.Bytes(), c.Title+". "+c.Says, head)
	})
	return template.HTML(out), err //nolint:gosec // every text in it was escaped by restyle
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// classes are the names of the colours that a chart draws with.
var classes = func() map[string]string {
	m := map[string]string{hex(inkColor): "k", hex(axisColor): "a", hex(gridColor): "g", hex(darkColor): "d", "#FFFFFF": "x"}
	for i, c := range palette {
		m[hex(c)] = "c" + strconv.Itoa(i)
	}
	for i := range heatShades {
		m[hex(shade(float64(i)/(heatShades-1)))] = "h" + strconv.Itoa(i)
	}
	return m
}()

// heatStyle gives the shades of a map their colours.
func heatStyle() string {
	var b strings.Builder
	for i := range heatShades {
		fmt.Fprintf(&b, ".fh%d{fill:%s}", i, hex(shade(float64(i)/(heatShades-1))))
	}
	return b.String()
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }

// restyle writes an SVG again as a part of a page: a picture with a name, with
// classes for styles. It takes elements that draw and no others, and every text
// is escaped by it, whatever the drawing had.
func restyle(drawing []byte, name, head string) ([]byte, error) {
	var out svgWriter
	d := xml.NewDecoder(bytes.NewReader(drawing))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return out.Bytes(), nil
		case err != nil:
			return nil, fmt.Errorf("drawing: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "svg" {
				fmt.Fprintf(&out, `<svg viewBox="%s" role="img" aria-label="%s"%s>`,
					html.EscapeString(attribute(t, "viewBox")), html.EscapeString(name), head)
				continue
			}
			if err := element(&out, t); err != nil {
				return nil, err
			}
		case xml.EndElement:
			if t.Name.Local != "path" && t.Name.Local != "rect" {
				out.flush()
				fmt.Fprintf(&out, "</%s>", t.Name.Local)
			}
		case xml.CharData:
			if text := bytes.TrimSpace(t); len(text) > 0 {
				out.flush()
				out.WriteString(html.EscapeString(string(text)))
			}
		}
	}
}

// A svgWriter writes the paths of the axes and of the grid that follow each other
// in one style as one: ticks and lines are a sixth of a page otherwise.
type svgWriter struct {
	bytes.Buffer
	class string // of what is held back
	held  []byte
}

// hold takes a path that may have others to follow.
func (w *svgWriter) hold(class, d string) {
	if class != w.class {
		w.flush()
	}
	w.class, w.held = class, append(w.held, d...)
}

// flush writes what is held back: before anything else is written.
func (w *svgWriter) flush() {
	if len(w.held) > 0 {
		fmt.Fprintf(w, `<path d="%s" class="%s"/>`, w.held, w.class)
	}
	w.class, w.held = "", nil
}

// drawingAttributes are what an element may keep.
var drawingAttributes = map[string]bool{
	"d": true, "x": true, "y": true, "width": true, "height": true, "transform": true, "text-anchor": true, "font-size": true,
}

// upright is how texts of a chart stand, whose y axis goes up.
const upright = "scale(1, -1)"

func element(out *svgWriter, t xml.StartElement) error {
	switch t.Name.Local {
	case "g", "path", "text", "rect", "title":
	default:
		return fmt.Errorf("drawing: an element %q", t.Name.Local)
	}
	var b bytes.Buffer
	var class []string
	path, extra := "", ""
	for _, a := range t.Attr {
		switch {
		case a.Name.Local == "style":
			class, extra = styled(a.Value)
		case a.Name.Local == "fill" || a.Name.Local == "stroke":
			class = append(class, colorClass(a.Name.Local, a.Value))
		case t.Name.Local == "text" && a.Name.Local == "transform" && a.Value == upright: // as the page's style has it
		case t.Name.Local == "text" && (a.Name.Local == "x" || a.Name.Local == "y"):
			fmt.Fprintf(&b, ` %s="%s"`, a.Name.Local, html.EscapeString(shorter(a.Value)))
		case a.Name.Local == "d":
			path = html.EscapeString(shorter(a.Value))
			fmt.Fprintf(&b, ` d="%s"`, path)
		case drawingAttributes[a.Name.Local]:
			fmt.Fprintf(&b, ` %s="%s"`, a.Name.Local, html.EscapeString(a.Value))
		}
	}
	// Texts have this colour anyway.
	names := strings.Join(slices.DeleteFunc(class, func(c string) bool { return c == "" || t.Name.Local == "text" && c == "fk" }), " ")
	if t.Name.Local == "path" && extra == "" && (names == "sa" || names == "sg") {
		out.hold(names, path)
		return nil
	}
	out.flush()
	out.WriteString("<" + t.Name.Local + b.String())
	if names != "" {
		fmt.Fprintf(out, ` class="%s"`, names)
	}
	out.WriteString(extra)
	if t.Name.Local == "path" || t.Name.Local == "rect" {
		out.WriteString("/>")
	} else {
		out.WriteString(">")
	}
	return nil
}

// styled turns a style into classes, and into attributes what is no colour.
func styled(style string) (class []string, extra string) {
	for _, part := range strings.Split(style, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		switch key {
		case "fill", "stroke":
			if c := colorClass(key, value); c != "" {
				class = append(class, c)
			}
		case "stroke-width":
			if value == "1.6" { // that of lines, as the page's style has it
				class = append(class, "w")
			}
		case "stroke-dasharray":
			extra += fmt.Sprintf(` stroke-dasharray="%s"`, html.EscapeString(value))
		}
	}
	return class, extra
}

// colorClass is f or s, for what is filled or drawn along, with the name of the
// colour.
func colorClass(use, value string) string {
	if value == "none" {
		return ""
	}
	if name, known := classes[strings.ToUpper(value)]; known {
		return use[:1] + name
	}
	return ""
}

// shorter cuts the numbers of a path to a tenth of a pixel.
func shorter(path string) string {
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); {
		end := i
		for end < len(path) && (path[end] >= '0' && path[end] <= '9' || path[end] == '.' || path[end] == '-' || path[end] == 'e' || path[end] == '+') {
			end++
		}
		v, err := strconv.ParseFloat(path[i:end], 64)
		switch {
		case end == i:
			out = append(out, path[i])
			end = i + 1
		case err != nil:
			out = append(out, path[i:end]...)
		default:
			number := strconv.AppendFloat(nil, v, 'f', 1, 64)
			out = append(out, bytes.TrimSuffix(number, []byte(".0"))...)
		}
		i = end
	}
	return string(out)
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
