package client

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	redacted      = "<redacted>"
	messageMax    = 512
	shortestValue = 4 // a shorter header value is a setting, not a secret
)

// A redactor knows what must not appear in a message, longest first.
type redactor []string

func newRedactor(key string, headers map[string]string) redactor {
	var r redactor
	add := func(s string) {
		quoted := strconv.Quote(s) // as net/http tells what it cannot read, and as JSON has it
		for _, s := range []string{s, quoted[1 : len(quoted)-1]} {
			if len(s) >= shortestValue && !slices.Contains(r, s) {
				r = append(r, s)
			}
		}
	}
	add(key)
	for _, value := range headers {
		value = strings.TrimSpace(value)
		add(value)
		if _, credentials, ok := strings.Cut(value, " "); ok { // Bearer …
			add(strings.TrimSpace(credentials))
		}
	}
	slices.SortFunc(r, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return r
}

// excerpt returns the beginning of what a server sent, at most size bytes of it,
// free of secrets, for a message to quote: half a secret, or one in which
// something is escaped, would not be recognised later. Where b is as long as
// size it counts as cut off, and the beginning of a secret that it ends in is
// left out.
func (r redactor) excerpt(b []byte, size int) string {
	s := r.replace(string(b[:min(len(b), size)]))
	if len(b) < size {
		return s
	}
	begun := 0
	for _, secret := range r {
		for n := min(len(secret)-1, len(s)); n > begun; n-- {
			if strings.HasSuffix(s, secret[:n]) {
				begun = n
			}
		}
	}
	return s[:len(s)-begun]
}

func (r redactor) replace(s string) string {
	for _, secret := range r {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	return s
}

// message makes one line of s, free of secrets and at most messageMax bytes.
func (r redactor) message(s string) string {
	s = r.replace(s)
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c)
	}), " ")
	if len(s) <= messageMax {
		return s
	}
	cut := messageMax - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
