package sink

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"loadgen/internal/outside"
	"loadgen/sweep"
)

// MarkdownName is the table of a batch for a pull request or a chat.
const MarkdownName = "summary.md"

// shown are the columns of tables for people.
var shown = []struct{ head, tag, stat string }{
	{"output tokens/s", "output_token_throughput", "avg"},
	{"requests/s", "request_throughput", "avg"},
	{"TTFT p50 ms", "time_to_first_token", "p50"},
	{"TTFT p99 ms", "time_to_first_token", "p99"},
	{"ITL p50 ms", "inter_token_latency", "p50"},
	{"ITL p99 ms", "inter_token_latency", "p99"},
	{"latency p50 ms", "request_latency", "p50"},
	{"latency p99 ms", "request_latency", "p99"},
}

func markdownFile(_ context.Context, b *Batch, _ *sweep.Export, o *Options) (string, error) {
	path := filepath.Join(b.Dir, MarkdownName)
	return path, file(path, func(w io.Writer) error {
		_, err := io.WriteString(w, markdown(b, o.Version))
		return err
	})
}

func markdown(b *Batch, version string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "## %s\n\n", inCell(b.Name))
	head, rule := "| run | verdict | ok | failed |", "|---|---|---:|---:|"
	for _, c := range shown {
		head += " " + c.head + " |"
		rule += "---:|"
	}
	fmt.Fprintf(&out, "%s\n%s\n", head, rule)
	var notes []string
	for _, r := range b.Runs {
		fmt.Fprintf(&out, "| %s | %s |", inCell(r.Name), inCell(cmp.Or(r.Verdict(), string(r.Status))))
		if r.Summary == nil {
			out.WriteString(strings.Repeat("  |", 2+len(shown)) + "\n")
		} else {
			fmt.Fprintf(&out, " %d | %d |", r.Summary.Counts.OK, r.Summary.Counts.Failed)
			for _, c := range shown {
				text := ""
				if v, ok := r.Figure(c.tag, c.stat); ok {
					text = fmt.Sprintf("%.5g", v)
				}
				out.WriteString(" " + text + " |")
			}
			out.WriteString("\n")
		}
		if r.Unfit != "" {
			notes = append(notes, fmt.Sprintf("- %s is not to be relied on: %s", inCell(r.Name), inCell(r.Unfit)))
		}
		for _, missed := range r.Missed {
			notes = append(notes, fmt.Sprintf("- %s: %s", inCell(r.Name), inCell(missed)))
		}
	}
	if notes != nil {
		out.WriteString("\n" + strings.Join(notes, "\n") + "\n")
	}
	fmt.Fprintf(&out, "\n%s, by loadgen %s\n", started(b), version)
	return out.String()
}

// started says when the first run began.
func started(b *Batch) string {
	if t := b.Runs[0].Started; !t.IsZero() {
		return t.UTC().Format("2006-01-02 15:04 UTC")
	}
	return "time unknown"
}

// inCell is a text that stays what it is within a table: it opens no cell, no
// markup and no HTML.
func inCell(text string) string {
	const marks = "\\`*_{}[]<>()#+!|~&"
	var out strings.Builder
	for _, r := range cutText(outside.Line(text), 300) {
		switch {
		case r == '<':
			out.WriteString("&lt;")
		case r == '&':
			out.WriteString("&amp;")
		case r != '_' && strings.ContainsRune(marks, r):
			out.WriteString("\\" + string(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// cutText shortens a text to some characters.
func cutText(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
