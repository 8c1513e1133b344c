package tokenizer

// A decoder says how tokens become text again.
type decoder struct {
	space  string // written as a blank, "▁" in SentencePiece
	bytes  bool   // <0x0A> is the byte 10
	strip  int    // so many blanks fall away at the beginning of the text
	joiner string // WordPiece: without this prefix a token begins a word
	tidy   bool   // WordPiece: no blank before punctuation
}

// token appends the text of a regular token to dst.
func (d *decoder) token(dst, raw []byte) []byte { return append(dst, raw...) }

// special appends an added token to dst.
func (d *decoder) special(dst []byte, content string, first bool) []byte {
	return append(dst, content...)
}

// finish corrects dst[start:], which is all of a text.
func (d *decoder) finish(dst []byte, start int) []byte { return dst }
