package page

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"

	"loadgen/results"
)

// Name is that of a batch's page.
const Name = "report.html"

//go:embed page.tmpl
var pageText string

//go:embed page.css
var styleText string

//go:embed page.js
var pageScript string

//go:embed chart.js
var chartScript string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"clean": clean}).Parse(pageText))

// Write makes the page of a batch in its directory. It can be made again from
// the other files, and is not waited for until it is on the disk.
func Write(dir string) error {
	text, err := HTML([]string{dir})
	if err != nil {
		return err
	}
	return results.DeriveFile(filepath.Join(dir, Name), text)
}

// HTML returns the page of the batches, runs or AIPerf's directories in some
// directories, side by side where they are several. What of them cannot be read
// is told on the page; only where nothing can is that an error.
func HTML(dirs []string) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			text, err = nil, fmt.Errorf("making the page: %v", r)
		}
	}()
	var batches []*Batch
	dirs, errs := spread(dirs)
	for _, dir := range dirs {
		b, err := Open(dir)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		batches = append(batches, b)
	}
	if len(batches) == 0 {
		return nil, errors.Join(errs...)
	}
	v := viewOf(batches)
	for _, err := range errs {
		v.Broken = append(v.Broken, err.Error())
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("making the page: %w", err)
	}
	return b.Bytes(), nil
}

// mostBatches of one directory are put on a page: the last by name, which are the latest nights of one.
const mostBatches = 12

// spread replaces a directory that holds several batches by these: runs of two
// nights are no repeats of each other.
func spread(dirs []string) (out []string, errs []error) {
	for _, dir := range dirs {
		found, err := results.BatchesIn(dir)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading %s: %w", dir, err))
			continue
		}
		if n := len(found); n > mostBatches {
			errs = append(errs, fmt.Errorf("%s holds %d batches, of which the last %d by name are here: loadgen history shows all nights of a batch", dir, n, mostBatches))
			found = found[n-mostBatches:]
		}
		out = append(out, found...)
	}
	return out, errs
}

// A view is what the template is given.
type view struct {
	Title   string
	Style   template.CSS
	Script  template.JS
	Batches []*batchView
	Side    []figure // charts over all batches; of several alone
	Broken  []string
}

// A batchView is a batch on a page.
type batchView struct {
	ID, Name, About string
	Answers         []answer
	Table           table
	Sweep           []figure
	Findings        []findingView
	Comparison      *Comparison
	Searches        []searchView
	Runs            []*runView
	Measured        []fact
	Notes           []string
}

// A figure is a chart with its words.
type figure struct {
	ID, Title, Says string
	Keys            []key
	Picture         template.HTML
}

// A fact is a name with what it is.
type fact struct{ Name, Value string }

// A table is read by people and sorted by the page's script.
type table struct {
	Caption string
	Head    []string
	Rows    []row
	Words   bool // mostly words, not numbers
}

// A row is one of a table.
type row struct {
	Link  string // where its first cell leads to
	Tone  string // of its second one, a verdict
	Cells []string
}

func viewOf(batches []*Batch) *view {
	v := &view{Style: template.CSS(styleText + heatStyle()), Script: template.JS(pageScript + chartScript)} //nolint:gosec // both are this program's own
	left := pageBytes - len(v.Style) - len(v.Script)
	var names []string
	runs := 0
	for _, b := range batches {
		runs += len(b.Runs)
		names = append(names, b.Name)
	}
	v.Title = strings.Join(names, ", ")
	if len(batches) > 1 {
		v.Side = figures("side", sideCharts(batches), &left)
	}
	for i, b := range batches {
		v.Batches = append(v.Batches, b.view(fmt.Sprintf("b%d", i+1), &left, &runs))
	}
	return v
}

// figures draws charts as long as there is room; a chart that cannot be drawn is
// left out.
func figures(prefix string, charts []Chart, room *int) []figure {
	var out []figure
	for i := range charts {
		c := &charts[i]
		if c.empty() {
			continue
		}
		picture, err := c.inline(inlineWidth, inlineHeight)
		if err != nil || len(picture) > *room {
			continue
		}
		*room -= len(picture) + figureOverhead
		out = append(out, figure{ID: prefix + "-" + c.Name, Title: c.Title, Says: c.Says, Keys: c.keys(), Picture: picture})
	}
	return out
}

// pageBytes is the size that a page keeps to: one that is mailed and opened on a
// telephone. figureOverhead is about what the words around a chart take.
const (
	pageBytes      = 1_400_000
	figureOverhead = 700
)
