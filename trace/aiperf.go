package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// A millis is a metric of a profile export in its unit: ms or tokens.
type millis struct {
	Value *float64 `json:"value"`
}

// A profileLine is what a trace needs of a line of profile_export.jsonl,
// AIPerf's or loadgen's.
type profileLine struct {
	Metadata struct {
		RequestID     string `json:"x_request_id"`
		CorrelationID string `json:"x_correlation_id"`
		Conversation  string `json:"conversation_id"`
		Start         int64  `json:"request_start_ns"`
		End           int64  `json:"request_end_ns"`
		Phase         string `json:"benchmark_phase"`
	} `json:"metadata"`
	Metrics struct {
		TTFT      millis `json:"time_to_first_token"`
		Latency   millis `json:"request_latency"`
		Input     millis `json:"input_sequence_length"`
		Output    millis `json:"output_sequence_length"`
		Reasoning millis `json:"reasoning_token_count"`
		Prompt    millis `json:"usage_prompt_tokens"`
		Complete  millis `json:"usage_completion_tokens"`
		Cached    millis `json:"usage_prompt_cache_read_tokens"`
	} `json:"metrics"`
	Error json.RawMessage `json:"error"`
	Own   *struct {
		Usage struct {
			Prompt     *int `json:"prompt_tokens"`
			Completion *int `json:"completion_tokens"`
			Reasoning  *int `json:"reasoning_tokens"`
			Cached     *int `json:"cached_tokens"`
			Total      int  `json:"total_tokens"`
		} `json:"usage"`
		Conn struct {
			Wrote int64 `json:"wrote_ns"`
		} `json:"conn"`
		Model   string `json:"model"`
		Input   int    `json:"input_tokens"`
		Failure *struct {
			Kind string `json:"kind"`
		} `json:"failure"`
	} `json:"loadgen"`
}

// readProfileExport reads profile_export.jsonl. Warm-up is left out. The end
// is the last token, request start + latency, where the line says so.
func readProfileExport(r *bufio.Reader, b *builder) error {
	b.source = "aiperf"
	warmup := 0
	err := profileLines(r, func(l *profileLine) {
		switch {
		case l.Metadata.Phase == "warmup":
			warmup++
		case l.Metadata.Start <= 0:
			b.noTimes++
		default:
			b.add(b.profileCall(l))
		}
	})
	if err == nil && len(b.calls) == 0 && warmup > 0 {
		b.missing = append(b.missing, "only warm-up requests are recorded: there is nothing measured to analyse")
	}
	return err
}

// profileLines calls take with each record. Where a line is not a record by
// itself, the rest of the file is read value by value, which is slow and
// indifferent to lines.
func profileLines(r *bufio.Reader, take func(*profileLine)) error {
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return err
		case len(bytes.TrimSpace(line)) > 0:
			var l profileLine
			if !l.scan(line) {
				l = profileLine{}
				if json.Unmarshal(line, &l) != nil {
					rest := io.MultiReader(bytes.NewReader(bytes.Clone(line)), r)
					if err := profileValues(bufio.NewReader(rest), take); err != nil {
						return fmt.Errorf("from line %d on: %w", n, err)
					}
					return nil
				}
			}
			take(&l)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

func profileValues(r *bufio.Reader, take func(*profileLine)) error {
	return elements(r, func(s jsonstream.Stream) error {
		var l profileLine
		if err := s.Decode(&l); err != nil {
			return err
		}
		take(&l)
		return nil
	})
}

func (b *builder) profileCall(l *profileLine) loadgen.Call {
	c := newCall()
	m := &l.Metadata
	session := m.Conversation
	if m.CorrelationID != "" {
		session = m.CorrelationID // one per conversation held; a conversation of the dataset may be held again
	}
	if session == "" {
		session = m.RequestID
	}
	c.Example, c.ID, c.Kind = b.sessionOf(session), m.RequestID, loadgen.LLMCall
	c.FunctionID = session
	c.Start, c.End = b.seconds(m.Start), b.seconds(m.End)
	if v := l.Metrics.Latency.Value; v != nil {
		c.End = c.Start + *v/1e3
	}
	if v := l.Metrics.TTFT.Value; v != nil {
		c.FirstToken = c.Start + *v/1e3
	}
	set := func(to *int, from ...millis) {
		for _, m := range from {
			if *to < 0 && m.Value != nil && *m.Value >= 0 {
				*to = int(*m.Value)
			}
		}
	}
	if own := l.Own; own != nil {
		b.source = "loadgen"
		c.Name = own.Model
		if own.Conn.Wrote > 0 {
			c.Wrote = c.Start + float64(own.Conn.Wrote)/1e9
		}
		u := loadgen.Usage{
			PromptTokens: given(own.Usage.Prompt), CompletionTokens: given(own.Usage.Completion),
			ReasoningTokens: given(own.Usage.Reasoning), CachedTokens: given(own.Usage.Cached),
			TotalTokens: own.Usage.Total,
		}
		c.PromptTokens, c.CompletionTokens = u.PromptTokens, u.OutputTokens()
		c.CachedTokens, c.ReasoningTokens = u.CachedTokens, u.ReasoningTokens
		if own.Failure != nil {
			c.Failed, c.Error = true, own.Failure.Kind
		}
	}
	set(&c.PromptTokens, l.Metrics.Prompt, l.Metrics.Input)
	set(&c.CompletionTokens, l.Metrics.Complete, l.Metrics.Output)
	set(&c.CachedTokens, l.Metrics.Cached)
	set(&c.ReasoningTokens, l.Metrics.Reasoning)
	if text := strings.TrimSpace(string(l.Error)); text != "" && text != "null" && !c.Failed {
		var e struct {
			Type string `json:"type"`
		}
		c.Failed, c.Error = true, "error"
		if json.Unmarshal(l.Error, &e) == nil && e.Type != "" {
			c.Error = e.Type
		}
	}
	return c
}

// given is a count that may be absent: then it is -1.
func given(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}
