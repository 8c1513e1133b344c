package main

import (
	"errors"
	"fmt"
	"io"
)

// The ways to fail that a caller of loadgen can tell apart by exit status.
type (
	// usageError is a wrong command line or batch file.
	usageError struct{ error }
	// endpointError is an endpoint that is not there, refuses, or does not
	// have the model, found before anything was measured.
	endpointError struct{ error }
	// invalidError is a measurement that proves nothing: the client was the
	// bottleneck.
	invalidError struct{ error }
	// limitError is a stated limit that was missed: an SLO, a budget.
	limitError struct{ error }
	// cannotTellError is a comparison that was to be sure and is not.
	cannotTellError struct{ error }
	// interruptError is a batch that the user ended; its artifacts are kept.
	interruptError struct{ error }
)

func (e usageError) Unwrap() error      { return e.error }
func (e endpointError) Unwrap() error   { return e.error }
func (e invalidError) Unwrap() error    { return e.error }
func (e limitError) Unwrap() error      { return e.error }
func (e cannotTellError) Unwrap() error { return e.error }
func (e interruptError) Unwrap() error  { return e.error }

// exitCode returns the exit status for the error of a command. Where several
// things went wrong, the one that says most about the rest wins: who was
// interrupted has no verdict, and a limit cannot be missed by an invalid
// measurement.
func exitCode(err error) int {
	var (
		usage     usageError
		endpoint  endpointError
		invalid   invalidError
		limit     limitError
		unsure    cannotTellError
		interrupt interruptError
		failed    failedError
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &interrupt):
		return 130
	case errors.As(err, &usage):
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

// failedError is a batch of which a run failed.
type failedError struct{ error }

func (e failedError) Unwrap() error { return e.error }

// showError prints an error as the last line of a command.
func showError(w io.Writer, err error) {
	if err != nil {
		fmt.Fprintf(plainLines{w}, "loadgen: %v\n", err)
	}
}
