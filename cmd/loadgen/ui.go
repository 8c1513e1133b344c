package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
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

// startDisplay shows the board on w: as a live panel, as plain lines, or not
// at all.
func startDisplay(ui string, w io.Writer, b *board) display {
	if ui == "auto" {
		ui = "plain"
		if isTerminal(w) {
			ui = "live"
		}
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
	p := tea.NewProgram(newPanel(b), tea.WithOutput(w), tea.WithInput(nil), tea.WithoutSignalHandler(), tea.WithFPS(10))
	var shown sync.WaitGroup
	shown.Go(func() { _, _ = p.Run() })
	return display{
		log:  above{p},
		stop: func() { p.Quit(); shown.Wait() },
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

type tick time.Time

func newPanel(b *board) *panel {
	return &panel{board: b, bar: progress.New(progress.WithoutPercentage(), progress.WithWidth(30)), width: 80, now: time.Now()}
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
		p.width = msg.Width
		p.bar.SetWidth(max(10, min(40, msg.Width/3)))
	case tea.QuitMsg:
		p.last = true
	}
	return p, nil
}

func (p *panel) View() tea.View {
	s, ok := p.board.look(p.now)
	if !ok || p.last {
		return tea.NewView("")
	}
	return tea.NewView(p.text(s))
}

func (p *panel) text(s status) string {
	faint := lipgloss.NewStyle().Faint(true)
	title := "Run"
	if s.Cells > 1 {
		title = fmt.Sprintf("Run %d/%d  %s", s.Cell+1, s.Cells, s.Name)
	}
	batch := "batch " + clock(s.Batch)
	if s.BatchLeft >= 0 && s.Cells > 1 {
		batch += ", about " + clock(s.BatchLeft) + " left"
	}
	lines := []string{
		lipgloss.NewStyle().Bold(true).Render(title) + "  " + faint.Render(batch),
		p.bar.ViewAs(s.done()) + "  " + s.Stage.Name + " " + s.time(),
		s.counts(),
	}
	for _, more := range []string{s.rates(), s.latencies()} {
		if more != "" {
			lines = append(lines, more)
		}
	}
	for i, line := range lines {
		lines[i] = lipgloss.NewStyle().MaxWidth(p.width).Render(line)
	}
	return "\n" + strings.Join(lines, "\n")
}
