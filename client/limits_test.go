package client_test

import (
	"math"
	"strings"
	"testing"

	"loadgen/client"
)

func TestConcurrencyTheSystemCannotCarry(t *testing.T) {
	for name, c := range map[string]struct {
		files, ports, concurrency int
		says                      string // empty where it can
	}{
		"well within":                   {1024, 28232, 100, ""},
		"no ceiling":                    {1024, 28232, 0, ""},
		"all files but the spare":       {1024, 28232, 960, ""},
		"one file too many":             {1024, 28232, 961, "raise it (ulimit -n 1025) or lower concurrency to 960"},
		"a limit below the spare":       {32, 28232, 1, "the limit is 32: raise it (ulimit -n 65)"},
		"more ports than there are":     {1 << 20, 28232, 28233, "ip_local_port_range"},
		"limits that nobody knows":      {math.MaxInt, math.MaxInt, 1 << 30, ""},
		"the files are told before all": {1024, 500, 2000, "ulimit"},
	} {
		t.Run(name, func(t *testing.T) {
			err := client.Carry(c.files, c.ports, c.concurrency)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if err := client.Preflight(1); err != nil {
		t.Errorf("concurrency 1: %v", err)
	}
}
