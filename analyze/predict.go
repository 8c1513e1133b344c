package analyze

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"loadgen"
	"loadgen/metrics"
)

// A Trie is prediction_trie.json: what to expect after the n-th LLM call of a
// function.
type Trie struct {
	Version   string    `json:"version"`
	Generated string    `json:"generated_at"`
	Workflow  string    `json:"workflow_name"`
	Root      *TrieNode `json:"root"`
}

// A TrieNode is a function on the path root, parent function, function.
type TrieNode struct {
	Name     string              `json:"name"`
	ByIndex  Object[*Prediction] `json:"predictions_by_call_index"`
	Any      *Prediction         `json:"predictions_any_index"`
	Children Object[*TrieNode]   `json:"children"`

	byIndex  map[int]*samples
	any      samples
	children map[string]*TrieNode
}

// A Prediction is what was seen at one place.
type Prediction struct {
	Remaining    Sample `json:"remaining_calls"`
	Interarrival Sample `json:"interarrival_ms"` // from this call's end to the next start
	Output       Sample `json:"output_tokens"`
	Sensitivity  *int   `json:"latency_sensitivity"` // 1..scale: how much a delay here delays the session
}

// A Sample is a small summary of values.
type Sample struct {
	Count int    `json:"sample_count"`
	Mean  Number `json:"mean"`
	P50   Number `json:"p50"`
	P90   Number `json:"p90"`
	P95   Number `json:"p95"`
}

// Sensitivity weighs what makes a call's delay matter.
type Sensitivity struct {
	Auto                                 bool // compute it at all
	Scale                                int
	Critical, Fanout, Position, Parallel float64
}

type samples struct{ remaining, interarrival, output, sensitivity []float64 }

// PredictionTrie gathers the LLM calls of each session under their functions.
// A last call has no time until the next: it is left out of that sample,
// where AIQ's form enters 0.
func PredictionTrie(tr *loadgen.Trace, opt Options) *Trie {
	return newView(tr, opt).predictionTrie()
}

func (v *view) predictionTrie() *Trie {
	root := newTrieNode("root")
	for _, calls := range v.sessions {
		v.addSession(root, calls)
	}
	for nodes := []*TrieNode{root}; len(nodes) > 0; nodes = nodes[1:] {
		nodes = append(nodes, nodes[0].finish(v.opt.Sensitivity.Scale)...)
	}
	return &Trie{Version: "1.0", Generated: v.opt.GeneratedAt, Workflow: "profiled_workflow", Root: root}
}

func newTrieNode(name string) *TrieNode {
	return &TrieNode{Name: name, byIndex: map[int]*samples{}, children: map[string]*TrieNode{}}
}

func (v *view) addSession(root *TrieNode, calls []*loadgen.Call) {
	llm := make([]*loadgen.Call, 0, len(calls)) // in order of start
	from, to := calls[0].Start, calls[0].End
	for _, c := range calls {
		to = max(to, c.End)
		if c.Kind == loadgen.LLMCall && c.Done() {
			llm = append(llm, c)
		}
	}
	if len(llm) == 0 {
		return
	}
	scores := v.opt.Sensitivity.scores(llm, to-from)
	byEnd := make([]int, len(llm))
	for i := range byEnd {
		byEnd[i] = i
	}
	slices.SortStableFunc(byEnd, func(a, b int) int { return cmp.Compare(llm[a].End, llm[b].End) })
	indices := map[string]int{}
	for k, i := range byEnd {
		c := llm[i]
		indices[c.FunctionID]++
		next, _ := slices.BinarySearchFunc(llm, c.End, func(c *loadgen.Call, end float64) int {
			if c.Start <= end {
				return -1
			}
			return 1
		})
		add := func(s *samples) {
			s.remaining = append(s.remaining, float64(len(llm)-1-k))
			switch {
			case next < len(llm):
				s.interarrival = append(s.interarrival, 1000*(llm[next].Start-c.End))
			case v.opt.AIQ:
				s.interarrival = append(s.interarrival, 0)
			}
			if c.CompletionTokens >= 0 {
				s.output = append(s.output, float64(c.CompletionTokens))
			}
			if scores != nil {
				s.sensitivity = append(s.sensitivity, scores[i])
			}
		}
		for _, node := range root.path(c) {
			add(node.at(indices[c.FunctionID]))
			add(&node.any)
		}
	}
}

