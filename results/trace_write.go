package results

import (
	"bufio"
	"io"
	"iter"
	"math"
	"os"
	"strconv"

	"loadgen"
)

// WriteTraces writes all_requests_profiler_traces.json: an element per
// session with its steps, in AIQ's form. Events come session after session;
// epoch is added to their times. The file is written as it goes, so its size
// is no matter.
func WriteTraces(path string, epoch float64, events iter.Seq[loadgen.Event]) error {
	return stream(path, func(w *bufio.Writer) error {
		o := &object{}
		session, opened := 0, false
		for e := range events {
			if !opened || e.Call.Example != session {
				if opened {
					o.b = append(o.b, "]},\n"...)
				} else {
					o.b = append(o.b, '[')
				}
				o.open()
				o.int("request_number", int64(e.Call.Example))
				o.key("intermediate_steps")
				o.b = append(o.b, '[')
				session, opened = e.Call.Example, true
			} else {
				o.b = append(o.b, ",\n"...)
			}
			step(o, &e, epoch)
			if _, err := w.Write(o.b); err != nil {
				return err
			}
			o.b = o.b[:0]
		}
		end := "]}]\n"
		if !opened {
			end = "[]\n"
		}
		_, err := w.WriteString(end)
		return err
	})
}

// stream derives a file from what write writes.
func stream(path string, write func(*bufio.Writer) error) error {
	return derive(path, func(f *os.File) error {
		w := bufio.NewWriterSize(f, 256<<10)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	})
}

// step appends an event as AIQ's IntermediateStep.
func step(o *object, e *loadgen.Event, epoch float64) {
	c := e.Call
	o.open()
	orNull(o, "parent_id", c.Parent, "root")
	o.begin("function_ancestry")
	orNull(o, "function_id", c.FunctionID, "root")
	orNull(o, "function_name", c.Function, "root")
	orNull(o, "parent_id", c.ParentFunctionID, "")
	orNull(o, "parent_name", c.ParentFunction, "")
	o.close()
	o.begin("payload")
	o.text("event_type", eventType(e))
	o.number("event_timestamp", epoch+e.Time, false)
	if e.Start {
		null(o, "span_event_timestamp")
	} else {
		o.number("span_event_timestamp", epoch+c.Start, false)
	}
	orNull(o, "framework", c.Framework, "")
	orNull(o, "name", c.Name, "")
	null(o, "tags")
	stepMetadata(o, e)
	stepData(o, e)
	stepUsage(o, e)
	o.text("UUID", c.ID)
	o.close()
	o.close()
}

// stepMetadata carries how a call ended: AIQ has no place of its own for it.
func stepMetadata(o *object, e *loadgen.Event) {
	if e.Start || !e.Call.Failed {
		null(o, "metadata")
		return
	}
	o.begin("metadata")
	o.begin("provided_metadata")
	o.text("status", "error")
	o.text("error_type", e.Call.Error)
	o.close()
	o.close()
}

func stepData(o *object, e *loadgen.Event) {
	c := e.Call
	switch {
	case e.Start && c.Input != "":
		o.begin("data")
		o.text("input", c.Input)
	case !e.Start && c.Output != "":
		o.begin("data")
		o.text("output", c.Output)
	default:
		null(o, "data")
		return
	}
	o.close()
}

func stepUsage(o *object, e *loadgen.Event) {
	c := e.Call
	if e.Start || c.Kind != loadgen.LLMCall || c.PromptTokens < 0 && c.CompletionTokens < 0 {
		null(o, "usage_info")
		return
	}
	o.begin("usage_info")
	o.begin("token_usage")
	o.count("prompt_tokens", c.PromptTokens)
	o.count("completion_tokens", c.CompletionTokens)
	o.count("cached_tokens", c.CachedTokens)
	o.count("reasoning_tokens", c.ReasoningTokens)
	o.int("total_tokens", int64(max(0, c.PromptTokens)+max(0, c.CompletionTokens)))
	o.close()
	o.int("num_llm_calls", 1)
	o.number("seconds_between_calls", e.Gap, true)
	o.close()
}

func null(o *object, key string) {
	o.key(key)
	o.b = append(o.b, "null"...)
}

