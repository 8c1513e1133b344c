package tokenizer

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A normalizer rewrites a text before it is cut into words.
type normalizer func(string) string

func normalizers(parts []component) ([]normalizer, error) {
	if len(parts) > maxStages {
		return nil, fmt.Errorf("%d normalizers: %w", len(parts), errMany)
	}
	var list []normalizer
	for _, c := range parts {
		n, err := newNormalizer(c)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func newNormalizer(c component) (normalizer, error) {
	switch c.Type {
	case "NFC":
		return norm.NFC.String, nil
	case "NFD":
		return norm.NFD.String, nil
	case "NFKC":
		return norm.NFKC.String, nil
	case "NFKD":
		return norm.NFKD.String, nil
	case "Lowercase":
		return lowercase, nil
	case "StripAccents":
		return func(s string) string { return without(s, unicode.M) }, nil
	case "Strip":
		return func(s string) string {
			if c.StripLeft {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if c.StripRight {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}, nil
	case "Prepend":
		return func(s string) string {
			if s == "" {
				return s
			}
			return c.Prepend + s
		}, nil
	case "Replace":
		return newReplace(c)
	case "BertNormalizer":
		return newBertNormalizer(c), nil
	}
	return nil, unknown("normalizer", c.Type)
}

func newReplace(c component) (normalizer, error) {
	switch {
	case c.Pattern.String != nil && *c.Pattern.String != "":
		return func(s string) string { return strings.ReplaceAll(s, *c.Pattern.String, c.Content) }, nil
	case c.Pattern.Regex != nil && *c.Pattern.Regex == " {2,}":
		return func(s string) string { return replaceBlanks(s, c.Content) }, nil
	case c.Pattern.Regex != nil:
		return nil, unknown("pattern of normalizer Replace", shorten(*c.Pattern.Regex))
	}
	return nil, unknown("normalizer", "Replace without a pattern")
}

// replaceBlanks replaces each run of two or more spaces.
func replaceBlanks(s, by string) string {
	if !strings.Contains(s, "  ") {
		return s
	}
	var b strings.Builder
	for s != "" {
		word, rest, _ := strings.Cut(s, "  ")
		b.WriteString(word)
		if len(word) < len(s) {
			b.WriteString(by)
		}
		s = strings.TrimLeft(rest, " ")
	}
	return b.String()
}

// lowercase is what Unicode says where package strings keeps one rune for
// one: a dotted capital I becomes two.
func lowercase(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "İ", "i\u0307"))
}

// without leaves out the runes of a table.
func without(s string, table *unicode.RangeTable) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(table, r) {
			return -1
		}
		return r
	}, s)
}

// newBertNormalizer cleans as BERT does. Accents fall where lowercase says so,
// unless the file says otherwise.
func newBertNormalizer(c component) normalizer {
	strip := c.Lowercase
	if c.StripAccents != nil {
		strip = *c.StripAccents
	}
	return func(s string) string {
		if c.CleanText {
			s = strings.Map(cleanRune, s)
		}
		if c.ChineseChars {
			s = spaceChinese(s)
		}
		if strip {
			s = without(norm.NFD.String(s), unicode.Mn)
		}
		if c.Lowercase {
			s = lowercase(s)
		}
		return s
	}
}

// cleanRune drops controls and makes every white space a blank.
func cleanRune(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case r == 0 || r == unicode.ReplacementChar || unicode.Is(unicode.C, r):
		return -1
	case unicode.IsSpace(r):
		return ' '
	}
	return r
}

// spaceChinese puts blanks around ideographs, which are words of their own.
func spaceChinese(s string) string {
	if strings.IndexFunc(s, isIdeograph) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isIdeograph(r) {
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isIdeograph(r rune) bool {
	for _, block := range [...][2]rune{
		{0x4e00, 0x9fff},
		{0x3400, 0x4dbf},
		{0x20000, 0x2a6df},
		{0x2a700, 0x2b73f},
		{0x2b740, 0x2b81f},
		{0x2b920, 0x2ceaf},
		{0xf900, 0xfaff},
		{0x2f800, 0x2fa1f},
	} {
		if r >= block[0] && r <= block[1] {
			return true
		}
	}
	return false
}
