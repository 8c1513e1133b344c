package sweep

import (
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// A Rate is a number of requests per second, or auto: calculated from the
// warm-up. The zero Rate is none.
type Rate struct {
	PerSecond float64
	Auto      bool
}

// bind reads a number above 0 or the word auto.
func (r *Rate) bind(b *binder, n *yaml.Node, path string) {
	if n.ShortTag() == "!!str" && n.Value == "auto" {
		r.Auto = true
		return
	}
	const wanted = "write requests per second, such as 2.5, or auto"
	perSecond, ok := number(lax(n, reflect.TypeFor[Rate]()))
	switch {
	case !ok:
		b.fail(n, path, "must be a number or auto, not "+describe(n), wanted)
	case perSecond <= 0:
		b.fail(n, path, "must be above 0, not "+n.Value, wanted+"; leave it out for a closed loop")
	case perSecond > 1e7:
		b.fail(n, path, "must be at most 10000000, not "+n.Value, wanted)
	}
	r.PerSecond = perSecond
}

func (*Rate) shape(string) Shape {
	most := 1e7
	return Shape{Kind: Number, Words: []string{"auto"}, Least: new(float64), OverLeast: true, Most: &most}
}

// parameter returns what the batch file would hold.
func (r Rate) parameter() any {
	if r.Auto {
		return "auto"
	}
	return r.PerSecond
}

// A Limit is a number from which on something is done, or none. The zero Limit
// is none.
type Limit struct {
	Value float64
	On    bool
}

// bind reads a number from 0 or the word none.
func (l *Limit) bind(b *binder, n *yaml.Node, path string) {
	if n.ShortTag() == "!!str" && n.Value == "none" {
		*l = Limit{}
		return
	}
	value, ok := number(lax(n, reflect.TypeFor[Limit]()))
	switch {
	case !ok:
		b.fail(n, path, "must be a number or none, not "+describe(n), "")
	case value < 0:
		b.fail(n, path, "must be at least 0, not "+n.Value, "write none to do without")
	case value > 1e9:
		b.fail(n, path, "must be at most 1000000000, not "+n.Value, "write none to do without")
	}
	*l = Limit{value, true}
}

func (*Limit) shape(string) Shape {
	most := 1e9
	return Shape{Kind: Number, Words: []string{"none"}, Least: new(float64), Most: &most}
}

// parameter returns what the batch file would hold.
func (l Limit) parameter() any {
	if !l.On {
		return "none"
	}
	return l.Value
}

// A Version is a string that may be written as a number: 1.1 as well as "1.1".
type Version string

func (v *Version) bind(b *binder, n *yaml.Node, path string) {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float":
		*v = Version(n.Value)
	default:
		b.fail(n, path, "must be a text or a number, not "+describe(n), "")
	}
}

func (*Version) shape(string) Shape { return Shape{Kind: Label} }

// number returns the value of a numeric node; false for anything else and for
// numbers that are not finite.
func number(n *yaml.Node) (float64, bool) {
	switch n.ShortTag() {
	case "!!int":
		i, ok := integer(n)
		return float64(i), ok
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		return f, err == nil && f-f == 0
	}
	return 0, false
}

// integer returns the value of an integer node. A leading zero is refused:
// YAML 1.1 reads 017 as fifteen, YAML 1.2 as seventeen.
func integer(n *yaml.Node) (int64, bool) {
	if n.ShortTag() != "!!int" || len(n.Value) > 1 && n.Value[0] == '0' && n.Value[1] >= '0' && n.Value[1] <= '9' {
		return 0, false
	}
	i, err := strconv.ParseInt(n.Value, 0, 64)
	return i, err == nil
}
