package sink

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"loadgen/internal/outside"
	"loadgen/results"
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
	out.WriteString(answersText(b))
	out.WriteString(runsTable(b))
	if notes := notesOf(b.Runs); notes != nil {
		out.WriteString("\n" + strings.Join(notes, "\n") + "\n")
	}
	fmt.Fprintf(&out, "\n%s, by loadgen %s\n", started(b), version)
	return out.String()
}

// answersText is what searches found, a paragraph each, and below what is to be known
// beside it.
func answersText(b *Batch) string {
	var out strings.Builder
	for _, a := range b.answers() {
		text := prose(a.tier.Answer)
		if subject := a.of.Subject(a.tier); subject != "" {
			text = "**" + prose(subject) + "**: " + text
		}
		out.WriteString(text + "\n\n")
	}
	several := len(b.Searches) > 1
	for i := range b.Searches {
		c := &b.Searches[i]
		for _, remark := range c.Remarks() {
			if several {
				remark = c.Subject(&results.CapacityTier{}) + ": " + remark
			}
			out.WriteString("- " + prose(remark) + "\n")
		}
	}
	if text := out.String(); text != "" {
		return strings.TrimRight(text, "\n") + "\n\n"
	}
	return ""
}

// runsTable is a table of the runs, a row each.
func runsTable(b *Batch) string {
	var out strings.Builder
	head, rule := "| run |", "|---|"
	if b.Searches != nil {
		head, rule = "| probe | made to | limits |", "|---|---|---|"
	}
	head, rule = head+" verdict | ok | failed |", rule+"---|---:|---:|"
	for _, c := range shown {
		head += " " + c.head + " |"
		rule += "---:|"
	}
	fmt.Fprintf(&out, "%s\n%s\n", head, rule)
	for _, r := range b.Runs {
		fmt.Fprintf(&out, "| %s |", inCell(r.Name))
		if r.Probe != nil {
			fmt.Fprintf(&out, " %s | %s |", inCell(r.Probe.Purpose), inCell(r.Probe.Says))
		}
		fmt.Fprintf(&out, " %s |", inCell(cmp.Or(r.Verdict(), string(r.Status))))
		if r.Summary == nil {
			out.WriteString(strings.Repeat("  |", 2+len(shown)) + "\n")
			continue
		}
		fmt.Fprintf(&out, " %d | %d |", r.Summary.Counts.OK, r.Summary.Counts.Failed)
		for _, c := range shown {
			text := ""
			if v, ok := r.shownFigure(c.tag, c.stat); ok {
				text = fmt.Sprintf("%.5g", v)
			}
			out.WriteString(" " + text + " |")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// notesOf say which runs are not to be relied on, and which missed a limit.
func notesOf(runs []*Run) []string {
	var notes []string
	for _, r := range runs {
		switch {
		case r.Probe != nil && r.Probe.Void != "":
			notes = append(notes, fmt.Sprintf("- %s proves nothing: %s", inCell(r.Name), inCell(r.Probe.Void)))
		case r.Unfit != "":
			notes = append(notes, fmt.Sprintf("- %s is not to be relied on: %s", inCell(r.Name), inCell(r.Unfit)))
		}
		for _, missed := range r.Missed {
			notes = append(notes, fmt.Sprintf("- %s: %s", inCell(r.Name), inCell(missed)))
		}
	}
	return notes
}

// started says when the first run began.
func started(b *Batch) string {
	if t := b.began(); !t.IsZero() {
		return t.UTC().Format("2006-01-02 15:04 UTC")
	}
	return "time unknown"
}

// inCell is a text that stays what it is within a table: it opens no cell, no
// markup and no HTML.
func inCell(text string) string {
	return escaped(cutText(outside.Line(text), 300), "\\`*{}[]<>()#+!|~&")
}

// prose is a text that stays what it is in a sentence.
func prose(text string) string { return escaped(cutText(outside.Line(text), 1000), "\\`*[]<>|~&") }

func escaped(text, marks string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '<':
			out.WriteString("&lt;")
		case r == '&':
			out.WriteString("&amp;")
		case strings.ContainsRune(marks, r):
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
