package sink

import (
	"cmp"
	"context"
	"encoding/xml"
	"io"
	"path/filepath"
	"strings"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/sweep"
)

// JUnitName is the batch as the result of tests: a run is a case.
const JUnitName = "junit.xml"

// The elements of JUnit's report, as Jenkins, GitLab and GitHub's actions read
// it.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      float64     `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    float64       `xml:"time,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Skipped *junitProblem `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func junitFile(_ context.Context, b *Batch, _ *sweep.Export, _ *Options) (string, error) {
	path := filepath.Join(b.Dir, JUnitName)
	return path, file(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, xml.Header); err != nil {
			return err
		}
		enc := xml.NewEncoder(w)
		enc.Indent("", "  ")
		if err := enc.Encode(junit(b)); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n")
		return err
	})
}

// junit is a suite of the runs. A run that missed a stated limit fails; one that
// could not be made, or whose figures are not to be relied on, is an error.
func junit(b *Batch) *junitSuites {
	s := junitSuite{Name: b.Name}
	if t := b.Runs[0].Started; !t.IsZero() {
		s.Timestamp = t.UTC().Format("2006-01-02T15:04:05")
	}
	for _, r := range b.Runs {
		c := junitCase{Name: outside.Line(r.Name), Class: "loadgen." + b.Name}
		if !r.Started.IsZero() && !r.Ended.IsZero() {
			c.Time = r.Ended.Sub(r.Started).Seconds()
		}
		s.Tests++
		s.Time += c.Time
		switch {
		case r.Status == loadgen.Skipped:
			c.Skipped = &junitProblem{Message: problemText(r.Failed)}
			s.Skipped++
		case r.Unfit != "":
			c.Error = &junitProblem{Message: problemText(r.Unfit), Type: cmp.Or(r.Verdict(), string(r.Status))}
			s.Errors++
		case len(r.Missed) > 0:
			c.Failure = &junitProblem{Message: problemText(r.Missed[0]), Type: "limit", Text: outside.Text(strings.Join(r.Missed, "\n"))}
			s.Failures++
		}
		c.Output = figuresText(r)
		s.Cases = append(s.Cases, c)
	}
	return &junitSuites{Suites: []junitSuite{s}}
}

func problemText(text string) string { return cutText(outside.Line(text), 500) }

// figuresText lists the main figures of a run, a line each.
func figuresText(r *Run) string {
	var lines []string
	if v := r.Verdict(); v != "" {
		lines = append(lines, "verdict "+v)
	}
	for _, c := range shown {
		if v, ok := r.Figure(c.tag, c.stat); ok {
			lines = append(lines, c.head+" "+compact(v))
		}
	}
	return strings.Join(lines, "\n")
}
