package sweep_test

import (
	"testing"

	"loadgen/sweep"
)

func TestLargeRunsHaveNoFilesWithAPlaceForEachRequest(t *testing.T) {
	for _, row := range []struct {
		files     sweep.RequestFiles
		requests  int
		succeeded int
		written   bool
	}{
		{sweep.DefaultProfiler().RequestFiles, 0, 0, true},
		{sweep.DefaultProfiler().RequestFiles, 2000, 1, true},
		{sweep.DefaultProfiler().RequestFiles, 100, 0, true},
		{sweep.DefaultProfiler().RequestFiles, 101, 0, false},
		{sweep.DefaultProfiler().RequestFiles, 2001, 2001, false},
		{sweep.FilesAlways, 1_000_000, 0, true},
		{sweep.FilesNever, 1, 1, false},
	} {
		if got := row.files.Written(row.requests, row.succeeded); got != row.written {
			t.Errorf("%s, %d requests of which %d succeeded: written %v", row.files, row.requests, row.succeeded, got)
		}
	}
}
