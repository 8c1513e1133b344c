package client

import (
	"cmp"
	"slices"
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
		if len(s) >= shortestValue && !slices.Contains(r, s) {
			r = append(r, s)
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

// message makes one line of s, free of secrets and at most messageMax bytes.
func (r redactor) message(s string) string {
	for _, secret := range r {
		s = strings.ReplaceAll(s, secret, redacted)
	}
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
