package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// stages builds the pre-tokenizer. It reports whether the words are bytes,
// written in the byte alphabet by the vocabulary.
func stages(parts []component) (list []stage, byteLevel bool, err error) {
	if len(parts) > maxStages {
		return nil, false, fmt.Errorf("%d pre-tokenizers: %w", len(parts), errMany)
	}
	for _, c := range parts {
		if byteLevel {
			return nil, false, unknown("pre-tokenizer", c.Type+" after ByteLevel")
		}
		byteLevel = c.Type == "ByteLevel"
		st, err := newStage(c)
		if err != nil {
			return nil, false, err
		}
		if st.cut != nil || st.rewrite != nil {
			list = append(list, st)
		}
	}
	return list, byteLevel, nil
}

func newStage(c component) (stage, error) {
	switch c.Type {
	case "ByteLevel":
		var st stage
		if c.AddPrefixSpace == nil || *c.AddPrefixSpace {
			st.rewrite = prependSpace
		}
		if c.UseRegex == nil || *c.UseRegex {
			st.cut = keepAll(gpt2)
		}
		return st, nil
	case "Split":
		cut, err := newSplit(c)
		return stage{cut: cut}, err
	case "Metaspace":
		return newMetaspace(c)
	case "BertPreTokenizer":
		return stage{cut: bertWords}, nil
	case "Whitespace":
		return stage{cut: plainWords}, nil
	case "WhitespaceSplit":
		return stage{cut: func(s string, i int) (int, bool) { return eitherOr(s, i, space) }}, nil
	case "Digits":
		return stage{cut: keepAll(isolated(func(s string, i int) int {
			if c.Individual {
				return digits(s, i, 1)
			}
			return run(s, i, number)
		}))}, nil
	case "Punctuation":
		if c.Behavior != "" && c.Behavior != "Isolated" {
			return stage{}, unknown("behavior of pre-tokenizer Punctuation", c.Behavior)
		}
		return stage{cut: keepAll(isolated(mark1))}, nil
	}
	return stage{}, unknown("pre-tokenizer", c.Type)
}

// prependSpace is add_prefix_space of ByteLevel.
func prependSpace(dst []byte, s string, _ bool) []byte {
	if !strings.HasPrefix(s, " ") {
		dst = append(dst, ' ')
	}
	return append(dst, s...)
}

// newSplit cuts by a known pattern or by a plain string.
func newSplit(c component) (cutter, error) {
	if c.Pattern.String != nil && *c.Pattern.String != "" {
		return newStringSplit(*c.Pattern.String, c)
	}
	if c.Pattern.Regex == nil {
		return nil, unknown("pre-tokenizer", "Split without a pattern")
	}
	scan, gaps, ok := scannerFor(*c.Pattern.Regex)
	switch {
	case !ok:
		return nil, unknown("pattern of pre-tokenizer Split", *c.Pattern.Regex)
	case c.Behavior == "Isolated", c.Behavior == "Removed" && c.Invert && !gaps:
		return keepAll(scan), nil
	}
	return nil, unknown("behavior of pre-tokenizer Split", c.Behavior)
}

func newStringSplit(at string, c component) (cutter, error) {
	if c.Invert {
		return nil, unknown("option of pre-tokenizer Split", "invert with a string")
	}
	find := func(s string, i int) int {
		if n := strings.Index(s[i:], at); n >= 0 {
			return i + n
		}
		return len(s)
	}
	switch c.Behavior {
	case "Isolated", "Removed":
		return func(s string, i int) (int, bool) {
			if strings.HasPrefix(s[i:], at) {
				return i + len(at), c.Behavior == "Isolated"
			}
			return find(s, i), true
		}, nil
	case "MergedWithPrevious":
		return func(s string, i int) (int, bool) { return min(find(s, i)+len(at), len(s)), true }, nil
	case "MergedWithNext":
		return func(s string, i int) (int, bool) {
			if strings.HasPrefix(s[i:], at) {
				i += len(at)
			}
			return find(s, i), true
		}, nil
	}
	return nil, unknown("behavior of pre-tokenizer Split", c.Behavior)
}

// scheme returns when Metaspace puts a blank before a text: "always",
// "first" or "never". Older files say it with add_prefix_space.
func (c *component) scheme() string {
	switch {
	case c.PrependScheme != "":
		return c.PrependScheme
	case c.AddPrefixSpace != nil && !*c.AddPrefixSpace:
		return "never"
	}
	return "always"
}

// newMetaspace writes spaces as a visible character, puts one before the text
// and cuts before each.
func newMetaspace(c component) (stage, error) {
	scheme, mark := c.scheme(), c.Replacement
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return stage{}, unknown("prepend_scheme", scheme)
	}
	if utf8.RuneCountInString(mark) != 1 {
		return stage{}, unknown("replacement of Metaspace", mark)
	}
	st := stage{rewrite: func(dst []byte, s string, first bool) []byte {
		if (scheme == "always" || scheme == "first" && first) && s[0] != ' ' && !strings.HasPrefix(s, mark) {
			dst = append(dst, mark...)
		}
		for {
			before, after, found := strings.Cut(s, " ")
			dst = append(dst, before...)
			if !found {
				return dst
			}
			dst, s = append(dst, mark...), after
		}
	}}
	if c.Split == nil || *c.Split {
		var err error
		st.cut, err = newStringSplit(mark, component{Behavior: "MergedWithNext"})
		return st, err
	}
	return st, nil
}

// eitherOr cuts into stretches that have the class and are dropped, and
// stretches that have not and are kept.
func eitherOr(s string, i int, drop class) (int, bool) {
	if end := run(s, i, drop); end > i {
		return end, false
	}
	return runOther(s, i, drop), true
}

// mark1 matches one punctuation character; as such, BERT counts all of ASCII
// that is neither letter nor digit.
func mark1(s string, i int) int {
	c, n := classAt(s, i)
	if c&punct != 0 || c&symbol != 0 && s[i] < utf8.RuneSelf {
		return i + n
	}
	return i
}

// bertWords drops white space and takes each punctuation character by itself.
func bertWords(s string, i int) (int, bool) {
	if end := run(s, i, space); end > i {
		return end, false
	}
	if end := mark1(s, i); end > i {
		return end, true
	}
	for i < len(s) {
		c, n := classAt(s, i)
		if c&space != 0 || mark1(s, i) > i {
			break
		}
		i += n
	}
	return i, true
}

// plainWords matches \w+|[^\w\s]+ and drops the rest.
func plainWords(s string, i int) (int, bool) {
	if end := run(s, i, wordy); end > i {
		return end, true
	}
	if end := run(s, i, space); end > i {
		return end, false
	}
	return runOther(s, i, wordy|space), true
}
