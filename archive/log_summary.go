package archive

import (
	"fmt"

	"loadgen"
	"loadgen/sweep"
)

// LogSummary ends the log as the runner did that loadgen replaces, and says
// apart from it which runs the user ended and which were never begun.
func (k *Recorder) LogSummary(runs []*sweep.Run) {
	left, _ := k.Batch.Plan().Left(runs)
	count := map[loadgen.Status]int{}
	for _, run := range runs {
		count[run.Status()]++
	}
	k.Log.Info("SUMMARY")
	k.Log.Info(fmt.Sprintf("Total runs : %d", len(runs)+left))
	k.Log.Info(fmt.Sprintf("Completed  : %d", count[loadgen.Completed]))
	k.Log.Info(fmt.Sprintf("Failed     : %d", count[loadgen.Failed]))
	for _, more := range []struct {
		what string
		n    int
	}{{"Interrupted", count[loadgen.Interrupted]}, {"Skipped    ", count[loadgen.Skipped]}} {
		if more.n > 0 {
			k.Log.Info(fmt.Sprintf("%s: %d", more.what, more.n))
		}
	}
	if left > 0 {
		k.Log.Info(fmt.Sprintf("Not begun  : %d", left))
	}
	for _, run := range runs {
		for _, missed := range run.Missed() {
			k.Log.Warn(fmt.Sprintf("Limit missed by %s: %s", run.Name(), missed))
		}
	}
}
