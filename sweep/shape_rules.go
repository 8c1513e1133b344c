package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen/metrics"
)

// decimal matches a number without its sign.
const decimal = `([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?`

// obey adds what a validate tag asks for.
func (s *Shape) obey(tag string) {
	value := s
	for rule := range strings.SplitSeq(tag, ",") {
		name, parameter, _ := strings.Cut(rule, "=")
		switch name {
		case "":
		case "dive":
			s = value.Item
		case "keys":
			s = &Shape{}
		case "endkeys":
			value.KeyPattern, value.KeyWords = s.Pattern, s.Words
			s = value.Item
		case "gte", "gt":
			s.Least, s.OverLeast = s.bound(parameter), name == "gt"
		case "lte", "lt":
			s.Most, s.UnderMost = s.bound(parameter), name == "lt"
		case "min":
			s.NotEmpty = true
		case "max":
			s.MaxLength = int(*s.bound(parameter))
		case "oneof":
			s.Words = strings.Fields(parameter)
		default:
			s.obeyNamed(name, parameter)
		}
	}
}

// obeyNamed adds what a rule of our own asks of a text.
func (s *Shape) obeyNamed(name, parameter string) {
	switch name {
	case "startswith":
		s.Pattern = "^" + parameter
	case "service":
		s.Pattern = `^(mock://|[Hh][Tt][Tt][Pp][Ss]?://[^/?#@:][^/?#@]*(/[^?#]*)?)$`
	case "filename":
		s.Pattern, s.MaxLength = `^[^-./\\:*?"<>|\x00-\x20]([^/\\:*?"<>|\x00-\x1f]*[^./\\:*?"<>|\x00-\x20])?$`, 100
	case "envvar":
		s.Pattern = envName.String()
	case "headername":
		s.Pattern = headerName.String()
	case "headervalue":
		s.Pattern = `^[^\x00-\x1f\x7f]*$`
	case "slo":
		s.Words = requestTags()
	case "threshold":
		s.Words = thresholds()
	case "budget", "figure":
		s.Pattern = `^(` + budgetPattern() + `)$`
	default:
		panic("sweep: no shape for the rule " + name)
	}
}

// bound is what a rule compares a number with, that of a duration in its unit;
// nil for a duration that is a text.
func (s *Shape) bound(parameter string) *float64 {
	if d, err := time.ParseDuration(parameter); err == nil && parameter != "0" {
		if s.Kind == Duration {
			return nil
		}
		x := d.Seconds()
		if s.Unit == "ms" {
			x *= 1000
		}
		return &x
	}
	x, err := strconv.ParseFloat(parameter, 64)
	if err != nil {
		panic(fmt.Sprintf("sweep: the rule with %q: %v", parameter, err)) // a tag of ours
	}
	if s.Kind == Duration {
		return nil
	}
	return &x
}

// budgetPattern matches what isBudget accepts.
func budgetPattern() string {
	scalar := func(d metrics.Definition) bool { return d.Kind == metrics.Scalar }
	several := func(d metrics.Definition) bool { return !scalar(d) }
	return alternatives(tagsOf(scalar)) + `|(` + alternatives(tagsOf(several)) + `)(\.(` + alternatives(statistics) + `))?`
}

// figurePattern matches the figures of some metrics by their tags and their
// short names, which may be written large.
func figurePattern(tags, statistics []string) string {
	names := slices.Clone(tags)
	for short, tag := range metrics.ShortNames() {
		if slices.Contains(tags, tag) {
			names = append(names, anyCase(short))
		}
	}
	slices.Sort(names)
	return `(` + alternatives(names) + `)(\.(` + alternatives(statistics) + `))?`
}

func alternatives(words []string) string { return strings.Join(words, "|") }

func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			fmt.Fprintf(&b, "[%s%c]", upper, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// sweepable reports whether a key of a kind can stand in sweeps.
func sweepable(path string, kind Kind) bool {
	key, below := strings.CutPrefix(path, "base_config.")
	return below && kind != Block && kind != Map && kind != List && key != "headers"
}
