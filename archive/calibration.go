package archive

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"loadgen/metrics"
	"loadgen/results"
)

// CalibrationOf is what the steps of a calibration found of this machine, now.
func CalibrationOf(steps []metrics.Step) results.Calibration {
	return results.Calibration{Host: DescribeHost(), Created: time.Now(), Steps: steps, Ceiling: metrics.CeilingOf(steps)}
}

// CalibrationPath returns where a calibration is kept.
func CalibrationPath(asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("keeping the calibration: %w; say where with --calibration", err)
	}
	return filepath.Join(dir, "loadgen", "calibration.json"), nil
}

// SavedCeiling returns what this machine was calibrated to, nothing where it
// was not, or where the file is of another machine.
func SavedCeiling(asked string, log *slog.Logger) metrics.Ceiling {
	path, err := CalibrationPath(asked)
	if err != nil {
		return metrics.Ceiling{}
	}
	c, err := results.ReadCalibration(path)
	if err != nil {
		if asked != "" || !errors.Is(err, os.ErrNotExist) {
			log.Warn(fmt.Sprintf("No calibration: %v", err))
		}
		return metrics.Ceiling{}
	}
	here := DescribeHost()
	for _, key := range []string{"hostname", "cpus", "GOMAXPROCS"} {
		if fmt.Sprint(c.Host[key]) != fmt.Sprint(here[key]) {
			log.Info(fmt.Sprintf("Note: the calibration in %s is of another machine (%s differs) and is left alone", path, key))
			return metrics.Ceiling{}
		}
	}
	return c.Ceiling
}
