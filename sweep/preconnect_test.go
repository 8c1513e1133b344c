package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

func TestOnlyTheRawEngineConnectsAhead(t *testing.T) {
	for _, keys := range []string{"  transport: std\n  preconnect: true\n", "  http_version: 2\n  preconnect: false\n"} {
		list := faults(t, minimal+keys, sweep.Options{})
		if len(list) != 1 || !strings.Contains(list[0].Error(), "only the raw engine opens connections ahead") {
			t.Errorf("%q: %v", keys, list)
		}
	}
}
