package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/stats"
)

// CompareOptions are how to show a comparison.
type CompareOptions struct {
	All    bool // also the results without a difference of a long comparison
	Strict bool // what cannot be told fails
	Options
}

// CompareAs is the comparison as a table, markdown, json or junit.
func CompareAs(format string, c *compare.Comparison, o CompareOptions) (string, error) {
	switch format {
	case "markdown":
		return CompareMarkdown(c, o.All), nil
	case "json":
		return compareJSON(c)
	case "junit":
		return CompareJUnit(c, o.Strict)
	}
	return CompareTable(c, o.All, o.Options), nil
}

func compareJSON(c *compare.Comparison) (string, error) {
	return jsonText(struct {
		SchemaVersion string `json:"schema_version"`
		*compare.Comparison
	}{"1.0", c})
}

// jsonText is a value as JSON that a person can read too.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.String(), err
}

// mostMarkdownRows keep a comment on a pull request below the 65,536
// characters that one may have.
const mostMarkdownRows = 200

// CompareMarkdown is the comparison as a comment on a pull request.
func CompareMarkdown(c *compare.Comparison, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", verdictLine(c))
	for _, s := range []compare.SideFacts{c.Base, c.New} {
		fmt.Fprintf(&b, "- %s\n", markdown(sideLine(s)))
	}
	rows, hidden := shownRows(c, all)
	if cut := len(rows) - mostMarkdownRows; cut > 0 {
		rows, hidden = rows[:mostMarkdownRows], hidden+cut
	}
	if len(rows) > 0 {
		b.WriteString("\n| cell | metric | runs | BASE | NEW | change | 95% interval | verdict |\n|---|---|---:|---:|---:|---:|---:|---|\n")
	}
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %d:%d | %s | %s | %s | %s | %s |\n", markdown(outside.Line(r.Cell)), markdown(metricOf(&r)),
			r.BaseRuns, r.NewRuns, bounded(r.BaseBound, r.Base, r.Unit), bounded(r.NewBound, r.New, r.Unit), change(&r), intervalOf(&r), emphasis(r.Verdict))
	}
	if hidden > 0 {
		fmt.Fprintf(&b, "\n%s not shown.\n", Count(hidden, "result"))
	}
	for _, s := range compareNotes(c) {
		fmt.Fprintf(&b, "\n**%s**\n\n", s.title)
		for _, line := range s.lines {
			fmt.Fprintf(&b, "- %s\n", markdown(line))
		}
	}
	return b.String()
}

func emphasis(v stats.Verdict) string {
	if v == stats.Worse || v == stats.Better {
		return "**" + string(v) + "**"
	}
	return string(v)
}

// markdown keeps a text from being taken for markup.
func markdown(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "#", `\#`, "@", "@\u200b", "\n", " ").Replace(text)
}

// The JUnit file of a comparison: a test case for each cell and figure.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
		Output   string      `xml:"system-out,omitempty"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Failure *junitCause `xml:"failure"`
		Skipped *junitCause `xml:"skipped"`
	}
	junitCause struct {
		Message string `xml:"message,attr"`
	}
)

// CompareJUnit is the comparison as a JUnit report: what is worse fails, what
// cannot be told is skipped, or fails too if strict. Figures that are only
// shown never fail.
func CompareJUnit(c *compare.Comparison, strict bool) (string, error) {
	s := junitSuite{Name: "loadgen compare", Output: verdictLine(c)}
	for i := range c.Results {
		r := &c.Results[i]
		t := junitCase{Class: orDash(r.Cell), Name: r.Metric}
		cause := &junitCause{strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", r.Verdict, change(r), intervalOf(r), r.Reason))}
		switch {
		case r.Gated && (r.Verdict == stats.Worse || strict && r.Verdict == stats.CannotTell):
			t.Failure = cause
			s.Failures++
		case r.Verdict == stats.CannotTell:
			t.Skipped = cause
			s.Skipped++
		}
		s.Cases = append(s.Cases, t)
	}
	s.Tests = len(s.Cases)
	data, err := xml.MarshalIndent(junitSuites{Suites: []junitSuite{s}}, "", "  ")
	return xml.Header + string(data) + "\n", err
}
