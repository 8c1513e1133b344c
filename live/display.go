// Package live shows how a batch goes on while it runs: as a panel below the log
// of a terminal, or as lines now and then elsewhere.
//
// What a run's figures come to is shown by report, when it is over.
package live

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"
)

// A Display shows a batch's progress until it is stopped. What is written to
// Log while it lasts appears above it.
type Display struct {
	Log  io.Writer
	Stop func()
}

// A terminal is a writer that may show to a person.
type terminal interface{ Fd() uintptr }

// plainEvery is how often progress is logged where there is no terminal.
const plainEvery = 10 * time.Second

// isTerminal reports whether a writer shows to a person.
func isTerminal(w io.Writer) bool {
	f, ok := w.(terminal)
	return ok && term.IsTerminal(f.Fd())
}

// Width returns the columns of the terminal that a writer shows on, 0
// where it is none.
func Width(w io.Writer) int {
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

// Dumb reports whether the terminal knows no control sequences.
func Dumb() bool { return os.Getenv("TERM") == "dumb" }

// Start shows the board on w: as a panel ("live"), as lines of a log ("plain"),
// as either by what w is ("auto"), or not at all ("none"). logger makes a log of
// a writer.
func Start(ui string, w io.Writer, b *Board, logger func(io.Writer) *slog.Logger) Display {
	if ui == "auto" && isTerminal(w) {
		ui = "live"
	}
	t, shows := w.(terminal)
	if ui == "auto" || ui == "live" && (Dumb() || !shows) {
		ui = "plain"
	}
	switch ui {
	case "live":
		return startPanel(&panel{
			w: w, board: b, size: func() (int, int) { return terminalSize(t) }, color: os.Getenv("NO_COLOR") == "",
		})
	case "plain":
		return startLines(w, b, plainEvery, logger(w))
	}
	return Display{Log: w, Stop: func() {}}
}

// startLines logs the status now and then.
func startLines(w io.Writer, b *Board, every time.Duration, log *slog.Logger) Display {
	ctx, cancel := context.WithCancel(context.Background())
	var lines sync.WaitGroup
	lines.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				if s, ok := b.look(now); ok && s.goesOn() {
					log.Log(ctx, slog.LevelInfo, s.line())
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return Display{Log: w, Stop: func() { cancel(); lines.Wait() }}
}
