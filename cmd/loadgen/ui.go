package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

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
	width, _ := terminalSize(f)
	return width
}

// terminalSize returns a terminal's columns and rows.
func terminalSize(t terminal) (width, height int) {
	width, height, err := term.GetSize(t.Fd())
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// dumb reports whether the terminal knows no control sequences.
func dumb() bool { return os.Getenv("TERM") == "dumb" }

// startDisplay shows the board on w: as a live panel, as plain lines, or not
// at all.
func startDisplay(ui string, w io.Writer, b *board) display {
	if ui == "auto" && isTerminal(w) {
		ui = "live"
	}
	t, shows := w.(terminal)
	if ui == "auto" || ui == "live" && (dumb() || !shows) {
		ui = "plain"
	}
	switch ui {
	case "live":
		return startPanel(&panel{
			w: w, board: b, size: func() (int, int) { return terminalSize(t) }, color: os.Getenv("NO_COLOR") == "",
		})
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
