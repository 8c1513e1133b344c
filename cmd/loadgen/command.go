package main

import (
	"errors"
	"slices"
	"strings"

	"loadgen/internal/secret"
	"loadgen/sweep"
)

// shownCommand returns what loadgen was called with as it may be written down:
// overrides whose values are secret are masked, however they were given, and so is
// what lets workers in.
func shownCommand(args, overrides []string, secrets *secret.Set) []string {
	shown := slices.Clone(args)
	for i, arg := range shown {
		shown[i] = secrets.Hide(arg)
	}
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

// withoutStray returns an error about the command line that does not quote what
// stands behind an override without a value: a blank was written for the = and
// the argument may be a secret.
func withoutStray(err error, args []string) error {
	stray := &secret.Set{}
	for i, arg := range args {
		if arg == "--set" && i+2 < len(args) && !strings.Contains(args[i+1], "=") {
			stray.Add(args[i+2])
		}
	}
	return errors.New(stray.Hide(err.Error()))
}
