package analyze

import (
	"fmt"
	"strings"

	"loadgen"
)

// A Tracer turns the records of a run into a trace: sessions become examples,
// requests LLM calls. Warm-up is left out. It keeps nothing of a record but
// copies.
type Tracer struct {
	Epoch    float64 // the run's, in unix seconds
	Model    string  // as requested; the server's name for it is not used
	Function string  // what the calls were made in: chat, completions
	Texts    bool    // keep prompts and answers

	MaxCalls int // at most so many calls are kept, the first to end; 0 has no bound
	MaxText  int // bytes of prompts and answers kept, those of the first calls; 0 has no bound

	examples map[string]int
	calls    []loadgen.Call
	dialled  []loadgen.Conn // of requests that opened a connection or waited for one
	bytes    int            // of texts kept
	noText   int            // calls without their texts for want of room
	leftOut  int            // calls
}

// Add takes a record in; records may come in any order.
func (t *Tracer) Add(r *loadgen.Record) {
	if r.Phase != loadgen.Profiling {
		return
	}
	if t.MaxCalls > 0 && len(t.calls) >= t.MaxCalls {
		t.leftOut++
		return
	}
	if t.examples == nil {
		t.examples = map[string]int{}
	}
	example, known := t.examples[r.Request.Session]
	if !known {
		example = len(t.examples)
		t.examples[r.Request.Session] = example
	}
	texts := t.Texts && (t.MaxText == 0 || t.bytes < t.MaxText)
	if t.Texts && !texts {
		t.noText++
	}
	c := FromRecord(r, example, texts)
	c.Name, c.Function = t.Model, t.Function
	t.bytes += len(c.Input) + len(c.Output)
	t.calls = append(t.calls, c)
	if r.Conn.Dial > 0 || r.Conn.Wait > 0 {
		t.dialled = append(t.dialled, r.Conn)
	}
}

// LeftOut is how many calls MaxCalls kept out of the trace.
func (t *Tracer) LeftOut() int { return t.leftOut }

// Trace returns the calls taken in so far, in order of start.
func (t *Tracer) Trace() *loadgen.Trace {
	tr := &loadgen.Trace{Source: "loadgen", Epoch: t.Epoch, Calls: t.calls}
	tr.Sort()
	if t.leftOut > 0 {
		tr.Missing = append(tr.Missing, fmt.Sprintf("%d calls, the last to end, are left out to bound the memory of the run: loadgen analyze reads them all", t.leftOut))
	}
	if t.noText > 0 {
		tr.Missing = append(tr.Missing, fmt.Sprintf("%d calls are without their texts to bound the memory of the run: loadgen analyze reads their prompts from the files", t.noText))
	}
	if !t.Texts {
		tr.Missing = append(tr.Missing, "texts were not kept: prefixes, patterns by prompt and new words per turn are unknown")
	}
	return tr
}

// FromRecord returns a record as a call of an example. Token counts are the
// server's, else the local tokenizer's. The end is the last output, not the
// close of the stream; a reply that was not streamed has no first-token time.
func FromRecord(r *loadgen.Record, example int, texts bool) loadgen.Call {
	start := r.Sent.Seconds()
	c := loadgen.Call{
		Example: example, ID: r.Request.ID, Kind: loadgen.LLMCall, Name: r.Model,
		Start: start, Wrote: -1, FirstToken: -1, End: start + r.Took.Seconds(),
		PromptTokens: r.Usage.PromptTokens, CompletionTokens: r.Usage.OutputTokens(),
		CachedTokens: r.Usage.CachedTokens, ReasoningTokens: r.Usage.ReasoningTokens,
		FunctionID: r.Request.Session, ParentFunction: "root", ParentFunctionID: "root",
	}
	if r.Conn.Wrote > 0 {
		c.Wrote = start + r.Conn.Wrote.Seconds()
	}
	if r.Streamed && len(r.Chunks) > 0 {
		c.FirstToken = start + r.Chunks[0].At.Seconds()
	}
	if c.PromptTokens < 0 && r.Request.InputTokens > 0 {
		c.PromptTokens = r.Request.InputTokens + r.Request.TemplateTokens
	}
	if c.CompletionTokens < 0 && r.OutputTokens >= 0 {
		c.CompletionTokens = r.OutputTokens + max(0, r.ReasoningTokens)
	}
	if c.ReasoningTokens < 0 {
		c.ReasoningTokens = r.ReasoningTokens
	}
	if r.Failure != nil {
		c.Failed, c.Error = true, string(r.Failure.Kind)
	}
	if texts {
		c.Input, c.Output = PromptText(r.Request.Messages), string(r.Text)
		if len(r.Tools) > 0 {
			c.Output += "\n" + string(r.Tools)
		}
	}
	return c
}

// PromptText is the text of a prompt as a Call has it: the contents of its
// messages, each on a line.
func PromptText(messages []loadgen.Message) string {
	if len(messages) == 1 {
		return messages[0].Content
	}
	var b strings.Builder
	for i, m := range messages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.Content)
	}
	return b.String()
}