// path returns the nodes for a call, made where they are missing.
func (n *TrieNode) path(c *loadgen.Call) []*TrieNode {
	nodes := []*TrieNode{n}
	for _, name := range []string{c.ParentFunction, c.Function} {
		if name == "" {
			continue
		}
		child := n.children[name]
		if child == nil {
			child = newTrieNode(name)
			n.children[name] = child
		}
		nodes, n = append(nodes, child), child
	}
	return nodes
}

func (n *TrieNode) at(index int) *samples {
	s := n.byIndex[index]
	if s == nil {
		s = &samples{}
		n.byIndex[index] = s
	}
	return s
}

// finish sums up the samples and returns the children.
func (n *TrieNode) finish(scale int) []*TrieNode {
	n.Any = n.any.prediction(scale)
	n.ByIndex = make(Object[*Prediction], 0, len(n.byIndex))
	for _, index := range sortedKeys(n.byIndex) {
		n.ByIndex = append(n.ByIndex, Member[*Prediction]{strconv.Itoa(index), n.byIndex[index].prediction(scale)})
	}
	n.Children = make(Object[*TrieNode], 0, len(n.children))
	children := make([]*TrieNode, 0, len(n.children))
	for _, name := range sortedKeys(n.children) {
		n.Children = append(n.Children, Member[*TrieNode]{name, n.children[name]})
		children = append(children, n.children[name])
	}
	return children
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *samples) prediction(scale int) *Prediction {
	if len(s.remaining) == 0 {
		return nil
	}
	p := &Prediction{Remaining: sampleOf(s.remaining), Interarrival: sampleOf(s.interarrival), Output: sampleOf(s.output)}
	if len(s.sensitivity) > 0 {
		level := int(math.RoundToEven(metrics.Mean(s.sensitivity)*float64(scale-1))) + 1
		level = min(max(level, 1), scale)
		p.Sensitivity = &level
	}
	return p
}

func sampleOf(values []float64) Sample {
	s := metrics.Sorted(values)
	return Sample{
		len(s), Number(metrics.Mean(s)), Number(metrics.Percentile(s, 50)),
		Number(metrics.Percentile(s, 90)), Number(metrics.Percentile(s, 95)),
	}
}

// scores rates how much a delay of each call matters, from 0 to 1 within the
// session: by its share of the session's time, by the steps still to come, by
// being early or late, less what it could slip beside a longer one. Calls that
// overlap are one step.
func (s Sensitivity) scores(calls []*loadgen.Call, session float64) []float64 {
	if !s.Auto || s.Scale < 1 {
		return nil
	}
	step := make([]int, len(calls))
	groups := [][2]int{} // first and last call of each step
	end := 0.0
	for i, c := range calls {
		if i == 0 || c.Start >= end {
			groups = append(groups, [2]int{i, i})
			end = c.End
		}
		step[i] = len(groups) - 1
		groups[step[i]][1] = i
		end = max(end, c.End)
	}
	most := float64(max(len(groups)-1, 1))
	raw := make([]float64, len(calls))
	for _, g := range groups {
		// The longest and the second: a call is compared with the longest other.
		longest, second := 0.0, 0.0
		for _, c := range calls[g[0] : g[1]+1] {
			if d := c.Duration(); d > longest {
				longest, second = d, longest
			} else {
				second = max(second, d)
			}
		}
		size := float64(g[1] - g[0] + 1)
		for i := g[0]; i <= g[1]; i++ {
			d, at := calls[i].Duration(), float64(step[i])/most
			share, penalty := 1.0, 0.0
			if session > 0 {
				share = min(d/session, 1)
			}
			if size > 1 {
				other := longest
				if d == longest {
					other = second
				}
				slack := 0.0
				if other > 0 {
					slack = max(0, 1-d/other)
				}
				penalty = (slack + (size-1)/size) / 2
			}
			fanout := float64(len(groups)-1-step[i]) / most
			raw[i] = s.Critical*share + s.Fanout*fanout + s.Position*max(1-at, at) - s.Parallel*penalty
		}
	}
	low, high := slices.Min(raw), slices.Max(raw)
	for i := range raw {
		if high == low {
			raw[i] = 0.5
		} else {
			raw[i] = (raw[i] - low) / (high - low)
		}
	}
	return raw
}
