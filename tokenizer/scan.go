package tokenizer

import "strings"

// A scanner cuts text into the words that are encoded one by one: it returns
// the end, beyond i, of the word that begins at s[i].
type scanner func(s string, i int) int

// patterns says which scanner cuts as a pattern of a published tokenizer does.
var patterns = map[string]scanner{
	gpt2Pattern: gpt2,
	// Llama 3, GLM 4, Phi 4 and cl100k_base.
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: cl100k(3, letter),
	`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`:       cl100k(3, letter),
	// Qwen 2, 2.5 and 3.
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: cl100k(1, letter),
	// Qwen 3.5.
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: cl100k(1, letter|mark),
	// o200k_base, gpt-oss and Llama 4.
	`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`: o200k(3, true, 0),
	// Mistral's Tekken.
	`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`: o200k(1, false, 0),
}

// gappy has the patterns that leave characters unmatched: such a stretch is a
// word of its own.
var gappy = map[string]scanner{
	// DeepSeek V3 and R1 cut three times: numbers, then Chinese and Japanese, then the rest.
	`\p{N}{1,3}`:   isolated(func(s string, i int) int { return digits(s, i, 3) }),
	`[一-龥぀-ゟ゠-ヿ]+`: isolated(cjk),
	"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+": isolated(deepSeek),
}

const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// scannerFor returns the scanner of a pattern and whether the pattern leaves
// gaps. Files write \r and \n either as escapes of the pattern or as the
// characters themselves.
func scannerFor(pattern string) (scan scanner, gaps, ok bool) {
	pattern = strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(pattern)
	if scan, ok = patterns[pattern]; ok {
		return scan, false, true
	}
	scan, ok = gappy[pattern]
	return scan, true, ok
}

// gpt2 scans gpt2Pattern.
func gpt2(s string, i int) int {
	if n := contraction(s, i, false); n > 0 {
		return i + n
	}
	c, n := classAt(s, i)
	at := i
	if s[i] == ' ' && i+1 < len(s) {
		at = i + 1
		c, n = classAt(s, at)
	}
	switch {
	case c&letter != 0:
		return run(s, at+n, letter)
	case c&number != 0:
		return run(s, at+n, number)
	case c&space == 0:
		return runOther(s, at+n, space|letter|number)
	}
	return blanks(s, i)
}

// cl100k scans the family of cl100k_base: words of the given classes that
// may have one other character before them, numbers of at most so many
// digits, and other characters with the newlines after them.
func cl100k(most int, word class) scanner {
	return func(s string, i int) int {
		c, n := classAt(s, i)
		switch {
		case c&word != 0 && c&letter != 0:
			return run(s, i+n, word)
		case c&number != 0:
			return digits(s, i, most)
		}
		if k := contraction(s, i, true); k > 0 {
			return i + k
		}
		if c&newline == 0 {
			if end := run(s, i+n, word); end > i+n {
				return end
			}
			if c&word != 0 {
				return i + n
			}
		}
		return others(s, i, c, n, space|word|number, false)
	}
}

// o200k scans the family of o200k_base, whose words are capitals and then
// small letters, a contraction at their end included. Characters of the class
// alone are no letters of such words.
func o200k(most int, contracted bool, alone class) scanner {
	return func(s string, i int) int {
		c, n := classAt(s, i)
		if c&number != 0 {
			return digits(s, i, most)
		}
		end := i
		switch {
		case c&letter != 0:
			end = capitalized(s, i, alone)
		case c&newline == 0:
			// A mark is a word's first character where no small letter or
			// its like follows, else the other character before it.
			if end = capitalized(s, i+n, alone); c&mark != 0 && !hasTail(s, i+n, end) {
				end = capitalized(s, i, alone)
			} else if end == i+n {
				end = i
			}
		}
		if end > i {
			if contracted {
				end += contraction(s, end, true)
			}
			return end
		}
		return others(s, i, c, n, space|letter|number, alone == 0)
	}
}

// kimi scans the pattern of Kimi K2, which is o200k_base's with runs of Han
// characters as words of their own.
func kimi(s string, i int) int {
	if end := run(s, i, han); end > i {
		return end
	}
	return kimiWords(s, i)
}

var kimiWords = o200k(3, true, han)

