package tokenizer

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is found in the text before anything else and stands for
// itself.
type addedToken struct {
	id      int32
	content string
	// left and right take in the white space around the token; alone leaves
	// it out where a letter, number or underscore touches it.
	left, right, alone bool
}

// addedTokens finds tokens in text: the leftmost, and of those the longest.
type addedTokens struct {
	sorted []addedToken // by content
	begins [256]bool    // bytes that a content begins with
}

func newAddedTokens(tokens []addedToken) addedTokens {
	set := addedTokens{sorted: slices.Clone(tokens)}
	slices.SortFunc(set.sorted, func(a, b addedToken) int { return strings.Compare(a.content, b.content) })
	for _, token := range tokens {
		set.begins[token.content[0]] = true
	}
	return set
}

// A match is the stretch of the text that a token takes; an empty one at the
// end of the text where no token was found.
type match struct {
	start, end int
	id         int32
}

// next returns the first match in s[from:].
func (a *addedTokens) next(s string, from int) match {
	if len(a.sorted) == 0 {
		return match{start: len(s), end: len(s)}
	}
	for i := from; i < len(s); i++ {
		if !a.begins[s[i]] {
			continue
		}
		token := a.longest(s[i:])
		if token == nil {
			continue
		}
		m := match{i, i + len(token.content), token.id}
		if token.alone && (wordBefore(s[:m.start]) || wordAfter(s[m.end:])) {
			continue
		}
		if token.left {
			m.start = from + len(strings.TrimRightFunc(s[from:m.start], unicode.IsSpace))
		}
		if token.right {
			m.end = len(s) - len(strings.TrimLeftFunc(s[m.end:], unicode.IsSpace))
		}
		return m
	}
	return match{start: len(s), end: len(s)}
}

// longest returns the longest token that s begins with, nil if none: the
// tokens that share the first n bytes of s lie together in the sorted list,
// and n grows until none is left.
func (a *addedTokens) longest(s string) *addedToken {
	var best *addedToken
	low, high := 0, len(a.sorted)
	for n := 0; n < len(s); n++ {
		among := a.sorted[low:high]
		above := func(b int) int {
			return sort.Search(len(among), func(i int) bool {
				return len(among[i].content) > n && int(among[i].content[n]) >= b
			})
		}
		low, high = low+above(int(s[n])), low+above(int(s[n])+1)
		if low == high {
			break
		}
		if len(a.sorted[low].content) == n+1 {
			best = &a.sorted[low]
		}
	}
	return best
}

func wordBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && classOf(r)&wordy != 0
}

func wordAfter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && classOf(r)&wordy != 0
}
