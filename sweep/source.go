package sweep

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"loadgen/internal/outside"
	"loadgen/internal/secret"
)

const (
	maxFileSize = 256 << 10 // bytes; a batch file of thousands of values needs a tenth
	maxDepth    = 40        // levels of nesting
	maxNodes    = 50_000    // values after the expansion of aliases
	maxBound    = 1_000_000 // values of all cells
	maxMessage  = 1500      // characters of a message, a hint or a key
	maxExcerpt  = 120       // characters of a source line shown in a fault
)

// A source is a text that was read and the name it goes by in faults.
type source struct {
	name  string
	lines []string
	// secrets are values that no fault may show, hidden the columns by line
	// from which on a line is not shown.
	secrets secret.Set
	hidden  map[int]int
	// written and cut are likewise for the secrets that the file itself holds,
	// and does not only name.
	written secret.Set
	cut     map[int]int
}

func newSource(name string, text []byte) *source {
	return &source{name: name, lines: strings.Split(string(text), "\n"), hidden: map[int]int{}, cut: map[int]int{}}
}

// fault returns a fault of the text at a position; the width is that of the
// faulty words in characters.
func (s *source) fault(line, column, width int, key, message, hint string) *Fault {
	f := &Fault{
		File: s.name, Line: line, Column: column, Width: max(width, 1),
		Key: s.clean(key), Message: s.clean(message), Hint: s.clean(hint),
	}
	if line >= 1 && line <= len(s.lines) {
		f.Source, f.Caret, f.Width = s.excerpt(line, max(column, 1)-1, f.Width)
	}
	return f
}

// whole returns a fault that concerns the text as a whole.
func (s *source) whole(message, hint string) *Fault {
	return &Fault{File: s.name, Width: 1, Message: message, Hint: hint}
}

// excerpt shortens a line to the part around a column, counted from 0,
// replaces what a terminal would act upon, and ends the line where a secret
// begins.
func (s *source) excerpt(line, column, width int) (text string, caret, carets int) {
	runes := []rune(strings.TrimRight(s.lines[line-1], "\r"))
	if at, found := s.secretAt(line, string(runes)); found {
		runes = append(runes[:at:at], []rune(secret.Mask)...)
		column = min(column, at)
	}
	for i, r := range runes {
		if r == '\t' {
			runes[i] = ' '
		} else if !unicode.IsPrint(r) {
			runes[i] = utf8.RuneError
		}
	}
	column = min(column, len(runes))
	start := 0
	if column > maxExcerpt*2/3 {
		start = column - maxExcerpt/3
	}
	runes = runes[start:min(len(runes), start+maxExcerpt)]
	if start > 0 {
		runes[0] = '…'
	}
	caret = column - start
	return string(runes), caret, max(1, min(width, len(runes)-caret))
}

// secretLine matches the beginning of a value that is never shown, however
// broken the file around it is.
var secretLine = regexp.MustCompile(`(?i)(?:authorization|api[-_]?key|secret|password|cookie|(?:auth|access|bearer)[-_]?token)["']?\s*:\s*|bearer\s+`)

// userInfo matches the user and password of a URL.
var userInfo = regexp.MustCompile(`://[^\s/@"']+@`)

// secretAt returns the character at which the first secret of a line begins.
func (s *source) secretAt(line int, text string) (at int, found bool) {
	at = len(text)
	if m := secretLine.FindStringIndex(text); m != nil && m[1] < at {
		at, found = m[1], true
	}
	if m := userInfo.FindStringIndex(text); m != nil && m[0]+len("://") < at {
		at, found = m[0]+len("://"), true
	}
	if i := strings.Index(s.secrets.Hide(text), secret.Mask); i >= 0 && i < at && !strings.HasPrefix(text[i:], secret.Mask) {
		at, found = i, true
	}
	at = utf8.RuneCountInString(text[:at])
	if column, hidden := s.hidden[line]; hidden && column-1 < at {
		return column - 1, true
	}
	return at, found
}

