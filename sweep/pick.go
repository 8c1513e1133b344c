package sweep

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"loadgen"
)

// A condition names values of a swept key: concurrency=4,8.
type condition struct {
	key    string
	values []string
}

// meets reports whether a cell has one of the values.
func (c condition) meets(cell *Cell) bool {
	return slices.ContainsFunc(cell.Values, func(v loadgen.Value) bool {
		return v.Key == c.key && slices.ContainsFunc(c.values, func(value string) bool { return isValue(v.Value, value) })
	})
}

// isValue reports whether a swept value is what was written on a command line:
// 4 and 4.0 are the same.
func isValue(v any, written string) bool {
	if text(v) == written {
		return true
	}
	switch v.(type) {
	case int, float64:
		have, err1 := strconv.ParseFloat(text(v), 64)
		want, err2 := strconv.ParseFloat(written, 64)
		return err1 == nil && err2 == nil && have == want
	}
	return false
}

// conditionStart matches where a condition begins behind another one.
var conditionStart = regexp.MustCompile(`(?:^|[\s;])\s*([A-Za-z_][\w.-]*)\s*=`)

// conditions reads what one --only or --skip asks for: concurrency=4,8, and
// further keys behind a blank or a semicolon.
func (f *file) conditions(flag, written string, sweeps Sweeps) []condition {
	src := newSource(flag, []byte(written))
	wrong := func(at, width int, message, hint string) {
		f.report.add(src.fault(1, at+1, width, "", message, hint))
	}
	starts := conditionStart.FindAllStringSubmatchIndex(written, -1)
	if len(starts) == 0 || strings.TrimSpace(written[:starts[0][2]]) != "" {
		wrong(0, len(written), "must be KEY=VALUE,VALUE", "such as concurrency=4,8")
		return nil
	}
	var found []condition
	for i, start := range starts {
		end := len(written)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		key := written[start[2]:start[3]]
		at := slices.IndexFunc(sweeps, func(s Sweep) bool { return s.Key == key })
		if at < 0 {
			wrong(start[2], len(key), key+" is not swept", sweptHint(key, sweeps))
			continue
		}
		c := condition{key: key}
		values := strings.TrimSpace(strings.TrimRight(written[start[1]:end], "; \t"))
		list := strings.Split(values, ",")
		if sweeps[at].takes(values) { // with its commas
			list = []string{values}
		}
		for _, value := range list {
			value = strings.TrimSpace(value)
			if !sweeps[at].takes(value) {
				wrong(start[2], end-start[2], fmt.Sprintf("%s=%s matches no cell", key, value), key+" takes "+sweeps[at].list())
			}
			c.values = append(c.values, value)
		}
		found = append(found, c)
	}
	return found
}

// takes reports whether a value is one of the sweep's.
func (s Sweep) takes(value string) bool {
	return slices.ContainsFunc(s.Values, func(v any) bool { return isValue(v, value) })
}

func sweptHint(key string, sweeps Sweeps) string {
	var keys []string
	for _, s := range sweeps {
		keys = append(keys, s.Key)
	}
	if len(keys) == 0 {
		return "the batch has no sweeps, and one cell"
	}
	if hint := suggest(key, keys); hint != "" {
		return hint
	}
	return "there are " + wrapList(keys)
}

// list returns the values of a sweep, separated by commas.
func (s Sweep) list() string {
	words := make([]string, len(s.Values))
	for i, v := range s.Values {
		words[i] = text(v)
	}
	return wrapList(words)
}

// pick leaves out the cells that are not to be run. The others stay what they
// are: index, seed and directory do not depend on which are picked.
func (f *file) pick(batch *Batch, only, skip []string) {
	if len(only)+len(skip) == 0 {
		return
	}
	wanted := map[string]condition{}
	for _, written := range only {
		for _, c := range f.conditions("--only", written, batch.Sweeps) {
			c.values = append(c.values, wanted[c.key].values...)
			wanted[c.key] = c
		}
	}
	var unwanted [][]condition
	for _, written := range skip {
		if list := f.conditions("--skip", written, batch.Sweeps); len(list) > 0 {
			unwanted = append(unwanted, list)
		}
	}
	all := len(batch.cells)
	unpicked := func(cell Cell) bool {
		for _, c := range wanted {
			if !c.meets(&cell) {
				return true
			}
		}
		return slices.ContainsFunc(unwanted, func(list []condition) bool {
			return !slices.ContainsFunc(list, func(c condition) bool { return !c.meets(&cell) })
		})
	}
	var picked []Cell
	for _, cell := range batch.cells {
		if unpicked(cell) {
			batch.leftOut = append(batch.leftOut, cell)
		} else {
			picked = append(picked, cell)
		}
	}
	batch.cells = picked
	if len(batch.cells) == 0 && len(f.report.list) == 0 {
		f.report.add(newSource("--only, --skip", nil).whole(fmt.Sprintf("leave none of %d cells", all), "see --dry-run without them"))
		return
	}
	batch.Notes = append(batch.Notes, fmt.Sprintf("--only and --skip pick %d of %d cells", len(batch.cells), all))
}
