package floors_test

import (
	"bufio"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floorLine matches a line of the picture of docs/architecture.md: the floor,
// where it begins, and a package.
var floorLine = regexp.MustCompile(`^(?:floor (\d+)|       ) {2}([\w/]+)(?: \(root\))? `)

// TestThePictureIsTrue holds the arrows against the floors as the picture draws
// them: every package stands on one, and imports of lower ones alone.
func TestThePictureIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	floor := map[string]int{}
	at := 0
	for line := range strings.Lines(string(text)) {
		m := floorLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[1] != "" {
			if at, err = strconv.Atoi(m[1]); err != nil {
				t.Fatal(err)
			}
		}
		name := strings.TrimSuffix(m[2], "/")
		if name == "loadgen" {
			name = "" // the root
		}
		floor[name] = at
	}
	for pkg, others := range may {
		if _, drawn := floor[pkg]; !drawn {
			t.Errorf("the picture lacks %q", pkg)
		}
		for _, other := range others {
			if floor[other] >= floor[pkg] {
				t.Errorf("%q on floor %d imports %q on floor %d: that arrow does not fall", pkg, floor[pkg], other, floor[other])
			}
		}
	}
	for pkg := range floor {
		if _, known := may[pkg]; !known {
			t.Errorf("the picture has %q, which there is not", pkg)
		}
	}
	if lines := strings.Count(string(text), "\n"); lines >= 129 {
		t.Errorf("docs/architecture.md has %d lines: keep it below 129, for it is read by whoever is new", lines)
	}
}

// What keeps the house easy to read.
const (
	medianLines   = 135  // of the product's files
	greatestShare = 0.16 // of a room in the whole product
	commandLines  = 2000 // of cmd/loadgen, which decides nothing itself
	commandTests  = 0.5  // lines of its tests per line
)

func TestProportions(t *testing.T) {
	var files []int
	rooms := map[string]int{}
	total, commandTested := 0, 0
	for _, src := range sources(t) {
		n := linesOf(t, filepath.Join(root, filepath.FromSlash(src.name)))
		if src.test {
			if src.dir == "cmd/loadgen" {
				commandTested += n
			}
			continue
		}
		files = append(files, n)
		rooms[src.dir] += n
		total += n
	}
	slices.Sort(files)
	if median := files[len(files)/2]; median > medianLines {
		t.Errorf("the median file has %d lines, want at most %d", median, medianLines)
	}
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if share := float64(rooms[room]) / float64(total); share > greatestShare {
			t.Errorf("%s is %.1f %% of the house, want at most %.0f", path.Join("loadgen", room), 100*share, 100*greatestShare)
		}
	}
	command := rooms["cmd/loadgen"]
	if command > commandLines {
		t.Errorf("cmd/loadgen has %d lines, want at most %d: what it decides belongs into a lower room", command, commandLines)
	}
	if float64(commandTested) < commandTests*float64(command) {
		t.Errorf("cmd/loadgen has %d lines and its tests %d", command, commandTested)
	}
}

func linesOf(t *testing.T, file string) (n int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		n++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}
