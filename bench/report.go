package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// median returns the middle of some values.
func median(values []float64) float64 { return percentile(values, 50) }

// spread returns the least and the greatest of some values.
func spread(values []float64, format string) string {
	return fmt.Sprintf(format+" to "+format, slices.Min(values), slices.Max(values))
}

// machine says what the figures are from, without a name that could tell whose
// it is.
func machine() string {
	kernel, _, _ := strings.Cut(strings.TrimSpace(readFile("/proc/sys/kernel/osrelease")), "-")
	model := ""
	for line := range strings.Lines(readFile("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	revision := "of this tree"
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		revision = "at " + strings.TrimSpace(string(out))
	}
	load, _, _ := strings.Cut(readFile("/proc/loadavg"), " ")
	return fmt.Sprintf("%d CPUs (%s) shared by client and endpoint, Linux %s, %s, loadgen %s; load average %s at the start.\n\n",
		runtime.NumCPU(), model, kernel, runtime.Version(), revision, load)
}

func readFile(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}

// replaceSection puts a text between the marks of a section of a file.
func replaceSection(path, section, text string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	open, end := []byte("<!-- "+section+" -->\n"), []byte("<!-- end of "+section+" -->")
	before, rest, found := bytes.Cut(data, open)
	_, after, ended := bytes.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no section between %s and %s", path, bytes.TrimSpace(open), end)
	}
	return os.WriteFile(path, slices.Concat(before, open, []byte(text), end, after), 0o644)
}
