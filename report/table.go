package report

import (
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"loadgen/internal/outside"
)

// Options says what a report is drawn for. The zero value draws plain text, as
// wide as it needs to be.
type Options struct {
	Width int  // columns there are; 0 is no limit
	Color bool // ANSI colours: only for a terminal whose user did not refuse them
}

// paint gives a text its tone, line by line: a style of several lines would
// pad them to one length.
func (o Options) paint(t Tone, text string) string {
	if !o.Color || t == Plain || text == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = t.Style().Render(line)
	}
	return strings.Join(lines, "\n")
}

// wrap breaks a text into lines that fit, the later ones indented, with nothing
// in it that a terminal would act upon. It is painted afterwards.
func (o Options) wrap(indent int, text string) string {
	text = outside.Text(text)
	if o.Width <= indent {
		return text
	}
	pad := strings.Repeat(" ", indent)
	return strings.ReplaceAll(lipgloss.Wrap(text, o.Width-indent, ""), "\n", "\n"+pad)
}

// A column of a grid.
type column struct {
	head string
	left bool // aligned left; numbers stand right
	// rank says which columns go first where the width does not suffice: the
	// highest rank, and of equals the rightmost. A column of rank 0 stays.
	rank int
}

// A grid is a table. Where it is too wide it leaves out the columns that may
// go, and what is still too wide it breaks into blocks below each other: half
// a number is worse than none.
type grid struct {
	columns []column
	rows    [][]string
	tone    func(row, column int) Tone // nil is Plain throughout
	labels  int                        // leading columns that each block begins with; 0 counts as 1
}

// draw returns the table and the heads of the columns it had to leave out.
func (g grid) draw(o Options) (text string, dropped []string) {
	keep := make([]int, len(g.columns))
	for i := range keep {
		keep[i] = i
	}
	for {
		text = g.render(keep, o)
		if o.Width <= 0 || lipgloss.Width(text) <= o.Width {
			return text, dropped
		}
		worst := g.leastWanted(keep)
		if worst < 0 {
			return g.blocks(keep, o), dropped
		}
		dropped = append(dropped, strings.ReplaceAll(g.columns[keep[worst]].head, "\n", " "))
		keep = append(keep[:worst], keep[worst+1:]...)
	}
}

// blocks draws the columns below each other, as many beside the labels as fit,
// or as lines of a list where not even one does.
func (g grid) blocks(keep []int, o Options) string {
	labels := keep[:min(max(1, g.labels), len(keep))]
	rest := keep[len(labels):]
	var b strings.Builder
	for len(rest) > 0 {
		n := 0
		for n < len(rest) && lipgloss.Width(g.render(slices.Concat(labels, rest[:n+1]), o)) <= o.Width {
			n++
		}
		if n == 0 {
			return g.list(keep, o)
		}
		b.WriteString(g.render(slices.Concat(labels, rest[:n]), o))
		rest = rest[n:]
	}
	return b.String()
}

// list writes each row as lines of a head and a cell.
func (g grid) list(keep []int, o Options) string {
	var b strings.Builder
	for r, row := range g.rows {
		for i, c := range keep {
			head := strings.ReplaceAll(g.columns[c].head, "\n", " ")
			if row[c] == "" && head == "" {
				continue
			}
			line := "  " + head + ": " + strings.ReplaceAll(row[c], "\n", " ")
			if i == 0 {
				line = "- " + line[2:]
			}
			t := Plain
			if g.tone != nil {
				t = g.tone(r, c)
			}
			b.WriteString(o.paint(t, o.wrap(4, line)) + "\n")
		}
	}
	return b.String()
}

// leastWanted returns the position in keep of the column to drop next, -1 for
// none.
func (g grid) leastWanted(keep []int) int {
	worst, rank := -1, 1
	for i, c := range keep {
		if g.columns[c].rank >= rank {
			worst, rank = i, g.columns[c].rank
		}
	}
	return worst
}

// cellLines are the lines of a cell as a terminal shows them.
func cellLines(text string) []string {
	return strings.Split(strings.ReplaceAll(outside.Text(text), "\t", " "), "\n")
}

func (g grid) render(keep []int, o Options) string {
	heads := make([][]string, len(keep)) // the lines of each
	depth := 0
	for i, c := range keep {
		heads[i] = cellLines(g.columns[c].head)
		depth = max(depth, len(heads[i]))
	}
	for i := range heads { // heads stand on the rule below them
		heads[i] = append(make([]string, depth-len(heads[i]), depth), heads[i]...)
	}
	rows := make([][][]string, len(g.rows))
	for r, row := range g.rows {
		for _, c := range keep {
			rows[r] = append(rows[r], cellLines(row[c]))
		}
	}

	widths := make([]int, len(keep))
	inner := 2 * len(keep) // a space on either side of each
	for i := range keep {
		for _, row := range append(rows, heads) {
			for _, line := range row[i] {
				widths[i] = max(widths[i], lipgloss.Width(line))
			}
		}
		inner += widths[i]
	}

	var b strings.Builder
	side := o.paint(Faint, "│")
	write := func(row [][]string, toneOf func(i int) Tone) {
		height := 0
		for _, lines := range row {
			height = max(height, len(lines))
		}
		for k := range height {
			b.WriteString(side)
			for i, lines := range row {
				line := ""
				if k < len(lines) {
					line = lines[k]
				}
				space := strings.Repeat(" ", widths[i]-lipgloss.Width(line))
				line = o.paint(toneOf(i), line)
				if g.columns[keep[i]].left {
					line += space
				} else {
					line = space + line
				}
				b.WriteString(" " + line + " ")
			}
			b.WriteString(side + "\n")
		}
	}
	rule := func(left, right string) {
		b.WriteString(o.paint(Faint, left+strings.Repeat("─", inner)+right) + "\n")
	}

	rule("╭", "╮")
	write(heads, func(int) Tone { return Strong })
	rule("├", "┤")
	for r, row := range rows {
		write(row, func(i int) Tone {
			if g.tone == nil {
				return Plain
			}
			return g.tone(r, keep[i])
		})
	}
	rule("╰", "╯")
	return b.String()
}
