package analyze

import (
	"slices"
	"strings"
	"unicode/utf8"

	"loadgen"
)

// prompts are the calls of one model in order of their text, each with the
// length it shares with the one before. Everything about prefixes follows
// from this: a common prefix of k calls is a run of k neighbours, and its
// length the least of the shared lengths between them. It takes no memory per
// character, where a trie does.
type prompts struct {
	model string
	calls []*loadgen.Call
	// shared[i] is the length in bytes that calls[i] and calls[i-1] have in
	// common, in whole characters; shared[0] is 0.
	shared []int32
}

// sortPrompts sorts calls with a text by it.
func sortPrompts(model string, calls []*loadgen.Call) *prompts {
	p := &prompts{model: model, calls: calls, shared: make([]int32, len(calls))}
	if len(calls) == 0 {
		return p
	}
	// What all have in common, a system prompt, need not be compared anew in
	// each of the n·log n steps.
	common := len(calls[0].Input)
	for _, c := range calls {
		common = sharedBytes(calls[0].Input[:common], c.Input)
	}
	slices.SortStableFunc(calls, func(a, b *loadgen.Call) int {
		return strings.Compare(a.Input[common:], b.Input[common:])
	})
	for i := 1; i < len(calls); i++ {
		p.shared[i] = int32(sharedText(calls[i-1].Input, calls[i].Input))
	}
	return p
}

// sharedBytes returns the length of the longest common prefix in bytes.
func sharedBytes(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i+16 <= n && a[i:i+16] == b[i:i+16] {
		i += 16
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// sharedText is sharedBytes cut back to whole characters.
func sharedText(a, b string) int {
	n := sharedBytes(a, b)
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) || n > 0 && n < len(b) && !utf8.RuneStart(b[n]) {
		n--
	}
	return n
}

// A run is a set of calls that begin with the same text: the calls from to to
// (excluded) share their first length bytes, and no longer text is shared by
// all of them.
type run struct {
	from, to, length int
	// last says that no longer prefix is shared by as many calls as asked for.
	last bool
}

func (r run) count() int { return r.to - r.from }

// runs returns the runs of at least least calls, for every length at which
// the calls that share it become fewer: the branching nodes of a trie, and
// its leaves where least is 1. Inner runs come before those around them.
func (p *prompts) runs(least int) []run {
	type open struct {
		from, length int
		enough       bool // a longer prefix inside has calls enough
	}
	var found []run
	stack := []open{{}}
	for i := range len(p.calls) + 1 {
		length := -1
		if i < len(p.calls) {
			length = int(p.shared[i])
		}
		from, enough := i, false
		for len(stack) > 0 && stack[len(stack)-1].length > length {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			from, enough = top.from, i-top.from >= least
			if enough {
				found = append(found, run{top.from, i, top.length, !top.enough})
			}
			if n := len(stack); n > 0 && stack[n-1].length >= length {
				stack[n-1].enough = stack[n-1].enough || enough
			}
		}
		if i == len(p.calls) {
			break
		}
		if stack[len(stack)-1].length < length {
			stack = append(stack, open{from, length, enough})
		}
		if text := len(p.calls[i].Input); text > length {
			stack = append(stack, open{from: i, length: text})
		}
	}
	return found
}
