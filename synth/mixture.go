package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Mixture is a distribution over kinds of requests: each pair of input and
// output lengths is drawn with its probability.
type Mixture []Component

// A Component is one kind of request in a mixture.
type Component struct {
	Input, Output Normal  // tokens
	Percent       float64 // probability; those of a mixture sum to 100
}

// ParseMixture reads AIPerf's sequence_distribution in any of its notations:
//
//	256|10,128|5:40;512,256:60
//	[(256|10,128|5):40,(512,256):60]
//	{"pairs":[{"isl":256,"isl_stddev":10,"osl":128,"osl_stddev":5,"prob":40},{"isl":512,"osl":256,"prob":60}]}
//
// The number behind "|" is a standard deviation, the one behind ":" a
// probability in percent.
func ParseMixture(text string) (Mixture, error) {
	text = strings.TrimSpace(text)
	var m Mixture
	var err error
	switch {
	case text == "":
		err = errors.New("it is empty; write input,output:percent pairs such as 256,128:40;512,256:60")
	case text[0] == '{':
		m, err = parseJSONMixture(text)
	case text[0] == '[':
		m, err = parseBracketMixture(text)
	default:
		m, err = parsePairs(strings.Split(strings.TrimSuffix(text, ";"), ";"))
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sequence distribution: %w", err)
	}
	return m, nil
}

func parseJSONMixture(text string) (Mixture, error) {
	var file struct {
		Pairs []struct {
			Input        *float64 `json:"isl"`
			InputStddev  float64  `json:"isl_stddev"`
			Output       *float64 `json:"osl"`
			OutputStddev float64  `json:"osl_stddev"`
			Percent      *float64 `json:"prob"`
		} `json:"pairs"`
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, errors.New("there is text behind the closing brace")
	}
	m := make(Mixture, len(file.Pairs))
	for i, p := range file.Pairs {
		if p.Input == nil || p.Output == nil || p.Percent == nil {
			return nil, fmt.Errorf("pair %d lacks one of isl, osl and prob", i+1)
		}
		m[i] = Component{Normal{*p.Input, p.InputStddev}, Normal{*p.Output, p.OutputStddev}, *p.Percent}
	}
	return m, nil
}

// parseBracketMixture brings the brackets into the plain notation: a pair ends
// at the comma before the next opening parenthesis.
func parseBracketMixture(text string) (Mixture, error) {
	inner, closed := strings.CutSuffix(text[1:], "]")
	if !closed {
		return nil, errors.New("the opening [ has no closing ]")
	}
	var pairs []string
	for i, part := range strings.Split(inner, "(") {
		if i == 0 {
			if strings.TrimSpace(part) != "" {
				return nil, fmt.Errorf("%q stands before the first pair; write [(256,128):40,(512,256):60]", part)
			}
			continue
		}
		lengths, percent, found := strings.Cut(part, ")")
		if !found {
			return nil, fmt.Errorf("pair %d has no closing parenthesis", i)
		}
		pairs = append(pairs, lengths+strings.TrimSuffix(strings.TrimSpace(percent), ","))
	}
	return parsePairs(pairs)
}

func parsePairs(pairs []string) (Mixture, error) {
	m := make(Mixture, len(pairs))
	for i, pair := range pairs {
		lengths, percent, hasPercent := strings.Cut(pair, ":")
		input, output, hasOutput := strings.Cut(lengths, ",")
		if !hasPercent || !hasOutput {
			return nil, fmt.Errorf("pair %d, %q, is not input,output:percent", i+1, strings.TrimSpace(pair))
		}
		var errs [3]error
		m[i].Input, errs[0] = parseNormal(input)
		m[i].Output, errs[1] = parseNormal(output)
		m[i].Percent, errs[2] = parseNumber(percent)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("pair %d, %q: %w", i+1, strings.TrimSpace(pair), err)
		}
	}
	return m, nil
}

func parseNormal(text string) (Normal, error) {
	mean, stddev, varies := strings.Cut(text, "|")
	var n Normal
	var err error
	if n.Mean, err = parseNumber(mean); err == nil && varies {
		n.Stddev, err = parseNumber(stddev)
	}
	return n, err
}

func parseNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", strings.TrimSpace(text))
	}
	return x, nil
}

func (m Mixture) check() error {
	if len(m) == 0 {
		return errors.New("there are no pairs in it")
	}
	var errs []error
	sum := 0.0
	for i, c := range m {
		name := fmt.Sprintf("pair %d: ", i+1)
		errs = append(errs, c.Input.check(name+"the input length", 1), c.Output.check(name+"the output length", 1))
		if !(c.Percent >= 0 && c.Percent <= 100) {
			errs = append(errs, fmt.Errorf("%sthe probability %v is not between 0 and 100", name, c.Percent))
		}
		sum += c.Percent
	}
	if !(math.Abs(sum-100) <= 1e-6) {
		errs = append(errs, fmt.Errorf("the probabilities sum to %v, not to 100", sum))
	}
	return errors.Join(errs...)
}

// draw picks a component by its probability.
func (m Mixture) draw(rng *rand.PCG) Component {
	x := float64(100 * uniform(rng)) // rounded here, on every machine: see Normal.draw
	for _, c := range m[:len(m)-1] {
		if x < c.Percent {
			return c
		}
		x -= c.Percent
	}
	return m[len(m)-1]
}
