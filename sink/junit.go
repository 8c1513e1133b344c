package sink

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/sweep"
)

// JUnitName is the batch as the result of tests: a run is a case, and what a search found.
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

// junit is a suite of the runs, behind the answers of a search.
func junit(b *Batch) *junitSuites {
	s := junitSuite{Name: b.Name}
	if t := b.began(); !t.IsZero() {
		s.Timestamp = t.UTC().Format("2006-01-02T15:04:05")
	}
	for _, a := range b.answers() {
		s.add(junitAnswer(b, a))
	}
	for _, r := range b.Runs {
		s.add(junitRun(b, r))
	}
	return &junitSuites{Suites: []junitSuite{s}}
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	s.Time += c.Time
	switch {
	case c.Skipped != nil:
		s.Skipped++
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}

// junitRun is a run as a case. A run that missed a stated limit fails; one that
// could not be made, or whose figures are not to be relied on, is an error. Of a search's
// none does: how it fares beyond the capacity is what the search wants to know.
func junitRun(b *Batch, r *Run) junitCase {
	c := junitCase{Name: outside.Line(r.Name), Class: "loadgen." + b.Name, Output: figuresText(r)}
	if !r.Started.IsZero() && !r.Ended.IsZero() {
		c.Time = r.Ended.Sub(r.Started).Seconds()
	}
	switch {
	case r.Status == loadgen.Skipped:
		c.Skipped = &junitProblem{Message: problemText(r.Failed)}
	case r.Probe != nil:
		if r.Probe.Void != "" {
			c.Skipped = &junitProblem{Message: problemText("a probe that proves nothing: " + r.Probe.Void)}
		}
		c.Output = outside.Text(strings.Join(slices.DeleteFunc([]string{r.Probe.Purpose, r.Probe.Says, c.Output}, func(s string) bool { return s == "" }), "\n"))
	case r.Unfit != "":
		c.Error = &junitProblem{Message: problemText(r.Unfit), Type: cmp.Or(r.Verdict(), string(r.Status))}
	case len(r.Missed) > 0:
		c.Failure = &junitProblem{Message: problemText(r.Missed[0]), Type: "limit", Text: outside.Text(strings.Join(r.Missed, "\n"))}
	}
	return c
}

// junitAnswer is what a search found as a case. Where even the least load broke a limit
// it fails, as a run does that missed one; where there is no answer, it is an error. One
// that is not certified says so, and passes.
func junitAnswer(b *Batch, a answer) junitCase {
	c := junitCase{Name: outside.Line(strings.TrimSpace("capacity " + a.of.Subject(a.tier))), Class: "loadgen." + b.Name}
	lines := []string{a.of.Sentence(a.tier), "status " + a.tier.Status, "stopped " + a.of.Stopped, fmt.Sprintf("certified %t", a.tier.Certified)}
	for name, v := range a.tier.Numbers() {
		lines = append(lines, strings.TrimSpace(name+" "+compact(v)+" "+a.of.Unit))
	}
	c.Output = outside.Text(strings.Join(append(lines, a.of.Remarks()...), "\n"))
	problem := &junitProblem{Message: problemText(a.tier.Answer), Type: a.tier.Status, Text: c.Output}
	switch a.tier.Status {
	case sweep.CapacityFound, sweep.CapacityNoFail:
	case sweep.CapacityNoPass:
		if c.Failure = problem; !b.answered(a.of) {
			problem.Message = problemText("no request of any probe succeeded")
			c.Failure, c.Error = nil, problem
		}
	default:
		c.Error = problem
	}
	return c
}

func problemText(text string) string { return cutText(outside.Line(text), 500) }

// figuresText lists the main figures of a run, a line each.
func figuresText(r *Run) string {
	var lines []string
	if v := r.Verdict(); v != "" {
		lines = append(lines, "verdict "+v)
	}
	for _, c := range shown {
		if v, ok := r.shownFigure(c.tag, c.stat); ok {
			lines = append(lines, c.head+" "+compact(v))
		}
	}
	return strings.Join(lines, "\n")
}
