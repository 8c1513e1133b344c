package tokenizer

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A class is the set of character properties that the patterns ask for.
type class uint16

const (
	upper    class = 1 << iota // Lu, Lt
	lower                      // Ll
	caseless                   // Lm, Lo
	mark                       // M
	number                     // N
	newline                    // \r and \n, which are space too
	space                      // White_Space: what \s means
	punct                      // P
	symbol                     // S
	han                        // script Han
	wordy                      // what \w means

	letter = upper | lower | caseless
)

// pages holds the classes of 256 runes each, made when one of them is first
// met: starting costs nothing and a rune then costs two loads, where package
// unicode searches up to eight range tables.
var pages [(unicode.MaxRune + 1) >> 8]atomic.Pointer[[256]class]

// classAt returns the class of the rune at s[i:] and its width. A byte that
// is not UTF-8 is a symbol of width 1, as the replacement character is.
func classAt(s string, i int) (class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return ascii[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return classOf(r), n
}

func classOf(r rune) class {
	page := pages[r>>8].Load()
	if page == nil {
		page = makePage(r &^ 0xff)
		pages[r>>8].Store(page)
	}
	return page[r&0xff]
}

func makePage(first rune) *[256]class {
	page := new([256]class)
	for i := range page {
		page[i] = lookUp(first + rune(i))
	}
	return page
}

var ascii = *makePage(0)

func lookUp(r rune) class {
	var c class
	for _, of := range [...]struct {
		table *unicode.RangeTable
		class class
	}{
		{unicode.Lu, upper},
		{unicode.Lt, upper},
		{unicode.Ll, lower},
		{unicode.Lm, caseless},
		{unicode.Lo, caseless},
		{unicode.M, mark},
		{unicode.N, number},
		{unicode.White_Space, space},
		{unicode.P, punct},
		{unicode.S, symbol},
		{unicode.Han, han},
		{unicode.L, wordy},
		{unicode.Other_Alphabetic, wordy},
		{unicode.M, wordy},
		{unicode.Nd, wordy},
		{unicode.Nl, wordy},
		{unicode.Pc, wordy},
		{unicode.Join_Control, wordy},
	} {
		if unicode.Is(of.table, r) {
			c |= of.class
		}
	}
	if r == '\r' || r == '\n' {
		c |= newline
	}
	return c
}

// run returns the end of the longest stretch of s[i:] whose runes all have
// one of the classes.
func run(s string, i int, of class) int {
	for i < len(s) {
		c, n := classAt(s, i)
		if c&of == 0 {
			return i
		}
		i += n
	}
	return i
}

// runOther returns the end of the longest stretch of s[i:] whose runes have
// none of the classes.
func runOther(s string, i int, not class) int {
	for i < len(s) {
		c, n := classAt(s, i)
		if c&not != 0 {
			return i
		}
		i += n
	}
	return i
}
