package secret

import (
	"bytes"
	"encoding/base64"
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A folded text is one without what may cut or disguise a secret: white space,
// controls, marks that show as nothing, the case of letters. A plus is white
// space in a URL, and goes like it.
type folded struct {
	lower []byte // without case
	cased []byte // with case; of the same length
	// from and to are where each byte stands in the text; nil where that was
	// not asked for.
	from, to []int32
}

// fold folds a text; placed says whether where its bytes stand is of interest.
func fold(text []byte, placed bool) folded {
	f := folded{lower: make([]byte, 0, len(text)), cased: make([]byte, 0, len(text))}
	if placed {
		f.from, f.to = make([]int32, 0, len(text)), make([]int32, 0, len(text))
	}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && !placed { // nearly all there is
			if low := lowered[c]; low != 0 {
				f.lower, f.cased = append(f.lower, low), append(f.cased, c)
			}
			i++
			continue
		}
		_, size := utf8.DecodeRune(text[i:])
		f.add(text[i:i+size], i, i+size)
		i += size
	}
	return f
}

// lowered is what each byte of ASCII is folded to, 0 for nothing.
var lowered = func() (table [utf8.RuneSelf]byte) {
	for c := range table {
		f := folded{}
		if f.add([]byte{byte(c)}, 0, 0); len(f.lower) > 0 {
			table[c] = f.lower[0]
		}
	}
	return table
}()

// add appends one character that stands at a place of the text.
func (f *folded) add(char []byte, from, to int) {
	r, size := rune(char[0]), 1
	if r >= utf8.RuneSelf {
		r, size = utf8.DecodeRune(char)
	}
	if r == '+' || r != utf8.RuneError && (unicode.IsSpace(r) || unicode.Is(unicode.C, r)) {
		return
	}
	f.cased = append(f.cased, char...)
	if low := unicode.ToLower(r); r != utf8.RuneError && utf8.RuneLen(low) == size {
		f.lower = utf8.AppendRune(f.lower, low)
	} else {
		f.lower = append(f.lower, char...)
	}
	if f.from != nil {
		for range char {
			f.from, f.to = append(f.from, int32(from)), append(f.to, int32(to))
		}
	}
}

// escaped reports whether there is an escape in the text.
func (f *folded) escaped() bool {
	for i, c := range f.cased {
		if c == '%' || c == '\\' || c == '&' {
			if _, size := unescaped(f.cased[i:]); size > 0 {
				return true
			}
		}
	}
	return false
}

// unescape takes one layer of escapes off, those of JSON, HTML and URLs alike.
// What looks like none stays as it is.
func (f *folded) unescape() folded {
	text := f.cased
	// Bytes that follow one another may be one character: it is folded as such.
	plain := make([]byte, 0, len(text))
	var from, to []int32
	for i := 0; i < len(text); {
		char, size := unescaped(text[i:])
		if size == 0 {
			char, size = text[i:i+1], 1
		}
		plain = append(plain, char...)
		if f.from != nil {
			for range char {
				from, to = append(from, f.from[i]), append(to, f.to[i+size-1])
			}
		}
		i += size
	}
	out := folded{lower: make([]byte, 0, len(plain)), cased: make([]byte, 0, len(plain))}
	if f.from != nil {
		out.from, out.to = make([]int32, 0, len(plain)), make([]int32, 0, len(plain))
	}
	for i := 0; i < len(plain); {
		_, size := utf8.DecodeRune(plain[i:])
		first, last := 0, 0
		if f.from != nil {
			first, last = int(from[i]), int(to[i+size-1])
		}
		out.add(plain[i:i+size], first, last)
		i += size
	}
	return out
}

// unescaped returns what the escape at the beginning of a text stands for, and
// how long it is: 0 where there is none.
func unescaped(b []byte) (char []byte, size int) {
	switch b[0] {
	case '%':
		if c, ok := hexByte(b[1:]); ok {
			return []byte{c}, 3
		}
	case '\\':
		return unescapedBackslash(b)
	case '&':
		const longest = 10
		end := bytes.IndexByte(b[:min(len(b), longest)], ';')
		if end < 0 {
			break
		}
		entity := strings.ToLower(string(b[:end+1])) // the case may have been changed
		if plain := html.UnescapeString(entity); plain != entity {
			return []byte(plain), end + 1
		}
	}
	return nil, 0
}

func unescapedBackslash(b []byte) (char []byte, size int) {
	if len(b) < 2 {
		return nil, 0
	}
	switch b[1] {
	case '"', '\'', '/', '\\':
		return b[1:2], 2
	case 'n', 'r', 't', 'b', 'f', 'v', 'a':
		return []byte{' '}, 2
	case 'x', 'X':
		if c, ok := hexByte(b[2:]); ok {
			return []byte{c}, 4
		}
	case 'u', 'U':
		if len(b) < 6 {
			break
		}
		if r, err := strconv.ParseUint(string(b[2:6]), 16, 16); err == nil {
			return utf8.AppendRune(nil, rune(r)), 6
		}
	}
	return nil, 0
}

// hexByte reads two hexadecimal digits.
func hexByte(b []byte) (byte, bool) {
	if len(b) < 2 {
		return 0, false
	}
	c, err := strconv.ParseUint(string(b[:2]), 16, 8)
	return byte(c), err == nil
}

// all returns where in the text all occurrences of a part stand.
func (f *folded) all(in, part []byte) []span {
	var found []span
	for from := 0; ; {
		i := bytes.Index(in[from:], part)
		if i < 0 {
			return found
		}
		from += i
		last := from + len(part) - 1
		found = append(found, span{int(f.from[from]), int(f.to[last])})
		from++ // one may overlap the next
	}
}

// begun returns where in the text the longest beginning of a part begins, of at
// least so many bytes, that the folded text ends in; end where it ends in none.
func (f *folded) begun(in, part []byte, least, end int) int {
	for n := min(len(part)-1, len(in)); n >= least; n-- {
		if bytes.HasSuffix(in, part[:n]) {
			return int(f.from[len(in)-n])
		}
	}
	return end
}

// base64Cores returns what stands in any Base64 of a text that holds value,
// whatever stands around it there: one for each way in which its bytes may fall
// into groups of three, in both alphabets.
func base64Cores(value string) [][]byte {
	const shortest = 6 // less stands anywhere by chance
	var cores [][]byte
	for shift, skip := range []int{0, 2, 3} {
		text := append(make([]byte, shift), value...)
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			core := alphabet.EncodeToString(text)[skip : len(text)*8/6]
			core = strings.ReplaceAll(core, "+", "")
			if len(core) >= shortest && (len(cores) == 0 || string(cores[len(cores)-1]) != core) {
				cores = append(cores, []byte(core))
			}
		}
	}
	return cores
}

func isBase64(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' ||
		c == '+' || c == '/' || c == '-' || c == '_' || c == '='
}
