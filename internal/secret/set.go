// Package secret knows the texts that nothing written or shown may hold: API
// keys, the values of headers, what stands in the query of a URL.
//
// A secret is replaced where a text enters the program, value by value: what a
// server sent, an error of a library, a setting that is to be shown. Text that
// is made of such values, a finished JSON file above all, is never edited:
// a key such as 1 or null stands in every file and is no secret there. Whoever
// writes files may ask [Set.In] as a last check.
//
// A secret is found however it is dressed up: in another case, cut by white
// space and line ends, escaped for JSON, HTML or a URL, up to three times, in
// hexadecimal, or inside of Base64.
package secret

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mask stands where a secret was.
const Mask = "<redacted>"

const (
	// wordMax is how long a secret is that is only found as a word of its own:
	// a shorter text stands in every other sentence.
	wordMax = 3
	// solidMax is how long one is that is not looked for across white space.
	solidMax = 7
	// checkMin is how long a secret is that [Set.In] can tell from the words
	// that files are made of.
	checkMin = 12
)

// A Set holds secrets. The zero value and nil are sets without any. A Set that
// is complete may be used by several goroutines.
type Set struct {
	folded  []needle
	encoded [][]byte // the inner part of their Base64, with case
	words   []string // the short ones
	raw     []string // all of them, as they were added
	keys    []string // of these, what opens something
	shown   []string // and what is shown all the same
}

// A needle is a secret as [fold] makes it, without case.
type needle struct {
	text  []byte
	solid bool // not to be found across white space
}

// Add adds secrets. White space around them is none of them: it is not sent.
func (s *Set) Add(values ...string) {
	for _, value := range values {
		value = strings.TrimSpace(value)
		if value == "" || slices.Contains(s.raw, value) {
			continue
		}
		s.raw = append(s.raw, value)
		plain := fold([]byte(value), false).lower
		size := utf8.RuneCount(plain)
		if size <= wordMax {
			s.words = append(s.words, value)
			continue
		}
		solid := size <= solidMax && !strings.ContainsFunc(value, unicode.IsSpace)
		s.folded = append(s.folded, needle{plain, solid}, needle{[]byte(hex.EncodeToString([]byte(value))), false})
		s.encoded = append(s.encoded, base64Cores(value)...)
	}
}

// AddKey adds secrets that open something, for which [Set.In] looks.
func (s *Set) AddKey(values ...string) {
	s.Add(values...)
	for _, value := range values {
		s.keys = append(s.keys, strings.TrimSpace(value))
	}
}

// Join adds the secrets of another set.
func (s *Set) Join(other *Set) {
	if other != nil {
		s.Add(other.raw...)
		s.AddKey(other.keys...)
	}
}

// Hide returns a text with its secrets masked.
func (s *Set) Hide(text string) string {
	if found := s.find([]byte(text)); len(found) > 0 {
		return mask(text, found)
	}
	return text
}

// Excerpt returns the beginning of a text, at most size bytes of it and what
// masks add, with its secrets masked, also those that the end of the excerpt
// cuts. A text as long as size or longer counts as cut off where it ends: what
// may be the beginning of a secret there is left out.
func (s *Set) Excerpt(text []byte, size int) string {
	whole := len(text) < size
	text = text[:min(len(text), size+s.reach())]
	if !whole {
		text = withoutHalf(text)
	}
	found := s.find(text)
	end := min(len(text), size)
	if !whole {
		end = min(end, s.begun(text))
	}
	kept := found[:0]
	for _, f := range found {
		if f.from < end {
			kept = append(kept, f)
			end = max(end, f.to)
		}
	}
	return mask(string(text[:end]), kept)
}

// withoutHalf returns a text without the half character that it ends in.
func withoutHalf(text []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return text[:len(text)-n]
			}
			break
		}
	}
	return text
}

// Shown says that a text is written and shown all the same: what of the secrets
// it holds, such as the name of a user or a model that a header repeats, [Set.In]
// does not look for.
func (s *Set) Shown(text string) {
	for _, value := range s.keys {
		if strings.Contains(text, value) {
			s.shown = append(s.shown, value)
		}
	}
}

// In reports whether a file holds one of the keys as it stands. Only those are
// looked for that no file holds by chance: long ones of letters and digits.
func (s *Set) In(file []byte) bool {
	if s == nil {
		return false
	}
	for _, value := range s.keys {
		if telling(value) && !slices.Contains(s.shown, value) && bytes.Contains(file, []byte(value)) {
			return true
		}
	}
	return false
}

// telling reports whether a secret is no word that a file may hold by chance.
func telling(value string) bool {
	return len(value) >= checkMin && strings.ContainsFunc(value, unicode.IsDigit) && strings.ContainsFunc(value, unicode.IsLetter)
}

// reach is how far behind a cut the rest of a secret is looked for.
func (s *Set) reach() int {
	const widest = 6 // bytes that an escape takes for one
	longest := 0
	if s != nil {
		for _, value := range s.raw {
			longest = max(longest, len(value))
		}
	}
	return widest * longest
}

// A span is a part of a text.
type span struct{ from, to int }

// mask replaces parts of a text, which are in order and do not overlap.
func mask(text string, parts []span) string {
	var b strings.Builder
	from := 0
	for _, p := range parts {
		b.WriteString(text[from:p.from])
		b.WriteString(Mask)
		from = p.to
	}
	b.WriteString(text[from:])
	return b.String()
}

// merge puts spans in order and joins those that overlap.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	merged := spans[:0]
	for _, next := range spans {
		if n := len(merged); n > 0 && next.from < merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, next.to)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}
