package main

import (
	"errors"
	"fmt"
	"io"

	"loadgen/fleet"
	"loadgen/runner"
	"loadgen/sweep"
)

// The ways to fail that a caller of loadgen can tell apart by exit status, beside
// those of a batch that was carried out, which sweep knows.
type (
	// usageError is a wrong command line or batch file.
	usageError struct{ error }
	// endpointError is an endpoint that is not there, refuses, or does not
	// have the model, found before anything was measured.
	endpointError struct{ error }
	// interruptError is a batch that the user ended; its artifacts are kept.
	interruptError struct{ error }
)

func (e usageError) Unwrap() error     { return e.error }
func (e endpointError) Unwrap() error  { return e.error }
func (e interruptError) Unwrap() error { return e.error }

// asService returns the error of asking a service in its kind.
func asService(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(runner.SettingsError)):
		return usageError{err}
	}
	return endpointError{err}
}

// exitCode returns the exit status for the error of a command. Where several
// things went wrong, the one that says most about the rest wins: who was
// interrupted has no verdict, and a limit cannot be missed by an invalid
// measurement.
func exitCode(err error) int {
	var (
		usage     usageError
		endpoint  endpointError
		invalid   sweep.InvalidError
		limit     sweep.LimitError
		unsure    sweep.CannotTellError
		interrupt interruptError
		failed    sweep.FailedError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &interrupt), errors.Is(err, fleet.ErrInterrupted):
		return 130
	case errors.As(err, &usage), errors.Is(err, fleet.ErrNotServed), errors.Is(err, fleet.ErrRefused), errors.Is(err, fleet.ErrSkew):
		return 2
	case errors.As(err, &endpoint):
		return 3
	case errors.As(err, &failed):
		return 1
	case errors.As(err, &invalid):
		return 4
	case errors.As(err, &limit):
		return 99
	case errors.As(err, &unsure):
		return 98
	}
	return 1
}

// showError prints an error as the last line of a command.
func showError(w io.Writer, err error) {
	if err != nil {
		fmt.Fprintf(plainLines{w}, "loadgen: %v\n", err)
	}
}
