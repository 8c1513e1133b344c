package main

import (
	"context"
	"fmt"
	"log/slog"

	"loadgen/sweep"
	"loadgen/tokenizer"
)

// fallback counts tokens where the tokenizer that was asked for cannot be had:
// a tokenizer never stops a run.
const fallback = "cl100k_base"

// tokenizers finds and keeps the tokenizers of a batch.
type tokenizers struct {
	options tokenizer.Options
	log     *slog.Logger
	found   map[string]found
}

type found struct {
	tok  *tokenizer.Tokenizer
	name string // by which results call it
}

func newTokenizers(download bool, log *slog.Logger) *tokenizers {
	return &tokenizers{options: tokenizer.Options{Download: download}, log: log, found: map[string]found{}}
}

// get returns the tokenizer of a name. Without a name the model's is looked
// for on this machine, where it may lie under the model's name.
func (t *tokenizers) get(ctx context.Context, name, model string) (sweep.Tokenizer, string) {
	wanted, options := name, t.options
	if wanted == "" {
		wanted, options.Download = model, false
	}
	f, ok := t.found[wanted]
	if !ok {
		f = t.load(ctx, wanted, name != "", options)
		t.found[wanted] = f
	}
	return f.tok, f.name
}

func (t *tokenizers) load(ctx context.Context, wanted string, asked bool, options tokenizer.Options) found {
	tok, source, err := tokenizer.Load(ctx, wanted, options)
	if err == nil {
		t.log.Debug("tokenizer " + wanted + " from " + source.String())
		return found{tok, wanted}
	}
	tok, builtinErr := tokenizer.Builtin(fallback)
	if builtinErr != nil {
		panic(builtinErr) // it is part of the program
	}
	if asked {
		t.log.Warn(fmt.Sprintf("%v. Prompts and answers are counted with %s instead; the results say so", err, fallback))
	} else {
		t.log.Info(fmt.Sprintf("Note: no tokenizer is named and none lies here for %s: prompts are counted with %s", wanted, fallback))
	}
	return found{tok, fallback + " (in place of " + wanted + ")"}
}
