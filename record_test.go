package loadgen_test

import (
	"testing"

	"loadgen"
)

func TestReasoningIsCountedWhereverTheServerCountsIt(t *testing.T) {
	for name, c := range map[string]struct {
		prompt, completion, reasoning, total int
		output                               int
	}{
		"among the completion":                         {10, 22, 20, 0, 22},
		"beside it, as the total says":                 {10, 22, 20, 52, 42},
		"beside it, as there is more of it":            {10, 2, 20, 0, 22},
		"beside it, without a count of the prompt":     {-1, 2, 20, 0, 22},
		"a total of something else":                    {10, 22, 20, 50, 22},
		"the whole completion":                         {10, 20, 20, 0, 20},
		"no reasoning, whatever the total":             {10, 22, 0, 32, 22},
		"no word of it":                                {10, 22, -1, 0, 22},
		"no word at all":                               {-1, -1, -1, 0, -1},
		"reasoning, and no word of the completion":     {-1, -1, 20, 0, -1},
		"an empty completion after so much of thought": {10, 0, 20, 30, 20},
	} {
		u := loadgen.Usage{
			PromptTokens: c.prompt, CompletionTokens: c.completion, ReasoningTokens: c.reasoning,
			CachedTokens: -1, TotalTokens: c.total,
		}
		if got := u.OutputTokens(); got != c.output {
			t.Errorf("%s: %d tokens, want %d", name, got, c.output)
		}
	}
}

func TestAChunkCarriesWhatItsKindSays(t *testing.T) {
	for kind, want := range map[loadgen.ChunkKind][3]bool{
		loadgen.Content:              {true, false, false},
		loadgen.Reasoning:            {false, true, false},
		loadgen.ToolCall:             {false, false, true},
		loadgen.ReasoningContent:     {true, true, false},
		loadgen.ReasoningTool:        {false, true, true},
		loadgen.ContentTool:          {true, false, true},
		loadgen.ReasoningContentTool: {true, true, true},
	} {
		got := [3]bool{kind.Carries(loadgen.Content), kind.Carries(loadgen.Reasoning), kind.Carries(loadgen.ToolCall)}
		if got != want {
			t.Errorf("kind %d carries content, reasoning, tool call: %v, want %v", kind, got, want)
		}
	}
}
