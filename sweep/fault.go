package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds a report: past it a file is better looked at as a whole.
const maxFaults = 50

// A Fault is one thing that is wrong with a batch file.
type Fault struct {
	// File is where it was written: the path as given, "standard input", or
	// the flag for an override.
	File string
	// Line and Column count from 1, in characters; 0 where the fault concerns
	// the file as a whole.
	Line, Column int
	// Width is the length of the faulty text in characters, at least 1.
	Width int
	// Key is the path of the key, such as base_config.concurrency; empty where
	// no key is concerned.
	Key string
	// Message says what is wrong, Hint what would be right; Hint may be empty.
	Message, Hint string
	// Source is the faulty line, shortened around Column and free of secrets;
	// Caret is the position in it that Column stands for, from 0. Source is
	// empty where there is no line to show.
	Source string
	Caret  int
}

// Error returns the fault as a compiler prints it: position, key and message,
// then the source line with a caret below the faulty text, then the hint.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Message)
	margin := "     "
	if f.Source != "" {
		fmt.Fprintf(&b, "\n%5d | %s\n", f.Line, f.Source)
		fmt.Fprintf(&b, "%s | %s%s", margin, strings.Repeat(" ", f.Caret), strings.Repeat("^", f.Width))
	}
	if f.Hint != "" {
		fmt.Fprintf(&b, "\n%s = %s", margin, strings.ReplaceAll(f.Hint, "\n", "\n"+margin+"   "))
	}
	return b.String()
}

// Faults is everything that is wrong with a batch file, in the order of its
// lines: wrong usage, not a failure of the program.
type Faults struct {
	List []*Fault
	// Omitted counts the faults beyond the first 50.
	Omitted int
}

// Error returns all faults, separated by empty lines, and their number.
func (f *Faults) Error() string {
	var b strings.Builder
	for _, fault := range f.List {
		b.WriteString(fault.Error())
		b.WriteString("\n\n")
	}
	if n := len(f.List) + f.Omitted; n == 1 {
		b.WriteString("1 fault in the batch file")
	} else {
		fmt.Fprintf(&b, "%d faults in the batch file", n)
	}
	if f.Omitted > 0 {
		fmt.Fprintf(&b, ", the first %d shown", len(f.List))
	}
	return b.String()
}

// Unwrap returns the single faults.
func (f *Faults) Unwrap() []error {
	errs := make([]error, len(f.List))
	for i, fault := range f.List {
		errs[i] = fault
	}
	return errs
}

// A report collects faults, each once.
type report struct {
	list []*Fault
	seen map[Fault]bool
}

func (r *report) add(f *Fault) {
	if r.seen[*f] {
		return
	}
	if r.seen == nil {
		r.seen = map[Fault]bool{}
	}
	r.seen[*f] = true
	r.list = append(r.list, f)
}

// err returns the faults found, in order of position, or nil.
func (r *report) err() error {
	if len(r.list) == 0 {
		return nil
	}
	slices.SortStableFunc(r.list, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	shown := min(len(r.list), maxFaults)
	return &Faults{List: r.list[:shown], Omitted: len(r.list) - shown}
}
