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

// writeSeries writes how a run went. It can be made again from the lines, and is
// not waited for until it is on the disk.
func (r *Run) writeSeries(c *metrics.Course) error {
	if c == nil {
		return nil
	}
	return DeriveCompactJSON(filepath.Join(r.Dir, SeriesName), c)
}

// ReadSeries reads how the run in a directory went; nil where it has no
// series.json, as those of earlier versions and those that did not end.
func ReadSeries(dir string) (*metrics.Course, error) {
	data, err := os.ReadFile(filepath.Join(dir, SeriesName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", dir, err)
	}
	c := new(metrics.Course)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("read run %s: %s: %w", dir, SeriesName, err)
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("read run %s: %s: %w", dir, SeriesName, err)
	}
	return c, nil
}
