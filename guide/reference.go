package guide

import (
	"regexp"
	"strings"
	"sync"

	"loadgen/docs"
)

// An Entry is what the documentation says of a key, a row of one of its tables.
type Entry struct {
	// Type is the kind of value with its unit, Default what holds where the key
	// is not written, in words; Meaning may have several sentences.
	Type, Default, Meaning string
	// Page and Section are where the row stands.
	Page, Section string
}

// A page is a file of the documentation with the headings whose tables describe
// keys, and what their paths begin with; below headings that begin with
// base_config that is it. A * stands for any key.
type page struct {
	name, text string
	sections   map[string]string
}

func pages() []page {
	return []page{
		{"docs/batch-file.md", docs.BatchFile, map[string]string{
			"Top level": "", "profiler": "profiler.",
			"export": "export.", "hooks": "hooks.", "A hook": "hooks.*.",
		}},
		{"docs/capacity.md", docs.Capacity, map[string]string{"The block": "search."}},
		{"docs/mock.md", docs.Mock, map[string]string{"Keys": "mock."}},
	}
}

// entries are the rows of the documentation by the paths of their keys.
var entries = sync.OnceValue(func() map[string]Entry {
	all := map[string]Entry{}
	for _, p := range pages() {
		p.read(all)
	}
	return all
})

// EntryOf returns what the documentation says of a key.
func EntryOf(path string) (Entry, bool) {
	e, ok := entries()[path]
	if parts := strings.Split(path, "."); !ok && len(parts) == 3 {
		e, ok = entries()[parts[0]+".*."+parts[2]] // alike in several blocks
	}
	return e, ok
}

// read adds the rows of the tables below the page's headings.
func (p page) read(all map[string]Entry) {
	prefix, section, known := "", "", false
	var columns []string
	for line := range strings.Lines(p.text) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if prefix, known = p.sections[heading]; strings.HasPrefix(heading, "base_config: ") {
				prefix, known = "base_config.", true
			}
			section = heading
			columns = nil
			continue
		}
		if heading, ok := strings.CutPrefix(line, "### "); ok && p.sections[heading] != "" {
			prefix, section = p.sections[heading], heading
		}
		if !known || !strings.HasPrefix(line, "|") {
			columns = nil
			continue
		}
		cells := cellsOf(line)
		switch {
		case columns == nil && cells[0] == "key":
			columns = cells
		case columns == nil || strings.HasPrefix(cells[0], "-"):
		default:
			for _, key := range codes.FindAllStringSubmatch(cells[0], -1) {
				e := entry(columns, cells)
				e.Page, e.Section = p.name, section
				all[prefix+key[1]] = e
			}
		}
	}
}

var (
	codes = regexp.MustCompile("`([^`]+)`")
	links = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
)

// cellsOf splits a row of a table.
func cellsOf(row string) []string {
	cells := strings.Split(strings.Trim(row, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func entry(columns, cells []string) Entry {
	var e Entry
	for i, column := range columns {
		if i >= len(cells) {
			break
		}
		switch name, _, _ := strings.Cut(column, ","); name {
		case "type":
			e.Type = cells[i]
		case "default":
			e.Default = cells[i]
		case "meaning":
			e.Meaning = sentence(cells[i])
		}
	}
	return e
}

// sentence is a meaning without what only a page shows: of a link, where it
// leads.
func sentence(text string) string {
	return links.ReplaceAllStringFunc(text, func(link string) string {
		m := links.FindStringSubmatch(link)
		words, target := m[1], m[2]
		file, heading, _ := strings.Cut(target, "#")
		switch {
		case file == "":
			return words + " (" + heading + ")"
		case words == file:
			return "docs/" + file
		}
		return words + " (docs/" + file + ")"
	})
}
