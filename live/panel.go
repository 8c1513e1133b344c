package live

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"loadgen/report"

	"charm.land/lipgloss/v2"
)

// A panel shows the status of a batch in the last lines of a terminal, below
// what is logged. It only writes: keys and signals stay the command's own.
type panel struct {
	w     io.Writer
	board *Board
	size  func() (width, height int)
	color bool

	mu    sync.Mutex
	lines []string // on the screen, with the cursor below them
	over  bool
}

// startPanel draws the panel four times a second until it is stopped.
func startPanel(p *panel) Display {
	ctx, cancel := context.WithCancel(context.Background())
	var shown sync.WaitGroup
	shown.Go(func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = p.Write(nil)
			case <-ctx.Done():
				return
			}
		}
	})
	return Display{Log: p, Stop: func() {
		cancel()
		shown.Wait()
		p.end()
	}}
}

// Write takes the panel away, writes whole lines of a log in its place and
// draws it anew below them, all at once. Once the panel has ended it writes
// the lines alone.
func (p *panel) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	if !p.over {
		p.erase(&b)
	}
	b.Write(text)
	if n := len(text); n > 0 && text[n-1] != '\n' {
		b.WriteByte('\n')
	}
	if !p.over {
		p.draw(&b)
	}
	_, err := p.w.Write(b.Bytes())
	return len(text), err
}

// end takes the panel away for good.
func (p *panel) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	p.erase(&b)
	p.over = true
	_, _ = p.w.Write(b.Bytes())
}

// erase moves to the panel's first row and clears what is below. A terminal
// that has become narrower has broken the lines into more rows.
func (p *panel) erase(b *bytes.Buffer) {
	width, _ := p.size()
	rows := 0
	for _, line := range p.lines {
		rows += max(1, (lipgloss.Width(line)+width-1)/width)
	}
	if rows > 0 {
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", rows)
	}
	p.lines = nil
}

func (p *panel) draw(b *bytes.Buffer) {
	s, ok := p.board.look(time.Now())
	if !ok {
		return
	}
	width, height := p.size()
	p.lines = p.text(s, width)
	p.lines = p.lines[:min(len(p.lines), max(1, height-1))]
	for _, line := range p.lines {
		b.WriteString(line + "\n")
	}
}

// text is the status in lines that fit: no number is cut.
func (p *panel) text(s status, width int) []string {
	title := "Run"
	if s.Cells > 1 {
		title = fmt.Sprintf("Run %d/%d", s.Cell+1, s.Cells)
	}
	batch := "batch " + clock(s.Batch)
	if s.BatchLeft >= 0 {
		batch += ", about " + clock(s.BatchLeft) + " left"
	}
	if s.Search != "" {
		s.Name += ", " + s.Search
	}
	lines := append([]string{""}, p.fit(width, "  ", part{title, report.Strong}, part{s.Name, report.Strong}, part{batch, report.Faint})...)
	lines = append(lines, p.fit(width, "  ", part{bar(s.done(), max(10, min(40, width/3))), report.Plain}, part{s.Stage.Name + " " + s.time(), report.Plain})...)
	for _, group := range [][]part{s.counts(), s.failures(), s.rates(), s.latencies(), s.server(), s.gpus()} {
		lines = append(lines, p.fit(width, ", ", group...)...)
	}
	return lines
}

// bar draws how much is done.
func bar(share float64, width int) string {
	full := int(share * float64(width))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// fit joins parts into as many lines as they need. A part that is too long for
// a line is the only one to be cut.
func (p *panel) fit(width int, between string, parts ...part) []string {
	var lines []string
	for _, x := range parts {
		style := lipgloss.NewStyle()
		if p.color {
			style = x.tone.Style()
		}
		text := style.MaxWidth(width).Render(x.text)
		if n := len(lines); n > 0 && lipgloss.Width(lines[n-1]+between+text) <= width {
			lines[n-1] += between + text
			continue
		}
		lines = append(lines, text)
	}
	return lines
}
