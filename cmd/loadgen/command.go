package main

import (
	"slices"
	"strings"

	"loadgen/sweep"
)

// shownCommand returns what loadgen was called with as it may be written down:
// overrides whose values are secret are masked, however they were given.
func shownCommand(args, overrides []string) []string {
	shown := slices.Clone(args)
	for _, override := range overrides {
		masked := sweep.ShownOverride(override)
		if masked == override {
			continue
		}
		for i, arg := range shown {
			if rest, ok := strings.CutSuffix(arg, override); ok && (rest == "" || rest == "--set=") {
				shown[i] = rest + masked
			}
		}
	}
	return shown
}
