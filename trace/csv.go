package trace

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"loadgen"
	"loadgen/internal/outside"
)

// readCSVTrace reads standardized_data_all.csv: a row per event.
func readCSVTrace(r *bufio.Reader, b *builder) error {
	b.source = "aiq-csv"
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return err
	}
	column := map[string]int{}
	for i, name := range header {
		column[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"event_type", "event_timestamp", "UUID"} {
		if _, has := column[name]; !has {
			return fmt.Errorf("the CSV has no column %s", name)
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(row) < len(header) {
			return fmt.Errorf("row %d has %d of %d columns: %w", rowOf(rows), len(row), len(header), io.ErrUnexpectedEOF)
		}
		cell := func(name string) string {
			i, has := column[name]
			if !has || i >= len(row) {
				return ""
			}
			return outside.Uncell(row[i])
		}
		if err := b.csvRow(cell); err != nil {
			return fmt.Errorf("row %d: %w", rowOf(rows), err)
		}
	}
}

func rowOf(rows *csv.Reader) int {
	line, _ := rows.FieldPos(0)
	return line
}

func (b *builder) csvRow(cell func(string) string) error {
	eventType := cell("event_type")
	kindName, edge := cutLast(eventType, '_')
	if eventType == "LLM_NEW_TOKEN" {
		kindName, edge = "LLM", "NEW_TOKEN"
	}
	kind, known := aiqKinds[kindName]
	if eventType == "SPAN_CHUNK" {
		return nil
	}
	if !known || edge != "START" && edge != "END" && edge != "NEW_TOKEN" {
		b.pass(strings.Clone(eventType))
		return nil
	}
	at, err := strconv.ParseFloat(cell("event_timestamp"), 64)
	if err != nil || math.IsNaN(at) || math.IsInf(at, 0) {
		return fmt.Errorf("event_timestamp %q is no number", cell("event_timestamp"))
	}
	example := b.sessionOf(strings.Clone(cell("example_number")))
	key := strconv.Itoa(example) + "/" + cell("UUID")
	i, started := b.open[key]
	switch {
	case edge == "START":
		c := newCall()
		c.Example, c.ID, c.Kind, c.Start = example, strings.Clone(cell("UUID")), kind, at
		c.Function, c.FunctionID = strings.Clone(cell("function_name")), strings.Clone(cell("function_id"))
		c.ParentFunction, c.ParentFunctionID = strings.Clone(cell("parent_function_name")), strings.Clone(cell("parent_function_id"))
		c.Framework, c.Input = strings.Clone(cell("framework")), strings.Clone(cell("llm_text_input"))
		switch kind {
		case loadgen.LLMCall:
			c.Name = strings.Clone(cell("llm_name"))
		case loadgen.ToolCallKind:
			c.Name = strings.Clone(cell("tool_name"))
		default:
			c.Name = c.Function
		}
		if kind == loadgen.SpanCall {
			// loadgen's phases carry the id of their call in their own.
			if parent, _ := cutLast(c.ID, '/'); parent != c.ID {
				c.Parent = parent
			}
		}
		b.open[key] = len(b.calls)
		b.add(c)
	case !started:
		b.orphans++
	case edge == "NEW_TOKEN":
		if !(b.calls[i].FirstToken <= at) {
			b.calls[i].FirstToken = at
		}
	default:
		c := &b.calls[i]
		c.End = at
		c.Output = strings.Clone(cell("llm_text_output"))
		if c.Kind == loadgen.LLMCall {
			c.PromptTokens, c.CompletionTokens = csvTokens(cell("prompt_tokens")), csvTokens(cell("completion_tokens"))
		}
	}
	return nil
}

// csvTokens reads a count; AIQ writes 0 where nobody counted, so 0 is taken as
// unknown.
func csvTokens(s string) int {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return -1
	}
	return int(n)
}
