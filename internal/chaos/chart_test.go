//go:build unix

package chaos_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A chart is what became of all trials.
type chart struct {
	mu   sync.Mutex
	of   map[string]map[string]upshot
	most upshot
}

func (c *chart) add(tr trial, u upshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]map[string]upshot{}
	}
	name := tr.trouble.name
	if c.of[name] == nil {
		c.of[name] = map[string]upshot{}
	}
	c.of[name][tr.mode.name+"/"+tr.phase.name] = u
	c.most.took, c.most.memory = max(c.most.took, u.took), max(c.most.memory, u.memory)
}

// log tells what became of each trial, as the table of docs/reliability.md: how
// requests fail, and what loadgen exits with where the trouble begins in each
// phase. INVALID is left out: it is also up to what else the machine does.
func (c *chart) log(t *testing.T) {
	var b strings.Builder
	n := 0
	for _, tr := range troubles() {
		of := c.of[tr.name]
		if of == nil {
			continue
		}
		n += len(of)
		var failed, row []string
		for _, p := range phases {
			var exits []string
			for _, m := range modes {
				u, ok := of[m.name+"/"+p.name]
				if !ok {
					continue
				}
				exit := exitOf(u.status, "")
				if p.check && u.status == "not begun" {
					exit = u.exit
				}
				exits = append(exits, strconv.Itoa(exit))
				failed = append(failed, u.failed...)
			}
			slices.Sort(exits)
			row = append(row, cmp.Or(strings.Join(slices.Compact(exits), " or "), "-"))
		}
		slices.Sort(failed)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", tr.name, cmp.Or(strings.Join(slices.Compact(failed), ", "), "-"), strings.Join(row, " | "))
	}
	t.Logf("%d trials; the longest took %v, the largest %d MiB\n%s", n, c.most.took.Round(time.Millisecond), c.most.memory>>20, b.String())
}
