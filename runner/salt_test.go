package runner_test

import (
	"testing"

	"loadgen/runner"
	"loadgen/sweep"
)

func TestSaltsOfRuns(t *testing.T) {
	salt := func(bust string, number int) string {
		return runner.Salt(&sweep.Config{CacheBust: bust, CacheBustSalt: "night"}, number)
	}
	if a, b := salt("batch", 1), salt("batch", 2); a != "night" || b != a {
		t.Errorf("the runs of a batch have the salts %q and %q", a, b)
	}
	if a, b := salt("run", 1), salt("run", 2); a == b || a == salt("batch", 1) {
		t.Errorf("runs have the salts %q and %q", a, b)
	}
	if a, b := salt("run", 0), salt("run", 1); a != b {
		t.Errorf("the only run has the salt %q, the first of several %q", a, b)
	}
	if a := salt("none", 1); a != "" {
		t.Errorf("without cache_bust the salt is %q", a)
	}
}