// clean makes a text safe to show: free of secrets, of what a terminal would
// act upon, and of a reasonable length.
func (s *source) clean(text string) string {
	text = s.secrets.Hide(text)
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return outside.Text(text)
}

// readFile returns the text of a batch file; "-" reads stdin.
func readFile(path string, stdin io.Reader) (name string, text []byte, fault *Fault) {
	name, r := path, stdin
	if path == "-" {
		name = "standard input"
		if r == nil {
			r = strings.NewReader("")
		}
	} else {
		whole := newSource(path, nil).whole
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return name, nil, whole("no such file", "name a batch file; examples stand in configs/")
		case err != nil:
			return name, nil, whole("cannot be read: "+reason(err), "")
		case info.IsDir():
			return name, nil, whole("is a directory, not a batch file", "name a file in it")
		}
		f, err := os.Open(path)
		if err != nil {
			return name, nil, whole("cannot be read: "+reason(err), "")
		}
		defer f.Close()
		r = f
	}
	// Reading is bounded rather than trusting the size in the file's entry:
	// devices and pipes have none.
	text, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return name, nil, newSource(name, nil).whole("cannot be read: "+reason(err), "")
	}
	return name, text, nil
}

// reason strips the operation and path, which the fault names already.
func reason(err error) string {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// parse returns the node of the one document in a text; nil with a fault where
// there is none.
func (s *source) parse(text []byte) (*yaml.Node, *Fault) {
	if len(text) > maxFileSize {
		return nil, s.whole(fmt.Sprintf("is larger than %d KiB", maxFileSize>>10),
			"a batch file describes prompts, it does not contain them: use input_file")
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, s.whole("is UTF-16", "save it as UTF-8")
	}
	if i := invalidUTF8(text); i >= 0 {
		line := 1 + bytes.Count(text[:i], []byte("\n"))
		return nil, s.whole(fmt.Sprintf("is not UTF-8: byte 0x%02x at offset %d, line %d", text[i], i, line), "save it as UTF-8")
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return nil, s.whole(fmt.Sprintf("is not text: byte 0x00 at offset %d", i), "name a YAML file")
	}
	var doc yaml.Node
	err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	switch broken := (*yaml.LoadError)(nil); {
	case err == nil && len(doc.Content) == 1:
		return doc.Content[0], nil
	case doc.Kind == yaml.DocumentNode:
		return nil, s.whole("holds several YAML documents", "write one batch to a file, without --- between its parts")
	case errors.As(err, &broken) && broken.Mark.Line > 0:
		return nil, s.syntaxFault(broken)
	case errors.As(err, &broken) && broken.Stage == yaml.ReaderStage:
		return nil, s.whole("is not text: "+broken.Message, "name a YAML file")
	}
	return nil, s.whole("is empty", "a batch file needs batch_name, output_base_dir and base_config")
}

// syntaxFault places what the YAML library could not read. Where the library
// noticed only at the end of the text, the beginning of the unfinished part
// helps more.
func (s *source) syntaxFault(e *yaml.LoadError) *Fault {
	mark, message := e.Mark, "not valid YAML: "+e.Message
	if strings.HasPrefix(e.Message, "unknown anchor") {
		message = "not valid YAML: an unknown anchor is referenced" // the library quotes what may be a key
	}
	if e.ContextMsg != "" {
		message += " " + e.ContextMsg
	}
	if last := mark.Line >= len(s.lines); last && e.ContextMark.Line > 0 {
		mark = e.ContextMark
	}
	hint := ""
	if line := s.line(mark.Line); strings.Contains(line, "\t") && strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
		hint = "indent with spaces, not with tabs"
	} else if strings.Contains(line, "${") {
		hint = "between { } or [ ], put ${NAME} in quotes"
	}
	return s.fault(mark.Line, mark.Column, 1, "", message, hint)
}

func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
