package client

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"loadgen/internal/outside"
	"loadgen/internal/secret"
)

const messageMax = 512

// Secrets returns what of the settings nothing written or shown may hold, and of
// the proxies that the environment names.
func (c Config) Secrets() *secret.Set {
	s := &secret.Set{}
	s.AddKey(c.APIKey)
	for name, value := range c.Headers {
		s.AddHeader(name, value)
	}
	for _, url := range []string{c.URL, c.Endpoint, c.Health} {
		s.AddURL(url)
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} { // those that net/http asks
		s.AddURL(os.Getenv(name))
		s.AddURL(os.Getenv(strings.ToLower(name)))
	}
	return s
}

// own marks a text of ours, or of the settings, among the arguments of words.
type own string

// words are what is told of something, with the texts from outside kept apart
// until they are: secrets are masked in these, and in nothing else. A key such
// as 1 or status stands in every message.
type words struct {
	format string
	args   []any
}

// Error returns the words as they are, to tell errors apart, not to be shown.
func (w *words) Error() string { return fmt.Sprintf(w.format, w.args...) }

// A redactor takes the secrets out of texts from outside.
type redactor struct{ *secret.Set }

// excerpt returns the beginning of what a server sent, free of secrets, for a
// message to quote; see [secret.Set.Excerpt].
func (r redactor) excerpt(b []byte, size int) string { return r.Excerpt(b, size) }

// message makes one line of words, at most messageMax bytes of it. Of an error
// of a library all words are taken for the server's, but for what the system
// says: that has addresses and numbers in it and nothing else.
func (r redactor) message(err error) string {
	var w *words
	var system syscall.Errno
	var dial *net.OpError
	switch {
	case errors.As(err, &w):
		return short(outside.Line(r.say(w)))
	case errors.As(err, &dial) && errors.As(err, &system):
		return short(outside.Line(err.Error()))
	}
	return r.label(err.Error())
}

// say puts words together with the secrets masked.
func (r redactor) say(w *words) string {
	args := make([]any, len(w.args))
	for i, arg := range w.args {
		switch arg := arg.(type) {
		case string:
			args[i] = r.Hide(arg)
		case error:
			args[i] = r.message(arg)
		default:
			args[i] = arg
		}
	}
	return fmt.Sprintf(w.format, args...)
}

// label makes a short text of a server fit to be kept and shown: one line, free
// of secrets, at most messageMax bytes.
func (r redactor) label(text string) string { return short(outside.Line(r.Hide(text))) }

func short(s string) string {
	if len(s) <= messageMax {
		return s
	}
	cut := messageMax - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// A recurring text is one that most replies repeat, such as the model's name:
// it is made fit to be kept once.
type recurring struct {
	said text
	kept string
}

// keep returns what is kept of a text. One that is expected is kept as it is.
func (l *recurring) keep(t text, expected string, secrets redactor) string {
	if l.kept != "" && t.escaped == l.said.escaped && string(t.raw) == string(l.said.raw) {
		return l.kept
	}
	l.said = text{raw: append(l.said.raw[:0], t.raw...), escaped: t.escaped}
	if l.kept = string(t.appendTo(nil)); l.kept != expected {
		l.kept = secrets.label(l.kept)
	}
	return l.kept
}
