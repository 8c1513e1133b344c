package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options says where [Load] may look. The zero value looks on this machine
// only, in the places that Hugging Face's own libraries use.
type Options struct {
	// Cache is the directory of Hugging Face's hub cache; if empty it is
	// HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub.
	Cache string
	// Download allows asking the hub, with HF_TOKEN if that is set, and
	// keeping the answer in Cache. HF_HUB_OFFLINE=1 forbids it all the same.
	Download bool
	// Endpoint is the hub's URL; if empty it is HF_ENDPOINT or the public
	// hub.
	Endpoint string
	// Timeout bounds a download; if zero it is a minute.
	Timeout time.Duration
}

// A Source is where a tokenizer was found.
type Source struct {
	Kind string // "built-in", "file", "cache" or "hub"
	Path string // the file that was read; empty if built-in
}

// String returns the source in a few words.
func (s Source) String() string {
	if s.Path == "" {
		return s.Kind
	}
	return s.Kind + " " + s.Path
}

// Dir returns the directory that may hold the tokenizer's chat template, ""
// for a built-in one.
func (s Source) Dir() string {
	if s.Path == "" {
		return ""
	}
	return filepath.Dir(s.Path)
}

// A form is one of the kinds of file that hold a tokenizer.
type form struct {
	name string
	read func(name, path string, text []byte) (*Tokenizer, error)
}

// files are the forms that a directory may hold, the best first. A file of
// another name is taken for the first form with its extension.
var files = []form{
	{"tokenizer.json", func(name, _ string, text []byte) (*Tokenizer, error) { return Read(name, text) }},
	{"tokenizer.model", readSentencePiece},
	{"tiktoken.model", readRanked},
}

// Load finds the tokenizer called name: a built-in encoding, an OpenAI model
// whose encoding is built in, a file or directory, a model in Hugging Face's
// cache and, if allowed, one on the hub. On an error the caller can count
// with Builtin("cl100k_base") instead and say so.
func Load(ctx context.Context, name string, o Options) (*Tokenizer, Source, error) {
	if _, ok := encodings[name]; ok {
		t, err := Builtin(name)
		return t, Source{Kind: "built-in"}, err
	}
	if _, err := os.Stat(name); err == nil {
		return readPath(name, name, "file")
	}
	if encoding, ok := encodingOf(name); ok {
		t, err := Builtin(encoding)
		return t, Source{Kind: "built-in"}, err
	}
	if !isModelName(name) {
		return nil, Source{}, fmt.Errorf("finding tokenizer %q: no such file, and no model can be called that", name)
	}
	h, err := newHub(o)
	if err != nil {
		return nil, Source{}, fmt.Errorf("finding tokenizer %s: %w", name, err)
	}
	dir, err := h.cached(name)
	if err == nil {
		return readPath(name, dir, "cache")
	}
	if !h.mayDownload {
		return nil, Source{}, fmt.Errorf("finding tokenizer %s: not built in, not a file and not in %s: name a tokenizer.json, or allow the download", name, h.cache)
	}
	if dir, err = h.download(ctx, name); err != nil {
		return nil, Source{}, fmt.Errorf("downloading tokenizer %s: %w", name, err)
	}
	return readPath(name, dir, "hub")
}

// encodingOf returns the encoding of an OpenAI model.
func encodingOf(model string) (string, bool) {
	for _, family := range []struct{ prefix, encoding string }{
		{"gpt-5", "o200k_base"},
		{"gpt-4.5", "o200k_base"},
		{"gpt-4.1", "o200k_base"},
		{"gpt-4o", "o200k_base"},
		{"chatgpt-4o", "o200k_base"},
		{"o1", "o200k_base"},
		{"o3", "o200k_base"},
		{"o4-mini", "o200k_base"},
		{"gpt-4", "cl100k_base"},
		{"gpt-3.5-turbo", "cl100k_base"},
		{"text-embedding-3", "cl100k_base"},
	} {
		if rest, ok := strings.CutPrefix(model, family.prefix); ok && (rest == "" || rest[0] == '-') {
			return family.encoding, true
		}
	}
	return "", false
}

// readPath reads a file, or the best one in a directory.
func readPath(name, path, kind string) (*Tokenizer, Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, Source{}, fmt.Errorf("reading tokenizer %s: %w", name, err)
	}
	known := slices.ContainsFunc(files, func(f form) bool { return f.name == filepath.Base(path) })
	for _, form := range files {
		file := path
		if info.IsDir() {
			file = filepath.Join(path, form.name)
		} else if known && filepath.Base(path) != form.name || filepath.Ext(path) != filepath.Ext(form.name) {
			continue
		}
		text, err := readFile(file, maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, Source{}, fmt.Errorf("reading tokenizer %s: %w", name, err)
		}
		t, err := form.read(name, file, text)
		return t, Source{Kind: kind, Path: file}, err
	}
	return nil, Source{}, fmt.Errorf("reading tokenizer %s: %s is not and does not hold a tokenizer.json or tokenizer.model", name, path)
}

// readFile reads a file of at most so many bytes; it looks at the size first.
func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes: %w", path, info.Size(), errMany)
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}
