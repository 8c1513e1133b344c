package main

import (
	"errors"
	"fmt"
	"testing"

	"loadgen/fleet"
	"loadgen/sweep"
)

func TestExitCode(t *testing.T) {
	plain := errors.New("disk full")
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"all well", nil, 0},
		{"a bug or a full disk", plain, 1},
		{"a batch file with faults", usageError{plain}, 2},
		{"an endpoint that is down", fmt.Errorf("checking the service: %w", endpointError{plain}), 3},
		{"an invalid measurement", sweep.InvalidError{Err: plain}, 4},
		{"a missed limit", sweep.LimitError{Err: plain}, 99},
		{"a comparison that cannot tell", sweep.CannotTellError{Err: plain}, 98},
		{"a comparison that is worse here and cannot tell there", errors.Join(sweep.CannotTellError{Err: plain}, sweep.LimitError{Err: plain}), 99},
		{"an interrupted batch", interruptError{plain}, 130},
		{"every request of a run failed, and it was invalid", errors.Join(sweep.InvalidError{Err: plain}, sweep.FailedError{Err: plain}), 1},
		{"an invalid measurement that missed a limit", errors.Join(sweep.LimitError{Err: plain}, sweep.InvalidError{Err: plain}), 4},
		{"workers that are not alike", sweep.FailedError{Err: fmt.Errorf("run 1 failed: %w", fleet.ErrSkew)}, 2},
		{"interrupted after a missed limit", errors.Join(sweep.LimitError{Err: plain}, interruptError{plain}), 130},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.err); got != tt.want {
				t.Errorf("exit status %d, want %d", got, tt.want)
			}
		})
	}
}
