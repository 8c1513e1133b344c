package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
)

// A Message is one turn of a conversation.
type Message struct{ Role, Content string }

// A Template is the chat template of a model: what a server makes of
// messages before it counts their tokens.
type Template struct {
	tokenizer *Tokenizer
	parsed    *exec.Template
	special   map[string]string
}

// errNoTemplate is wrapped where a directory holds no chat template.
var errNoTemplate = errors.New("it has no chat template")

const maxTemplate = 1 << 20

// LoadTemplate reads the chat template beside a tokenizer, in
// chat_template.jinja or tokenizer_config.json, for example in
// [Source.Dir]. Where it fails the template's tokens can be measured instead:
// by what a server counts for a prompt of known length.
func LoadTemplate(dir string, t *Tokenizer) (*Template, error) {
	var c struct {
		Template json.RawMessage `json:"chat_template"`
		BOS      specialToken    `json:"bos_token"`
		EOS      specialToken    `json:"eos_token"`
		PAD      specialToken    `json:"pad_token"`
		UNK      specialToken    `json:"unk_token"`
	}
	file := filepath.Join(dir, "tokenizer_config.json")
	text, err := readFile(file, maxPart)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	source, err := readFile(filepath.Join(dir, "chat_template.jinja"), maxTemplate)
	if errors.Is(err, fs.ErrNotExist) {
		var s string
		s, err = defaultTemplate(c.Template)
		source = []byte(s)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the chat template in %s: %w", dir, err)
	}
	return NewTemplate(t, string(source), map[string]string{
		"bos_token": string(c.BOS), "eos_token": string(c.EOS), "pad_token": string(c.PAD), "unk_token": string(c.UNK),
	})
}

// A specialToken is written as a string or as an object with its content.
type specialToken string

// UnmarshalJSON reads either form.
func (s *specialToken) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var token struct{ Content string }
		err := json.Unmarshal(text, &token)
		*s = specialToken(token.Content)
		return err
	}
	return json.Unmarshal(text, (*string)(s))
}

// defaultTemplate reads chat_template: a template, or a list of named ones.
func defaultTemplate(text json.RawMessage) (string, error) {
	var one string
	if err := json.Unmarshal(text, &one); err == nil && one != "" {
		return one, nil
	}
	var named []struct{ Name, Template string }
	if err := json.Unmarshal(text, &named); err == nil {
		for _, n := range named {
			if n.Name == "default" {
				return n.Template, nil
			}
		}
	}
	return "", errNoTemplate
}

// NewTemplate parses a chat template in Jinja, as Hugging Face's libraries
// set it up. The special tokens are its variables, such as bos_token.
func NewTemplate(t *Tokenizer, source string, special map[string]string) (_ *Template, err error) {
	defer rescue(&err)
	if len(source) > maxTemplate {
		return nil, fmt.Errorf("chat template of %d bytes: %w", len(source), errMany)
	}
	c := config.New()
	c.TrimBlocks, c.LeftStripBlocks = true, true
	loader, err := loaders.NewMemoryLoader(map[string]string{"/chat": source})
	if err != nil {
		return nil, fmt.Errorf("parsing the chat template: %w", err)
	}
	parsed, err := exec.NewTemplate("/chat", c, loader, &exec.Environment{
		Filters: builtins.Filters, Tests: builtins.Tests, ControlStructures: builtins.ControlStructures,
		Methods: builtins.Methods, Context: exec.EmptyContext().Update(builtins.GlobalFunctions),
	})
	if err != nil {
		return nil, fmt.Errorf("parsing the chat template: %s", lastPart(err.Error()))
	}
	return &Template{t, parsed, special}, nil
}

// Render returns the prompt that the template makes of messages, up to where
// the model's answer begins.
func (p *Template) Render(messages []Message) (prompt string, err error) {
	defer rescue(&err)
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = map[string]any{"role": m.Role, "content": m.Content}
	}
	left := maxRange
	variables := map[string]any{
		"messages":              list,
		"add_generation_prompt": true,
		"raise_exception":       func(reason string) (string, error) { return "", errors.New(reason) },
		"range": func(args *exec.VarArgs) ([]int, error) {
			return boundedRange(args, &left)
		},
	}
	for name, token := range p.special {
		variables[name] = token
	}
	prompt, err = p.parsed.ExecuteToString(exec.NewContext(variables))
	if err != nil {
		return "", fmt.Errorf("rendering the chat template: %s", lastPart(err.Error()))
	}
	return prompt, nil
}

// Tokens returns the number of tokens of the prompt that the template makes
// of messages: what a server reports as prompt tokens.
func (p *Template) Tokens(messages []Message) (n int, err error) {
	prompt, err := p.Render(messages)
	if err != nil {
		return 0, err
	}
	return p.tokenizer.Count(prompt), nil
}

// Added returns how many of those tokens the template adds to the contents of
// the messages.
func (p *Template) Added(messages []Message) (n int, err error) {
	if n, err = p.Tokens(messages); err != nil {
		return 0, err
	}
	for _, m := range messages {
		n -= p.tokenizer.Count(m.Content)
	}
	return n, nil
}

// maxRange bounds the numbers that one rendering may count through, so that a
// template cannot run for ever.
const maxRange = 1 << 16

// boundedRange is Jinja's range(stop) and range(start, stop). The library's
// own needs a goroutine, which a loop that is left early never ends.
func boundedRange(args *exec.VarArgs, left *int) ([]int, error) {
	if len(args.Args) < 1 || len(args.Args) > 2 {
		return nil, errors.New("range takes a stop, or a start and a stop")
	}
	start, stop := 0, args.Args[len(args.Args)-1].Integer()
	if len(args.Args) == 2 {
		start = args.Args[0].Integer()
	}
	if *left -= max(stop-start, 0); *left < 0 || stop > maxRange || start < -maxRange {
		return nil, errors.New("range is too long")
	}
	var list []int
	for i := start; i < stop; i++ {
		list = append(list, i)
	}
	return list, nil
}

// rescue turns a panic of the library, which a template can provoke, into an
// error.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("rendering the chat template: %v", p)
	}
}

// lastPart returns the end of an error of the library, whose beginning is the
// whole template.
func lastPart(message string) string {
	if i := strings.LastIndex(message, "': "); i >= 0 {
		message = message[i+len("': "):]
	}
	return shorten(message)
}
