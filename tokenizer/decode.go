package tokenizer

import (
	"bytes"
	"fmt"
	"strconv"
)

// A decoder says how tokens become text again.
type decoder struct {
	blank  string // what a space is written as; "" where it is itself
	bytes  bool   // <0x0A> is the byte 10
	strip  int    // so many spaces fall away at the beginning of a text
	joined string // WordPiece: a token without this prefix begins a word
	tidy   bool   // WordPiece: no space before punctuation
}

func newDecoder(parts []component, byteLevel bool) (decoder, error) {
	var d decoder
	if len(parts) == 0 && !byteLevel {
		return d, unknown("decoder", "null")
	}
	for _, c := range parts {
		switch c.Type {
		case "ByteLevel", "Fuse":
		case "ByteFallback":
			d.bytes = true
		case "Replace":
			if c.Pattern.String == nil || c.Content != " " {
				return d, unknown("decoder", "Replace with a pattern or by "+strconv.Quote(shorten(c.Content)))
			}
			d.blank = *c.Pattern.String
		case "Strip":
			if c.Content != " " || c.Stop != 0 {
				return d, unknown("decoder", fmt.Sprintf("Strip of %q with stop %d", shorten(c.Content), c.Stop))
			}
			d.strip = c.Start
		case "Metaspace":
			d.blank = c.Replacement
			if c.scheme() != "never" {
				d.strip = 1
			}
		case "WordPiece":
			d.joined, d.tidy, d.strip = c.Prefix, c.Cleanup, 1
		default:
			return d, unknown("decoder", c.Type)
		}
	}
	return d, nil
}

// token appends the text of a regular token to dst.
func (d *decoder) token(dst, raw []byte) []byte {
	if d.joined != "" {
		if rest, ok := bytes.CutPrefix(raw, []byte(d.joined)); ok {
			return append(dst, rest...)
		}
		if !d.tidy || len(raw) != 1 || !bytes.Contains([]byte(".?!,"), raw) {
			dst = append(dst, ' ')
		}
		return append(dst, raw...)
	}
	if d.bytes && len(raw) == len("<0x0A>") && bytes.HasPrefix(raw, []byte("<0x")) && raw[5] == '>' {
		if b, err := strconv.ParseUint(string(raw[3:5]), 16, 8); err == nil {
			return append(dst, byte(b))
		}
	}
	for d.blank != "" {
		before, after, found := bytes.Cut(raw, []byte(d.blank))
		if !found {
			break
		}
		dst, raw = append(append(dst, before...), ' '), after
	}
	return append(dst, raw...)
}

// special appends an added token to dst.
func (d *decoder) special(dst []byte, content string) []byte {
	if d.joined != "" {
		dst = append(dst, ' ')
	}
	return append(dst, content...)
}

// finish takes from dst[start:], which is all of a text, the spaces that
// encoding put at its beginning.
func (d *decoder) finish(dst []byte, start int) []byte {
	n := start
	for n < len(dst) && n-start < d.strip && dst[n] == ' ' {
		n++
	}
	if n == start {
		return dst
	}
	return append(dst[:start], dst[n:]...)
}
