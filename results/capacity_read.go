package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// ReadCapacities reads what the searches of a batch found; nil for a batch
// without.
func ReadCapacities(dir string) ([]Capacity, error) {
	var file struct {
		Capacities []struct {
			Capacity
			Params json.RawMessage `json:"sweep_params"`
		} `json:"capacities"`
	}
	switch err := readJSON(filepath.Join(dir, CapacityJSONName), &file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	var all []Capacity
	for i := range file.Capacities {
		c := file.Capacities[i].Capacity
		values, err := SweepValues(file.Capacities[i].Params)
		if err != nil {
			return nil, fmt.Errorf("read %s: %s: sweep_params: %w", dir, CapacityJSONName, err)
		}
		c.Cell.Values = values
		all = append(all, c)
	}
	return all, nil
}
