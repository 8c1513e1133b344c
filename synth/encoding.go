package synth

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// foreign are the beginnings of files that hold text, but not as it is.
var foreign = []struct{ head, what, advice string }{
	{"\xff\xfe", "UTF-16", "save it as UTF-8"},
	{"\xfe\xff", "UTF-16", "save it as UTF-8"},
	{"\x00\x00\xfe\xff", "UTF-32", "save it as UTF-8"},
	{"\x1f\x8b", "compressed by gzip", "unpack it with gunzip"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it with unzstd"},
	{"\xfd7zXZ", "compressed by xz", "unpack it with unxz"},
	{"BZh", "compressed by bzip2", "unpack it with bunzip2"},
	{"PK\x03\x04", "a ZIP archive", "unpack it"},
	{"PAR1", "Parquet", "convert it to JSON lines"},
}

// sniff refuses a file by its first bytes that is no plain UTF-8 text.
func sniff(head []byte) error {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.head)) {
			return fmt.Errorf("it is %s: %s", f.what, f.advice)
		}
	}
	if i := bytes.IndexByte(head[:min(len(head), 4)], 0); i >= 0 {
		return errors.New("it is UTF-16, or no text: save it as UTF-8")
	}
	return nil
}

// checkText reports where a text is not UTF-8, or, in JSON, where an escape is
// half a character: it would be sent as another one. Without a fault at is -1.
func checkText(text []byte) (at int, err error) {
	if at := invalidUTF8(text); at >= 0 {
		return at, notUTF8(text[at])
	}
	return halfEscape(text)
}

// notUTF8 is the error for a byte that is not.
type notUTF8 byte

func (b notUTF8) Error() string {
	return fmt.Sprintf("byte 0x%02x is not UTF-8: save the file as UTF-8", byte(b))
}

// invalidUTF8 returns the place of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
}

// halfEscape finds a \ud800 to \udfff that is no half of a pair.
func halfEscape(text []byte) (at int, err error) {
	for at = bytes.IndexByte(text, '\\'); at >= 0 && at+1 < len(text); {
		next := at + 2
		if high, ok := escaped(text[at:]); ok && utf16.IsSurrogate(high) {
			low, _ := escaped(text[at+6:])
			if utf16.DecodeRune(high, low) == utf8.RuneError {
				return at, fmt.Errorf(`the escape %s is half a character`, text[at:at+6])
			}
			next = at + 12
		}
		step := bytes.IndexByte(text[next:], '\\')
		if step < 0 {
			break
		}
		at = next + step
	}
	return -1, nil
}

// escaped returns the code unit of a \uXXXX with which a text begins.
func escaped(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}
