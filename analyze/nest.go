package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// nest finds each call's parent: by the ids the trace carries, else by which
// interval contains which.
func (v *view) nest() {
	n := len(v.calls)
	v.parent = make([]int32, n)
	for i := range v.parent {
		v.parent[i] = -1
	}
	if v.trace.Parents {
		v.parentsByID()
	} else {
		for from, calls := range v.sessions {
			contain(calls, v.parent[from:from+len(calls)], int32(from))
		}
	}
	v.listChildren()
	if v.sortTopDown() {
		v.listChildren()
	}
}

func (v *view) parentsByID() {
	any := slices.ContainsFunc(v.calls, func(c *loadgen.Call) bool { return c.Parent != "" })
	if !any {
		return
	}
	byID := make(map[string]int32, len(v.calls))
	for i, c := range v.calls {
		if _, taken := byID[c.ID]; !taken {
			byID[c.ID] = int32(i)
		}
	}
	for i, c := range v.calls {
		if c.Parent == "" || c.Parent == "root" {
			continue
		}
		p, known := byID[c.Parent]
		if !known || p == int32(i) {
			v.defects.UnknownParents++
			continue
		}
		v.parent[i] = p
	}
}

// listChildren sorts the calls under their parents, in one pass for counts
// and one to fill.
func (v *view) listChildren() {
	v.childAt = make([]int32, len(v.calls)+1)
	total := int32(0)
	for _, p := range v.parent {
		if p >= 0 {
			v.childAt[p+1]++
			total++
		}
	}
	for i := 1; i < len(v.childAt); i++ {
		v.childAt[i] += v.childAt[i-1]
	}
	v.child = make([]int32, total)
	next := slices.Clone(v.childAt)
	for i, p := range v.parent {
		if p >= 0 {
			v.child[next[p]] = int32(i)
			next[p]++
		}
	}
}

// sortTopDown orders the calls so that parents come before their children. It
// makes a root of one call in each cycle of parents, so that every walk ends,
// and reports whether there was one.
func (v *view) sortTopDown() (cut bool) {
	v.order = make([]int32, 0, len(v.calls))
	seen := make([]bool, len(v.calls))
	reach := func(root int) {
		seen[root] = true
		next := len(v.order)
		v.order = append(v.order, int32(root))
		for ; next < len(v.order); next++ {
			for _, c := range v.children(int(v.order[next])) {
				if !seen[c] {
					seen[c] = true
					v.order = append(v.order, c)
				}
			}
		}
	}
	for i, p := range v.parent {
		if p < 0 {
			reach(i)
		}
	}
	for i := range v.parent {
		if !seen[i] {
			v.defects.Cycles++
			v.parent[i] = -1
			reach(i)
		}
	}
	return v.defects.Cycles > 0
}

// contain nests the calls of one session, sorted by start and longest first,
// by containment: a call's parent is the shortest function, tool or span that
// spans it. An LLM call encloses spans only: two requests of which one
// outlasts the other are siblings. Overlap without containment nests nothing.
//
// Calls come in order of start, so every possible parent is already there and
// the parent is the one that ends next: a successor query on the ranks of the
// ends, kept in a Fenwick tree.
func contain(calls []*loadgen.Call, parent []int32, base int32) {
	if !slices.ContainsFunc(calls, func(c *loadgen.Call) bool { return c.Kind != loadgen.LLMCall }) {
		return
	}
	byEnd := make([]int32, len(calls))
	for i := range byEnd {
		byEnd[i] = int32(i)
	}
	// Of calls with the same interval the later one is inside the earlier.
	slices.SortFunc(byEnd, func(a, b int32) int {
		return cmp.Or(cmp.Compare(calls[a].End, calls[b].End), cmp.Compare(b, a))
	})
	rank := make([]int, len(calls))
	for r, i := range byEnd {
		rank[i] = r
	}
	outer, models := newSuccessor(len(calls)), newSuccessor(len(calls))
	for i, c := range calls {
		next := outer.after(rank[i])
		if c.Kind == loadgen.SpanCall {
			if m := models.after(rank[i]); m >= 0 && (next < 0 || m < next) {
				next = m
			}
		}
		if next >= 0 {
			parent[i] = base + byEnd[next]
		}
		if c.Kind == loadgen.LLMCall {
			models.insert(rank[i])
		} else {
			outer.insert(rank[i])
		}
	}
}

// A successor is a set of small integers that answers which member comes next
// after a given one, in logarithmic time.
type successor struct {
	tree []int32 // Fenwick tree of counts
	size int
	top  int // largest power of two within the tree
}

func newSuccessor(n int) *successor {
	top := 1
	for top*2 <= n {
		top *= 2
	}
	return &successor{tree: make([]int32, n+1), top: top}
}

func (s *successor) insert(k int) {
	s.size++
	for i := k + 1; i < len(s.tree); i += i & -i {
		s.tree[i]++
	}
}

// after returns the least member greater than k, or -1.
func (s *successor) after(k int) int {
	below := int32(0)
	for i := k + 1; i > 0; i -= i & -i {
		below += s.tree[i]
	}
	if int(below) == s.size {
		return -1
	}
	pos := 0
	for step := s.top; step > 0; step /= 2 {
		if pos+step < len(s.tree) && s.tree[pos+step] <= below {
			pos += step
			below -= s.tree[pos]
		}
	}
	return pos
}
