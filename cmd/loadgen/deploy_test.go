package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"loadgen/mockllm"
)

// TestTheManifestCallsWhatIsThere parses the arguments of the containers that the
// manifest starts, and checks the places that say how many workers there are.
func TestTheManifestCallsWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../deploy/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest := strings.ReplaceAll(string(text), "4 # N", "50 # N")
	if n := len(regexp.MustCompile(`(?m)(--workers=|completions: |parallelism: )50 # N$`).FindAllString(manifest, -1)); n != 3 {
		t.Errorf("%d of three places say how many workers there are", n)
	}
	argument := regexp.MustCompile(`(?m)^ +- ([^ ]+)(?: # .*)?\n`)
	var begin []string
	for _, block := range regexp.MustCompile(`args:\n((?: +- .*\n)+)`).FindAllStringSubmatch(manifest, -1) {
		var args []string
		for _, line := range argument.FindAllStringSubmatch(block[1], -1) {
			args = append(args, line[1])
		}
		var cli commands
		parser, err := kong.New(&cli, kong.Name("loadgen"), kong.Vars(mockllm.FlagDefaults()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		begin = append(begin, args[0])
		if cli.Run.Workers == 50 {
			if err := cli.Run.Check(); err != nil {
				t.Errorf("%q: %v", args, err)
			}
		}
	}
	if len(begin) != 2 || begin[0] != "--config-file=/batch/batch.yaml" || begin[1] != "worker" {
		t.Errorf("containers begin with %q, want the coordinator and a worker", begin)
	}
}
