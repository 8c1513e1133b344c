package results

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"loadgen/metrics"
)

// A Calibration is what a machine's client was found to measure truthfully.
type Calibration struct {
	Host    map[string]any  `json:"host"`
	Created time.Time       `json:"created"`
	Ceiling metrics.Ceiling `json:"ceiling"`
	Steps   []metrics.Step  `json:"steps"`
}

// WriteCalibration keeps a calibration in a file, whose directory it makes.
func WriteCalibration(path string, c Calibration) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("keeping the calibration: %w", failed(path, err))
	}
	if err := WriteJSON(path, c); err != nil {
		return fmt.Errorf("keeping the calibration: %w", err)
	}
	return nil
}

// ReadCalibration reads a calibration back. Where there is none the error is
// fs.ErrNotExist.
func ReadCalibration(path string) (Calibration, error) {
	var c Calibration
	if err := readJSON(path, &c); err != nil {
		return c, fmt.Errorf("reading the calibration: %w", err)
	}
	return c, nil
}
