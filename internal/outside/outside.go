// Package outside makes text that comes from a server or a file harmless to
// show: it is data, and must not move a cursor, ring, set a title, turn the
// direction of reading, or be calculated by a spreadsheet.
//
// Line and Text are for people: terminals, logs, reports, pictures. Cell is
// for CSV. JSON needs neither: what is written there is escaped.
package outside

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns a text as one line that shows what it says: white space and
// line ends become single spaces, all that is not shown as a character is
// replaced by U+FFFD.
func Line(text string) string {
	if harmless(text, false) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			if s := b.String(); s != "" && s[len(s)-1] != ' ' {
				b.WriteByte(' ')
			}
		default:
			b.WriteRune(shown(r))
		}
	}
	return strings.TrimSuffix(b.String(), " ")
}

// Text returns a text of several lines likewise: line ends and tabs stay.
func Text(text string) string {
	if harmless(text, true) {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, text)
}

// Coloured is Text for a terminal on which colours are wanted: the sequences that
// set them stay, and no others.
func Coloured(text string) string {
	var b strings.Builder
	for {
		at := strings.Index(text, "\x1b[")
		if at < 0 {
			break
		}
		end := at + len("\x1b[")
		for end < len(text) && (text[end] == ';' || text[end] >= '0' && text[end] <= '9') {
			end++
		}
		if end == len(text) || text[end] != 'm' {
			end = at + 1 // another sequence: without its escape it is text
			b.WriteString(Text(text[:end]))
		} else {
			end++
			b.WriteString(Text(text[:at]))
			b.WriteString(text[at:end])
		}
		text = text[end:]
	}
	b.WriteString(Text(text))
	return b.String()
}

// shown returns the character, or U+FFFD for one that acts instead of being
// shown: controls, C1's included, and formats such as those of the bidirectional
// algorithm, which can show a text in another order than it has. The joiners
// within words and emoji stay.
func shown(r rune) rune {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch {
	case r == nonJoiner || r == joiner:
		return r
	case unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029':
		return utf8.RuneError
	}
	return r
}

// harmless reports whether a text is ASCII to be shown as it stands: nearly
// all are.
func harmless(text string, lines bool) bool {
	for i := range len(text) {
		c := text[i]
		if c >= 0x7f || c < ' ' && !(lines && (c == '\n' || c == '\t')) {
			return false
		}
		if !lines && c == ' ' && (i == 0 || i == len(text)-1 || text[i+1] == ' ') {
			return false
		}
	}
	return true
}

// Cell returns a text as a cell of CSV that no spreadsheet calculates: one that
// begins like a formula gets an apostrophe before it, as OWASP advises. Numbers
// stay numbers. What acts instead of being shown is replaced, line ends and
// tabs aside. Quoting is left to the writer.
func Cell(text string) string {
	text = Text(text)
	if text == "" {
		return text
	}
	first, _ := utf8.DecodeRuneInString(text)
	if !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && isNumeral(text) {
		return text
	}
	return "'" + text
}

// isNumeral tells numbers from what ParseFloat takes beside them: names of
// values that are none, underscores, hexadecimal.
func isNumeral(text string) bool { return strings.Trim(text, "+-.0123456789eE") == "" }

// Uncell returns the text that Cell made a cell of.
func Uncell(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && Cell(rest) == cell {
		return rest
	}
	return cell
}
