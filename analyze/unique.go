package analyze

import (
	"slices"
	"strings"
	"unicode"

	"loadgen"
)

// Uniqueness counts, by model, the words of each prompt that the prompt
// before it in the session did not have: AIQ's token_uniqueness, whose tokens
// are words. A session's first prompt has nothing to be compared with.
func Uniqueness(tr *loadgen.Trace, opt Options) Object[Quantiles] {
	return newView(tr, opt).uniqueness()
}

func (v *view) uniqueness() Object[Quantiles] {
	counts := map[string][]float64{}
	// The sets of words are used again from session to session.
	type last struct {
		example      int
		words, spare map[uint64]struct{}
	}
	previous := map[string]*last{}
	for _, calls := range v.sessions {
		if len(calls) == 1 {
			continue // nothing follows
		}
		for _, c := range calls {
			if c.Kind != loadgen.LLMCall {
				continue
			}
			p := previous[c.Name]
			if p == nil {
				p = &last{-1, map[uint64]struct{}{}, map[uint64]struct{}{}}
				previous[c.Name] = p
			}
			clear(p.spare)
			words(c.Input, p.spare)
			if p.example == c.Example {
				fresh := 0.0
				for w := range p.spare {
					if _, had := p.words[w]; !had {
						fresh++
					}
				}
				counts[c.Name] = append(counts[c.Name], fresh)
			}
			p.example = c.Example
			p.words, p.spare = p.spare, p.words
		}
	}
	out := Object[Quantiles]{}
	for model, fresh := range counts {
		out = append(out, Member[Quantiles]{model, quantilesOf(fresh)})
	}
	slices.SortFunc(out, func(a, b Member[Quantiles]) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// words adds the hashes (FNV-1a) of a text's words in lower case: runs of
// letters, digits and underscores.
func words(text string, into map[uint64]struct{}) {
	const offset, prime = 14695981039346656037, 1099511628211
	hash, inside := uint64(offset), false
	for _, r := range text {
		if r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) {
			hash = (hash ^ uint64(unicode.ToLower(r))) * prime
			inside = true
			continue
		}
		if inside {
			into[hash] = struct{}{}
			hash, inside = offset, false
		}
	}
	if inside {
		into[hash] = struct{}{}
	}
}

// NewTokens returns the percentiles of the tokens that each later turn of a
// session adds behind what it shares with the turn before, estimated from the
// text by the mean length of a token.
func NewTokens(tr *loadgen.Trace, opt Options) Quantiles { return newView(tr, opt).newTokens() }

func (v *view) newTokens() Quantiles {
	var fresh []float64
	for _, calls := range v.sessions {
		var previous *loadgen.Call
		for _, c := range calls {
			if c.Kind != loadgen.LLMCall || c.Input == "" {
				continue
			}
			if previous != nil {
				added := float64(len(c.Input) - sharedText(previous.Input, c.Input))
				fresh = append(fresh, added*promptTokens(c)/float64(len(c.Input)))
			}
			previous = c
		}
	}
	return quantilesOf(fresh)
}
