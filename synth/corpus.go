package synth

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// maxCorpus bounds the memory that a user's text may take, in bytes.
const maxCorpus = 64 << 20

// A corpus is a text of the user's from which prompts are cut. It is a circle:
// a window that reaches its end goes on at its beginning.
type corpus struct{ text string }

// openCorpus reads a corpus. No name gives none.
func openCorpus(name string) (*corpus, error) {
	if name == "" {
		return nil, nil
	}
	text, err := readCorpus(name)
	if err != nil {
		return nil, fmt.Errorf("reading the corpus %s: %w", name, err)
	}
	return &corpus{text}, nil
}

func readCorpus(name string) (string, error) {
	file, err := openRegular(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCorpus+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxCorpus:
		return "", fmt.Errorf("it has more than %d MiB; a part of it serves as well", maxCorpus>>20)
	case sniff(text) != nil:
		return "", sniff(text)
	case strings.TrimSpace(string(text)) == "":
		return "", fmt.Errorf("it is empty")
	}
	if at := invalidUTF8(text); at >= 0 {
		return "", fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), notUTF8(text[at]))
	}
	return strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff")), nil
}

// append adds a window that begins with a word somewhere and has at least n
// tokens, or nearly: the caller fits it.
func (c *corpus) append(text []byte, n int, rng *rand.PCG) []byte {
	const bytesPerToken = 5 // a little more than English prose has
	start := below(rng, len(c.text))
	if space := strings.IndexAny(c.text[start:], " \t\n"); space >= 0 {
		start += space
	} else {
		start = 0
	}
	text = append(text, ' ')
	window := strings.TrimLeft(c.text[start:], " \t\r\n")
	for want := n * bytesPerToken; want > 0; window = c.text {
		if len(window) > want {
			for want < len(window) && !utf8.RuneStart(window[want]) {
				want++
			}
			return append(text, window[:want]...)
		}
		text = append(append(text, window...), ' ')
		want -= len(window) + 1
	}
	return text
}
