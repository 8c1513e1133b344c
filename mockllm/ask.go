package mockllm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// An ask is a completion request, as far as the endpoint heeds it.
type ask struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	Prompt              json.RawMessage `json:"prompt"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	MinTokens           int             `json:"min_tokens"`
	IgnoreEOS           bool            `json:"ignore_eos"`
	Stream              bool            `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N     *int `json:"n"`
	Tools []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
}

type message struct {
	// Content is a string or a list of parts. As an any it is decoded in one
	// pass, where a type with a method of its own would be scanned three times.
	Content any `json:"content"`
}

// text returns the message's text: the string, or the texts of the parts.
func (m message) text() string {
	switch c := m.Content.(type) {
	case string:
		return c
	case []any:
		var all strings.Builder
		for _, part := range c {
			if p, ok := part.(map[string]any); ok {
				text, _ := p["text"].(string) // a picture has none
				all.WriteString(text)
			}
		}
		return all.String()
	}
	return ""
}

// parseAsk reads a request body and says what is wrong with it.
func parseAsk(body []byte, chat bool) (*ask, error) {
	a := &ask{}
	if err := json.Unmarshal(body, a); err != nil {
		return nil, fmt.Errorf("the body is not a completion request: %w", err)
	}
	limit := a.limit()
	switch {
	case chat && len(a.Messages) == 0:
		return nil, errors.New("messages is missing or empty")
	case !chat && len(a.Prompt) == 0:
		return nil, errors.New("prompt is missing")
	case a.N != nil && *a.N != 1:
		return nil, errors.New("n: only 1 is served")
	case limit != nil && *limit < 1:
		return nil, errors.New("max_tokens must be at least 1")
	case a.MinTokens < 0 || limit != nil && a.MinTokens > *limit:
		return nil, errors.New("min_tokens must be between 0 and max_tokens")
	}
	return a, nil
}

// limit returns the length the request allows, nil for any.
func (a *ask) limit() *int {
	if a.MaxCompletionTokens != nil {
		return a.MaxCompletionTokens
	}
	return a.MaxTokens
}

// prompt returns what the model reads.
func (a *ask) prompt(chat bool, templateTokens int) (prompt, error) {
	if chat {
		p := prompt(nil).addZeros(templateTokens)
		for _, m := range a.Messages {
			p = p.add(m.text())
		}
		return p, nil
	}
	var text string
	if json.Unmarshal(a.Prompt, &text) == nil {
		return prompt(nil).add(text), nil
	}
	var texts []string
	if json.Unmarshal(a.Prompt, &texts) == nil && len(texts) == 1 {
		return prompt(nil).add(texts[0]), nil
	}
	var ids []uint32
	if json.Unmarshal(a.Prompt, &ids) != nil || len(ids) == 0 {
		return nil, errors.New("prompt must be a string, a list of one string, or a list of token ids")
	}
	p := make(prompt, 0, len(ids)*tokenBytes)
	for _, id := range ids {
		p = append(p, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
	}
	return p, nil
}

// length returns how many tokens the answer to request n has and why it ends.
func (a *ask) length(cfg *Config, n uint64) (int, string) {
	limit := a.limit()
	if cfg.OutputTokensMean > 0 && !a.IgnoreEOS {
		own := int(cfg.OutputTokensMean + cfg.OutputTokensStddev*stream(cfg.Seed, "output", n).NormFloat64() + 0.5)
		own = max(own, a.MinTokens, 1)
		if limit == nil || own < *limit {
			return own, "stop"
		}
	}
	if limit == nil {
		return max(cfg.OutputTokens, a.MinTokens), "stop"
	}
	return *limit, "length"
}

// tool returns the function to call and after how many of the answer's tokens
// its call begins; a name of "" is no call. With tool_choice "required" or a
// named function the whole answer is the call, with "auto" its second half.
func (a *ask) tool(want int) (name string, from int) {
	choice := strings.Trim(string(a.ToolChoice), `"`)
	if len(a.Tools) == 0 || choice == "none" {
		return "", 0
	}
	name = a.Tools[0].Function.Name
	switch choice {
	case "", "null", "auto":
		return name, want / 2
	case "required":
		return name, 0
	}
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(a.ToolChoice, &named) == nil && named.Function.Name != "" {
		name = named.Function.Name
	}
	return name, 0
}
