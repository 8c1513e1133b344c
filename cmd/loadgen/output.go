package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/charmbracelet/x/term"

	"loadgen/internal/outside"
)

// An output is where results are printed. It passes on nothing that a terminal
// would act upon but colours, and those to a terminal alone. It remembers that
// something could not be printed: a script must not take half a table for all.
type output struct {
	to  io.Writer
	err error
}

// A terminal is a writer that may show to a person.
type terminal interface{ Fd() uintptr }

// Fd lets whoever draws ask for the terminal's width.
func (o *output) Fd() uintptr {
	if f, ok := o.to.(terminal); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

func (o *output) Write(text []byte) (int, error) {
	clean := outside.Text
	if term.IsTerminal(o.Fd()) {
		clean = outside.Coloured
	}
	if _, err := io.WriteString(o.to, clean(string(text))); err != nil {
		o.err = err
		return 0, err
	}
	return len(text), nil
}

// lost returns why something could not be printed, nil where all was, where the
// reader has left, and where err tells of it.
func (o *output) lost(err error) error {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) || errors.Is(err, o.err) {
		return nil
	}
	return fmt.Errorf("printing: %w", o.err)
}

// plainLines passes text on without what a terminal would act upon.
type plainLines struct{ io.Writer }

func (p plainLines) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.Writer, outside.Text(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
