package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"charm.land/bubbles/v2/progress"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/term"
)

// A display shows a batch's progress until it is stopped. What is written to
// log while it lasts appears above it.
type display struct {
	log  io.Writer
	stop func()
}

// plainEvery is how often progress is logged where there is no terminal.
const plainEvery = 10 * time.Second

// isTerminal reports whether a writer shows to a person.
func isTerminal(w io.Writer) bool {
	f, ok := w.(terminal)
	return ok && term.IsTerminal(f.Fd())
}

// terminalWidth returns the columns of the terminal that a writer shows on, 0
// where it is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(terminal)
	if !ok || !term.IsTerminal(f.Fd()) {
		return 0
	}
	width, _, err := term.GetSize(f.Fd())
	if err != nil {
		return 80
	}
	return width
}

// dumb reports whether the terminal knows no control sequences.
func dumb() bool { return os.Getenv("TERM") == "dumb" }

// startDisplay shows the board on w: as a live panel, as plain lines, or not
// at all.
func startDisplay(ui string, w io.Writer, b *board) display {
	if ui == "auto" && isTerminal(w) {
		ui = "live"
	}
	if ui == "auto" || ui == "live" && dumb() {
		ui = "plain"
	}
	switch ui {
	case "live":
		return startPanel(w, b)
	case "plain":
		return startLines(w, b, plainEvery)
	}
	return display{log: w, stop: func() {}}
}

// startLines logs the status now and then.
func startLines(w io.Writer, b *board, every time.Duration) display {
	ctx, cancel := context.WithCancel(context.Background())
	log := newLogger(w, false)
	var lines sync.WaitGroup
	lines.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				if s, ok := b.look(now); ok && s.Stage.Name != "" {
					log.Log(ctx, slog.LevelInfo, s.line())
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return display{log: w, stop: func() { cancel(); lines.Wait() }}
}

// startPanel draws the status at the foot of the terminal. Keys and signals
// stay the command's own: the terminal is only written to.
func startPanel(w io.Writer, b *board) display {
	p := tea.NewProgram(newPanel(b, cmp.Or(terminalWidth(w), 80)),
		tea.WithOutput(w), tea.WithInput(nil), tea.WithoutSignalHandler(), tea.WithFPS(10))
	var shown sync.WaitGroup
	shown.Go(func() { _, _ = p.Run() })
	return display{
		log:  above{p},
		stop: func() { p.Send(over{}); shown.Wait() },
	}
}

// above writes lines over the panel.
type above struct{ *tea.Program }

func (a above) Write(text []byte) (int, error) {
	a.Println(strings.TrimSuffix(string(text), "\n"))
	return len(text), nil
}

// A panel is the live view of a batch.
type panel struct {
	board *board
	bar   progress.Model
	width int
	now   time.Time
	last  bool
}

type (
	tick time.Time
	over struct{} // the panel goes, and with it what it shows
)

func newPanel(b *board, width int) *panel {
	p := &panel{board: b, bar: progress.New(progress.WithoutPercentage(), progress.WithColors(lipgloss.Blue)), now: time.Now()}
	p.resize(width)
	return p
}

func (p *panel) resize(width int) {
	p.width = width
	p.bar.SetWidth(max(10, min(40, width/3)))
}

func (p *panel) Init() tea.Cmd { return nextTick() }

func nextTick() tea.Cmd {
	return tea.Tick(250*time.Millisecond, func(t time.Time) tea.Msg { return tick(t) })
}

func (p *panel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		p.now = time.Time(msg)
		return p, nextTick()
	case tea.WindowSizeMsg:
		p.resize(msg.Width)
	case over:
		p.last = true
		return p, tea.Quit
	}
	return p, nil
}

func (p *panel) View() tea.View {
	if p.last {
		return tea.NewView("")
	}
	s, ok := p.board.look(p.now)
	if !ok {
		return tea.NewView("")
	}
	return tea.NewView(p.text(s))
}

// text is the status in lines that fit: no number is cut.
func (p *panel) text(s status) string {
	title := "Run"
	if s.Cells > 1 {
		title = fmt.Sprintf("Run %d/%d", s.Cell+1, s.Cells)
	}
	batch := "batch " + clock(s.Batch)
	if s.BatchLeft >= 0 {
		batch += ", about " + clock(s.BatchLeft) + " left"
	}
	lines := p.fit("  ", part{title, strong}, part{s.Name, strong}, part{batch, faint})
	lines = append(lines, p.fit("  ", part{p.bar.ViewAs(s.done()), plain}, part{s.Stage.Name + " " + s.time(), plain})...)
	for _, group := range [][]part{s.counts(), s.failures(), s.rates(), s.latencies()} {
		lines = append(lines, p.fit(", ", group...)...)
	}
	return "\n" + strings.Join(lines, "\n")
}

// fit joins parts into as many lines as they need. A part that is too long for
// a line is the only one to be cut.
func (p *panel) fit(between string, parts ...part) []string {
	var lines []string
	for _, x := range parts {
		text := x.tone.style().MaxWidth(p.width).Render(x.text)
		if n := len(lines); n > 0 && lipgloss.Width(lines[n-1]+between+text) <= p.width {
			lines[n-1] += between + text
			continue
		}
		lines = append(lines, text)
	}
	return lines
}

// A tone is the meaning that a colour gives to a part.
type tone uint8

const (
	plain tone = iota
	strong
	faint
	good
	doubtful
	bad
)

func (t tone) style() lipgloss.Style {
	s := lipgloss.NewStyle()
	switch t {
	case strong:
		return s.Bold(true)
	case faint:
		return s.Faint(true)
	case good:
		return s.Foreground(lipgloss.Green)
	case doubtful:
		return s.Foreground(lipgloss.Yellow)
	case bad:
		return s.Foreground(lipgloss.Red)
	}
	return s
}