// capitalized returns the end of U*W+ at s[i:], or where that fails of U+W*,
// where U is a capital and W a small letter and both may be caseless or a
// mark; i if both fail. Neither is of the class alone.
func capitalized(s string, i int, alone class) int {
	last, j := i, i // end of the last rune of U that W may also take
	for j < len(s) {
		c, n := classAt(s, j)
		if c&(upper|caseless|mark) == 0 || c&alone != 0 {
			break
		}
		j += n
		if c&upper == 0 {
			last = j
		}
	}
	end := j
	for end < len(s) {
		c, n := classAt(s, end)
		if c&(lower|caseless|mark) == 0 || c&alone != 0 {
			break
		}
		end += n
	}
	if end == j && last > i {
		return last
	}
	return end
}

// hasTail reports whether s[i:end] holds a rune that W takes.
func hasTail(s string, i, end int) bool { return run(s[:end], i, upper) < end }

// deepSeek matches the last of DeepSeek's three patterns; i where it does not
// match.
func deepSeek(s string, i int) int {
	c, n := classAt(s, i)
	if s[i] < 0x80 && c&(punct|symbol) != 0 {
		if end := latin(s, i+1); end > i+1 {
			return end
		}
	}
	if c&(letter|mark) != 0 {
		return run(s, i+n, letter|mark)
	}
	if c&(newline|punct|symbol) == 0 {
		if end := run(s, i+n, letter|mark); end > i+n {
			return end
		}
	}
	at := i
	if s[i] == ' ' {
		at++
	}
	if end := run(s, at, punct|symbol); end > at {
		return run(s, end, newline)
	}
	if c&space != 0 {
		return lines(s, i)
	}
	return i
}

func latin(s string, i int) int {
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
		i++
	}
	return i
}

// cjk matches [一-龥぀-ゟ゠-ヿ]+.
func cjk(s string, i int) int {
	for j, r := range s[i:] {
		if (r < 0x4e00 || r > 0x9fa5) && (r < 0x3040 || r > 0x30ff) {
			return i + j
		}
	}
	return len(s)
}

// isolated makes a scanner of a match that can fail: what is between two
// matches is a word.
func isolated(match scanner) scanner {
	return func(s string, i int) int {
		if end := match(s, i); end > i {
			return end
		}
		for i < len(s) {
			_, n := classAt(s, i)
			i += n
			if i < len(s) && match(s, i) > i {
				break
			}
		}
		return i
	}
}

// others scans ` ?[^not]+[\r\n]*` (with a slash among the newlines where
// slash says so), else white space. The rune at i has class c and width n.
func others(s string, i int, c class, n int, not class, slash bool) int {
	at := i
	if s[i] == ' ' {
		at++
	}
	if end := runOther(s, at, not); end > at {
		for end < len(s) && (s[end] == '\r' || s[end] == '\n' || slash && s[end] == '/') {
			end++
		}
		return end
	}
	if c&space == 0 {
		return i + n
	}
	return lines(s, i)
}

// lines scans `\s*[\r\n]+|\s+(?!\S)|\s+`.
func lines(s string, i int) int {
	broken, j := i, i
	for j < len(s) {
		c, n := classAt(s, j)
		if c&space == 0 {
			break
		}
		j += n
		if c&newline != 0 {
			broken = j
		}
	}
	if broken > i {
		return broken
	}
	return blanks(s, i)
}

// blanks scans `\s+(?!\S)|\s+`: white space, without its last character
// where a word follows and there is more than one.
func blanks(s string, i int) int {
	last, j := i, i
	for j < len(s) {
		c, n := classAt(s, j)
		if c&space == 0 {
			break
		}
		last, j = j, j+n
	}
	if j < len(s) && last > i {
		return last
	}
	return j
}

// digits scans \p{N}{1,most}.
func digits(s string, i, most int) int {
	for ; most > 0 && i < len(s); most-- {
		c, n := classAt(s, i)
		if c&number == 0 {
			break
		}
		i += n
	}
	return i
}

// contraction returns the length of one of 's 't 're 've 'm 'll 'd at s[i:],
// 0 where there is none. Without regard to case, the long s is an s too.
func contraction(s string, i int, fold bool) int {
	if i+1 >= len(s) || s[i] != '\'' {
		return 0
	}
	a, b := s[i+1], byte(0)
	if i+2 < len(s) {
		b = s[i+2]
	}
	if fold {
		if a == 0xc5 && b == 0xbf {
			return 3
		}
		a, b = a|0x20, b|0x20
	}
	switch {
	case a == 's', a == 't', a == 'm', a == 'd':
		return 2
	case a == 'r' && b == 'e', a == 'v' && b == 'e', a == 'l' && b == 'l':
		return 3
	}
	return 0
}
