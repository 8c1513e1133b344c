package tokenizer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// A rankedConfig is what tokenizer_config.json says about a rank file beside
// it. The pattern is not in either: it is in the model's own code.
type rankedConfig struct {
	AutoMap struct {
		AutoTokenizer []*string
	} `json:"auto_map"`
	Added map[string]struct {
		Content string
		LStrip  bool
		RStrip  bool
	} `json:"added_tokens_decoder"`
}

// rankedScanners holds the patterns of the code that rank files come with.
var rankedScanners = map[string]scanner{"tokenization_kimi.TikTokenTokenizer": kimi}

// readRanked makes a tokenizer of a tiktoken.model, whose lines are a token
// in base64 and its rank.
func readRanked(name, path string, text []byte) (*Tokenizer, error) {
	t, err := newFromRanks(name, path, text)
	if err != nil {
		return nil, fmt.Errorf("reading tokenizer %s: %w", name, err)
	}
	return t, nil
}

func newFromRanks(name, path string, text []byte) (*Tokenizer, error) {
	var c rankedConfig
	beside, err := readFile(filepath.Join(filepath.Dir(path), "tokenizer_config.json"), maxPart)
	if err != nil {
		return nil, fmt.Errorf("a rank file needs its tokenizer_config.json: %w", err)
	}
	if err := json.Unmarshal(beside, &c); err != nil {
		return nil, fmt.Errorf("tokenizer_config.json: %w", err)
	}
	var scan scanner
	for _, code := range c.AutoMap.AutoTokenizer {
		if code != nil && scan == nil {
			if scan = rankedScanners[*code]; scan == nil {
				return nil, unknown("code of a rank file", *code)
			}
		}
	}
	if scan == nil {
		return nil, errors.New("its configuration does not say by which code it is read")
	}
	v := newVocab(len(text)/16, len(text)/2)
	var token []byte
	for line := range bytes.Lines(text) {
		word, number, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if len(word) == 0 {
			continue
		}
		if token, err = base64.StdEncoding.AppendDecode(token[:0], word); err != nil {
			return nil, fmt.Errorf("token %q: %w", shorten(string(word)), err)
		}
		rank, err := strconv.Atoi(string(number))
		if err != nil {
			return nil, fmt.Errorf("rank of token %q: %w", shorten(string(word)), err)
		}
		if err := v.put(rank, view(token), true); err != nil {
			return nil, fmt.Errorf("token %q, rank %d: %w", shorten(string(token)), rank, err)
		}
	}
	t, err := newRanked(name, v, scan, map[int]string{})
	if err != nil {
		return nil, err
	}
	var added []fileToken
	for number, a := range c.Added {
		id, err := strconv.Atoi(number)
		if err != nil || id < 0 || id >= maxTokens || a.Content == "" || len(c.Added) > maxAdded {
			return nil, fmt.Errorf("added token %q with id %q: out of bounds", shorten(a.Content), shorten(number))
		}
		added = append(added, fileToken{ID: id, Content: a.Content, LStrip: a.LStrip, RStrip: a.RStrip})
	}
	t.add(added)
	return t, nil
}
