package sweep_test

import (
	"testing"

	"loadgen/sweep"
)

func TestLargeRunsHaveNoFilesWithAPlaceForEachRequest(t *testing.T) {
	for _, row := range []struct {
		files    sweep.RequestFiles
		requests int
		written  bool
	}{
		{sweep.DefaultProfiler().RequestFiles, 0, true},
		{sweep.DefaultProfiler().RequestFiles, 2000, true},
		{sweep.DefaultProfiler().RequestFiles, 2001, false},
		{sweep.FilesAlways, 1_000_000, true},
		{sweep.FilesNever, 1, false},
	} {
		if got := row.files.Written(row.requests); got != row.written {
			t.Errorf("%s, %d requests: written %v", row.files, row.requests, got)
		}
	}
}
