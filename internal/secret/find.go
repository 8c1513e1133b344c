package secret

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// maxEscapes is how many escapings on top of each other are taken off.
const maxEscapes = 3

// find returns where secrets stand in a text, in order.
func (s *Set) find(text []byte) []span {
	if s == nil || len(s.raw) == 0 || len(text) == 0 {
		return nil
	}
	var found []span
	for _, word := range s.words {
		found = appendWords(found, text, word)
	}
	if len(s.folded) == 0 {
		return merge(found)
	}
	// Most texts hold no secret, and where one is matters only if there is.
	layer := fold(text, false)
	for n := 0; ; n++ {
		if s.holds(layer) {
			return merge(s.place(found, text))
		}
		if n == maxEscapes || !layer.escaped() {
			return merge(found)
		}
		layer = layer.unescape()
	}
}

func (s *Set) holds(layer folded) bool {
	for _, secret := range s.folded {
		if bytes.Contains(layer.lower, secret.text) {
			return true
		}
	}
	for _, core := range s.encoded {
		if bytes.Contains(layer.cased, core) {
			return true
		}
	}
	return false
}

// place appends where the long secrets stand, at each layer of escaping.
func (s *Set) place(found []span, text []byte) []span {
	layer := fold(text, true)
	for n := 0; ; n++ {
		for _, secret := range s.folded {
			for _, f := range layer.all(layer.lower, secret.text) {
				if secret.solid && bytes.ContainsFunc(text[f.from:f.to], unicode.IsSpace) {
					continue // words of a sentence
				}
				found = append(found, f)
			}
		}
		for _, core := range s.encoded {
			for _, f := range layer.all(layer.cased, core) {
				found = append(found, widen(text, f))
			}
		}
		if n == maxEscapes || !layer.escaped() {
			return found
		}
		layer = layer.unescape()
	}
}

// widen extends a span over all that may belong to the same Base64.
func widen(text []byte, f span) span {
	for f.from > 0 && isBase64(text[f.from-1]) {
		f.from--
	}
	for f.to < len(text) && isBase64(text[f.to]) {
		f.to++
	}
	return f
}

// appendWords appends where a word stands by itself.
func appendWords(found []span, text []byte, word string) []span {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(word))
		if i < 0 {
			return found
		}
		at := span{from + i, from + i + len(word)}
		before, _ := utf8.DecodeLastRune(text[:at.from])
		after, _ := utf8.DecodeRune(text[at.to:])
		if !inWord(before) && !inWord(after) {
			found = append(found, at)
		}
		from = at.to
	}
}

func inWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// begun returns where the beginning of a secret begins that a text ends in;
// the end of the text where it ends in none. The text may also end inside of an
// escape.
func (s *Set) begun(text []byte) int {
	const longest = 12 // of what is left of an escape
	end := s.begunBefore(text)
	for cut := len(text) - 1; cut >= max(0, len(text)-longest); cut-- {
		if bytes.IndexByte([]byte(`%\&`), text[cut]) < 0 {
			continue
		}
		if at := s.begunBefore(text[:cut]); at < cut {
			end = min(end, at)
		}
	}
	return end
}

func (s *Set) begunBefore(text []byte) int {
	end := len(text)
	if s == nil {
		return end
	}
	for _, word := range s.words {
		for n := min(len(word)-1, len(text)); n > 0; n-- {
			if bytes.HasSuffix(text, []byte(word[:n])) {
				end = min(end, len(text)-n)
			}
		}
	}
	layer := fold(text, true)
	for n := 0; ; n++ {
		for _, secret := range s.folded {
			end = min(end, layer.begun(layer.lower, secret.text, 1, len(text)))
		}
		for _, core := range s.encoded {
			const telling = 4 // three characters of Base64 are two of the secret, and end any other word
			end = min(end, layer.begun(layer.cased, core, telling, len(text)))
		}
		if n == maxEscapes || !layer.escaped() {
			return end
		}
		layer = layer.unescape()
	}
}
