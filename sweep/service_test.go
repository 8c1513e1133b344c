package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

func TestSeveralAnswersToARequestAreRefused(t *testing.T) {
	for written, refused := range map[string]bool{
		"n: 2": true, "n: 1": false, "n: 1.0": false, "n: null": false, "best_of: 4": true, "n: two": true,
	} {
		_, err := sweep.Parse("b.yaml", []byte(minimal+"  extra_inputs: {"+written+"}\n"), sweep.Options{})
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "several answers to a request") {
			t.Errorf("%s: %v", written, err)
		}
	}
}
