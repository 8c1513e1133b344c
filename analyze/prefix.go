package analyze

import (
	"cmp"
	"index/suffixarray"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"loadgen"
)

// Prefixes are the common prefixes of one model's prompts.
type Prefixes struct {
	Calls int           `json:"total_calls"`
	Info  []Prefix      `json:"prefix_info"` // longest first
	More  *PrefixesMore `json:"loadgen,omitempty"`
}

// A Prefix is a text that a share of the prompts begin with.
type Prefix struct {
	Text   string `json:"prefix"`
	Length int    `json:"prefix_length"` // characters
	Calls  int    `json:"calls_count"`
	Share  Number `json:"calls_percentage"` // 0..1
}

// PrefixesMore is what AIQ's list hides.
type PrefixesMore struct {
	// Shorter are prefixes of those in Info that more calls share.
	Shorter []Prefix `json:"also_maximal_by_count"`
	LeftOut int      `json:"prefixes_left_out"`
}

// CommonPrefixes finds, by model, the longest prompt prefixes that at least
// Options.MinFrequency of the calls begin with. AIQ's form counts the rows of
// starts and ends, so that no share exceeds one half, has a group without a
// name for all other rows, and drops a prefix that occurs anywhere in a longer
// one.
func CommonPrefixes(tr *loadgen.Trace, opt Options) Object[Prefixes] {
	return newView(tr, opt).commonPrefixes()
}

func (v *view) commonPrefixes() Object[Prefixes] {
	out := Object[Prefixes]{}
	if v.opt.AIQ {
		if rows := v.namelessRows(); rows > 0 {
			out = append(out, Member[Prefixes]{"", Prefixes{Calls: rows, Info: []Prefix{}}})
		}
	}
	for _, p := range v.prompts() {
		total := len(p.calls)
		if v.opt.AIQ {
			for _, c := range p.calls {
				if c.End >= 0 {
					total++
				}
			}
		}
		out = append(out, Member[Prefixes]{p.model, p.common(total, &v.opt)})
	}
	return out
}

// prompts returns the LLM calls of each model in order of their text; the
// work is done once for all analyses of a view.
func (v *view) prompts() []*prompts {
	if v.sorted != nil {
		return v.sorted
	}
	byModel := map[string][]*loadgen.Call{}
	for i, c := range v.calls {
		if c.Kind == loadgen.LLMCall && (v.leaf[i] || v.opt.AIQ) {
			byModel[c.Name] = append(byModel[c.Name], c)
		}
	}
	v.sorted = make([]*prompts, 0, len(byModel))
	for model, calls := range byModel {
		v.sorted = append(v.sorted, sortPrompts(model, calls))
	}
	slices.SortFunc(v.sorted, func(a, b *prompts) int { return strings.Compare(a.model, b.model) })
	return v.sorted
}

func (v *view) namelessRows() int {
	rows := 0
	for _, c := range v.calls {
		if c.Kind != loadgen.LLMCall {
			if rows++; c.End >= 0 {
				rows++
			}
		}
	}
	return rows
}

func (p *prompts) common(total int, opt *Options) Prefixes {
	least := max(1, int(math.Ceil(opt.MinFrequency*float64(total)-1e-9)))
	var longest, shorter []Prefix
	for _, r := range p.runs(least) {
		if r.length == 0 {
			continue
		}
		text := p.calls[r.from].Input[:r.length]
		x := Prefix{text, utf8.RuneCountInString(text), r.count(), Number(float64(r.count()) / float64(total))}
		if r.last {
			longest = append(longest, x)
		} else {
			shorter = append(shorter, x)
		}
	}
	// Of equal ones the last comes first, as in the toolkit's walk.
	order := func(a, b Prefix) int {
		return cmp.Or(cmp.Compare(b.Length, a.Length), cmp.Compare(b.Calls, a.Calls), strings.Compare(b.Text, a.Text))
	}
	slices.SortFunc(longest, order)
	out := Prefixes{Calls: total, Info: longest}
	if opt.AIQ {
		out.Info = notWithin(longest)
		return out
	}
	slices.SortFunc(shorter, order)
	keep, keepShorter := opt.limit(len(longest)), opt.limit(len(shorter))
	out.Info = append([]Prefix{}, longest[:keep]...)
	out.More = &PrefixesMore{
		Shorter: append([]Prefix{}, shorter[:keepShorter]...),
		LeftOut: len(longest) - keep + len(shorter) - keepShorter,
	}
	return out
}

// notWithin drops prefixes that occur anywhere in another of the list. What
// occurs in a dropped one occurs in the one that dropped it, so a look-up in
// all of them joined is enough; the separator is no byte of any text.
func notWithin(prefixes []Prefix) []Prefix {
	var joined []byte
	for _, p := range prefixes {
		joined = append(append(joined, p.Text...), 0xff)
	}
	index := suffixarray.New(joined)
	kept := []Prefix{}
	for _, p := range prefixes {
		if len(index.Lookup([]byte(p.Text), 2)) < 2 {
			kept = append(kept, p)
		}
	}
	return kept
}
