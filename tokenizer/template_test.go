package tokenizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/tokenizer"
)

type renderings struct {
	Conversations [][]tokenizer.Message
	Prompts       map[string][]string
}

func readRenderings(t *testing.T) renderings {
	t.Helper()
	var r renderings
	text, err := os.ReadFile("testdata/templates/want.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTemplatesRenderAsTheReferencesDo(t *testing.T) {
	r := readRenderings(t)
	tok := builtin(t, "cl100k_base")
	for name, prompts := range r.Prompts {
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join("testdata", "templates", name+".jinja"))
			if err != nil { // the two that a published file holds
				source = publishedTemplate(t, name)
			}
			template, err := tokenizer.NewTemplate(tok, string(source), map[string]string{"bos_token": "<s>", "eos_token": "</s>"})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range prompts {
				got, err := template.Render(r.Conversations[i])
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("conversation %d (-want +got):\n%s", i, diff)
				}
				n, err := template.Tokens(r.Conversations[i])
				if err != nil || n != tok.Count(want) {
					t.Errorf("conversation %d: Tokens = %d, %v; want %d", i, n, err, tok.Count(want))
				}
			}
		})
	}
}

func publishedTemplate(t *testing.T, model string) []byte {
	t.Helper()
	text, err := os.ReadFile(realFile(t, filepath.Join(model, "tokenizer_config.json")))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Template string `json:"chat_template"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return []byte(config.Template)
}

func TestLlama3TemplateAddsItsHeaders(t *testing.T) {
	tok := readReal(t, "Meta-Llama-3-8B-Instruct.json")
	template, err := tokenizer.LoadTemplate(realFile(t, "meta-llama-3-8b-instruct"), tok)
	if err != nil {
		t.Fatal(err)
	}
	hi := []tokenizer.Message{{Role: "user", Content: "Hi"}}
	prompt, err := template.Render(hi)
	if err != nil {
		t.Fatal(err)
	}
	want := "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
	if prompt != want {
		t.Errorf("prompt %q, want %q", prompt, want)
	}
	// begin, four for each of two headers, eot.
	if n, err := template.Added(hi); n != 10 || err != nil {
		t.Errorf("Added = %d, %v; want 10", n, err)
	}
}

func TestTemplatesThatCannotBeUsedSaySo(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	for name, c := range map[string]struct{ source, want string }{
		"syntax":           {"{% for %}", "parsing the chat template"},
		"an unclosed loop": {"{% for m in messages %}", "parsing the chat template"},
		"an unknown name":  {"{{ nothing.at.all() }}", "rendering the chat template"},
		"its own refusal":  {"{{ raise_exception('roles must alternate') }}", "roles must alternate"},
		"an endless range": {"{% for i in range(1000000000) %}x{% endfor %}", "range is too long"},
		"a file to read":   {"{% include '/etc/hostname' %}", "chat template"},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := tokenizer.NewTemplate(tok, c.source, nil)
			if err == nil {
				_, err = template.Tokens([]tokenizer.Message{{Role: "user", Content: "Hi"}})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestTemplateIsFoundInEachOfItsFiles(t *testing.T) {
	tok := builtin(t, "cl100k_base")
	for name, files := range map[string]map[string]string{
		"a file of its own": {"chat_template.jinja": "{{ bos_token }}own", "tokenizer_config.json": `{"bos_token":"<s>","chat_template":"other"}`},
		"a string":          {"tokenizer_config.json": `{"bos_token":"<s>","chat_template":"{{ bos_token }}own"}`},
		"a list of named":   {"tokenizer_config.json": `{"bos_token":{"content":"<s>"},"chat_template":[{"name":"tools","template":"x"},{"name":"default","template":"{{ bos_token }}own"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range files {
				write(t, filepath.Join(dir, file), text)
			}
			template, err := tokenizer.LoadTemplate(dir, tok)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := template.Render(nil); got != "<s>own" || err != nil {
				t.Errorf("rendered %q, %v; want %q", got, err, "<s>own")
			}
		})
	}
	if _, err := tokenizer.LoadTemplate(t.TempDir(), tok); err == nil || !strings.Contains(err.Error(), "no chat template") {
		t.Errorf("an empty directory: error %v, want one with %q", err, "no chat template")
	}
}

func builtin(t testing.TB, name string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
