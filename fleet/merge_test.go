package fleet

import (
	"testing"
	"time"

	"loadgen"
)

// TestTheProcessorsOfAllAreAddedUp joins the health of workers: their host,
// processors and quota.
func TestTheProcessorsOfAllAreAddedUp(t *testing.T) {
	type of struct {
		host  string
		cpus  int
		quota float64
	}
	for name, c := range map[string]struct {
		apart   bool
		workers []of
		cpus    int
		quota   float64
	}{
		"processes of one machine":             {false, []of{{"a", 8, 0}, {"a", 8, 0}}, 8, 0},
		"processes of one container":           {false, []of{{"a", 8, 2}, {"a", 8, 2}}, 8, 2},
		"two machines":                         {true, []of{{"a", 8, 0}, {"b", 4, 0}}, 12, 0},
		"containers of two machines":           {true, []of{{"a", 8, 2}, {"b", 8, 1}}, 16, 3},
		"containers of one machine":            {true, []of{{"a", 8, 2}, {"a", 8, 2}}, 8, 4},
		"one of whom has a quota, another not": {true, []of{{"a", 8, 2}, {"b", 4, 0}}, 12, 6},
		"another has one, the first does not":  {true, []of{{"a", 4, 0}, {"b", 8, 2}}, 12, 6},
	} {
		t.Run(name, func(t *testing.T) {
			all := healths{apart: c.apart}
			for _, w := range c.workers {
				all.add(loadgen.Health{Wall: time.Second, CPUs: w.cpus, CPUQuota: w.quota}, w.host)
			}
			if h := all.joined(); h.CPUs != c.cpus || h.CPUQuota != c.quota {
				t.Errorf("%d processors and a quota of %g, want %d and %g", h.CPUs, h.CPUQuota, c.cpus, c.quota)
			}
		})
	}
}