// orNull appends a text, or what stands for an empty one: null for none.
func orNull(o *object, key, v, empty string) {
	if v == "" {
		v = empty
	}
	if v == "" {
		null(o, key)
		return
	}
	o.text(key, v)
}

func eventType(e *loadgen.Event) string {
	if e.Start {
		return e.Call.Kind.String() + "_START"
	}
	return e.Call.Kind.String() + "_END"
}

// EventColumns choose the optional columns of standardized_data_all.csv.
type EventColumns struct {
	Texts bool // llm_text_input, llm_text_output, llm_new_token
	Nova  bool // the NOVA columns; the events must carry them
}

// WriteEvents writes standardized_data_all.csv: a row per start and end of a
// call, with AIQ's columns in its order. Tokens are 0 where nobody counted, as
// AIQ has it.
func WriteEvents(path string, epoch float64, events iter.Seq[loadgen.Event], columns EventColumns) error {
	return stream(path, func(w *bufio.Writer) error { return writeEvents(w, epoch, events, columns) })
}

func writeEvents(w io.Writer, epoch float64, events iter.Seq[loadgen.Event], columns EventColumns) error {
	b := []byte("event_type,event_timestamp,example_number,prompt_tokens,completion_tokens,total_tokens")
	if columns.Texts {
		b = append(b, ",llm_text_input,llm_text_output,llm_new_token"...)
	}
	b = append(b, ",llm_name,tool_name,function_name,function_id,parent_function_name,parent_function_id,UUID,framework"...)
	if columns.Nova {
		b = append(b, ",NOVA-Event-ID,NOVA-Requests-Remaining-In-Event,NOVA-Time-To-Next-Event,NOVA-Time-To-Event-End,NOVA-Predicted-OSL,NOVA-Time-To-Session-End"...)
	}
	b = append(b, '\n')
	for e := range events {
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = appendEvent(b[:0], &e, epoch, columns)
	}
	_, err := w.Write(b)
	return err
}

func appendEvent(b []byte, e *loadgen.Event, epoch float64, columns EventColumns) []byte {
	c := e.Call
	llm, tool := "", ""
	switch c.Kind {
	case loadgen.LLMCall:
		llm = c.Name
	case loadgen.ToolCallKind:
		tool = c.Name
	}
	prompt, completion := 0, 0
	if llm != "" && !e.Start {
		prompt, completion = max(0, c.PromptTokens), max(0, c.CompletionTokens)
	}
	b = append(b, eventType(e)...)
	b = append(b, ',')
	b = appendNumber(b, epoch+e.Time, false)
	for _, n := range [...]int{c.Example, prompt, completion, prompt + completion} {
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(n), 10)
	}
	cells := make([]string, 0, 11)
	if columns.Texts {
		input, output := "", ""
		if c.Kind == loadgen.LLMCall && e.Start {
			input = c.Input
		} else if c.Kind == loadgen.LLMCall {
			output = c.Output
		}
		cells = append(cells, input, output, "")
	}
	cells = append(cells, llm, tool, orRoot(c.Function), orRoot(c.FunctionID), c.ParentFunction, c.ParentFunctionID, c.ID, c.Framework)
	for _, cell := range cells {
		b = append(b, ',')
		b = appendField(b, cell)
	}
	if columns.Nova && e.Nova != nil {
		b = appendNova(b, e.Nova)
	}
	return append(b, '\n')
}

func orRoot(s string) string {
	if s == "" {
		return "root"
	}
	return s
}

func appendNova(b []byte, n *loadgen.Nova) []byte {
	b = append(b, ',')
	b = appendField(b, orRoot(n.Event))
	// Times are cut to the nanosecond: the rest is rounding of sums.
	millis := func(v float64) {
		b = append(b, ',')
		b = appendNumber(b, math.Round(v*1e6)/1e6, true)
	}
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(n.Remaining), 10)
	millis(n.ToNext)
	millis(n.ToEventEnd)
	b = append(b, ',')
	if n.OutputTokens >= 0 {
		b = strconv.AppendInt(b, int64(n.OutputTokens), 10)
	}
	millis(n.ToSessionEnd)
	return b
}
