package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"loadgen/synth"
)

const formatHint = "add custom_dataset_type: single_turn, or another of its formats"

// detect fills in the format of a dataset whose file tells it, where no
// custom_dataset_type is written: files of the runner that loadgen replaces may
// leave it to AIPerf.
func (b *binder) detect(batch *Batch, c *Config, o Options) {
	if o.LookupEnv == nil || !b.written("input_file") || !b.absent("custom_dataset_type") {
		return
	}
	format, err := synth.Detect(c.InputFile)
	switch notThere := (*fs.PathError)(nil); {
	case err == nil:
		c.CustomDatasetType = format.String()
		if note := fmt.Sprintf("custom_dataset_type is not written: %s reads as %s", c.InputFile, format); !slices.Contains(batch.Notes, note) {
			batch.Notes = append(batch.Notes, note)
		}
	case errors.As(err, &notThere): // which is told as such
		b.unsound[base("custom_dataset_type")] = true
		c.CustomDatasetType = synth.SingleTurn.String()
	case errors.Is(err, synth.ErrNoMark):
		b.contradict("input_file", "needs custom_dataset_type: "+err.Error(), formatHint)
		c.CustomDatasetType = synth.SingleTurn.String() // told; nothing more follows from it
	default: // of no format could it be read
		b.contradict("input_file", err.Error(), "")
		c.CustomDatasetType = synth.SingleTurn.String() // told; nothing more follows from it
	}
}
