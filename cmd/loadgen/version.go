package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is loadgen's own; a release sets it when it links.
var version = "0.1.0"

type versionCommand struct{}

func (versionCommand) Run(std streams) error {
	_, err := fmt.Fprintf(std.out, "loadgen %s%s %s %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// revision returns the commit that the program was built from in parentheses,
// nothing where the build does not say.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
