package compare

import (
	"slices"
	"strings"
)

// A Difference is a setting in which the sides differ. Where the runs of a
// side differ among themselves, all their values stand.
type Difference struct {
	Key  string `json:"key"`
	Base string `json:"base"`
	New  string `json:"new"`
	// Cells are those that differ so; empty for all.
	Cells []string `json:"cells,omitempty"`
}

// differ compares the settings of matched cells. A difference that all cells
// share is told once.
func (c *Comparison) differ(pairs []cellPair) {
	type found struct{ key, base, fresh string }
	var order []found
	cells := map[found][]string{}
	for _, p := range pairs {
		for _, key := range settingKeys(p) {
			base, fresh := settingOf(p.base, key), settingOf(p.fresh, key)
			if base == fresh || foreign(p) && (base == unset || fresh == unset) {
				continue
			}
			f := found{key, base, fresh}
			if cells[f] == nil {
				order = append(order, f)
			}
			cells[f] = append(cells[f], p.key)
		}
	}
	for _, f := range order {
		d := Difference{Key: f.key, Base: f.base, New: f.fresh}
		if len(cells[f]) < len(pairs) {
			d.Cells = cells[f]
		}
		c.Differences = append(c.Differences, d)
	}
}

// foreign reports whether the sides were measured by different tools, which
// have different settings: only those that both have can differ.
func foreign(p cellPair) bool {
	return settingOf(p.base, settingTool) != settingOf(p.fresh, settingTool)
}

func settingKeys(p cellPair) []string {
	var keys []string
	seen := map[string]bool{}
	for _, r := range slices.Concat(p.base, p.fresh) {
		for _, s := range r.Conditions {
			if !seen[s.Key] {
				seen[s.Key] = true
				keys = append(keys, s.Key)
			}
		}
	}
	return keys
}

// unset stands where a run does not have a setting.
const unset = "unset"

func settingOf(runs []CompareRun, key string) string {
	var values []string
	for _, r := range runs {
		value := unset
		if i := slices.IndexFunc(r.Conditions, func(s Setting) bool { return s.Key == key }); i >= 0 {
			value = r.Conditions[i].Value
		}
		values = append(values, value)
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), " | ")
}
