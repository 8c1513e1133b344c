package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"loadgen/metrics"
)

// A ServerLine is a noun of the server, or a figure of a GPU, over the time of a
// run.
type ServerLine struct {
	Name string `json:"name"`
	GPU  string `json:"gpu"` // host and index; empty for the server's own
	// At are seconds since the run's epoch, Values what there was then, NaN for
	// nothing.
	At     []float64       `json:"at_sec"`
	Values metrics.Numbers `json:"values"`
}

// ReadServerSeries reads what the server and GPUs said of themselves while a run
// lasted; nil where nobody asked them.
func ReadServerSeries(dir string) ([]ServerLine, error) {
	data, err := os.ReadFile(filepath.Join(dir, ServerSeriesName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var file struct {
		Server struct {
			Lines []ServerLine `json:"lines"`
		} `json:"server"`
	}
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %s: %w", dir, ServerSeriesName, err)
	}
	for _, l := range file.Server.Lines {
		if len(l.At) != len(l.Values) {
			return nil, fmt.Errorf("read run %s: %s: %q has %d times and %d values", dir, ServerSeriesName, l.Name, len(l.At), len(l.Values))
		}
	}
	return file.Server.Lines, nil
}
