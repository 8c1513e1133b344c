package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"loadgen/sweep"
)

// Digests returns the digests of the files that a batch reads its prompts from,
// by their paths: workers must have the same.
func Digests(b *sweep.Batch) (map[string]string, error) {
	digests := map[string]string{}
	for _, cell := range b.Cells() {
		for _, path := range []string{cell.Config.InputFile, cell.Config.PromptCorpus} {
			if path == "" || digests[path] != "" {
				continue
			}
			digest, err := digestOf(path)
			if err != nil {
				return nil, err
			}
			digests[path] = digest
		}
	}
	return digests, nil
}

func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading what prompts are made from: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("reading what prompts are made from: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// checkFiles reports the files that are not here, or not the same.
func checkFiles(digests map[string]string) error {
	var errs []error
	for path, want := range digests {
		switch got, err := digestOf(path); {
		case err != nil:
			errs = append(errs, fmt.Errorf("%w; the batch needs it in the same place on every machine", err))
		case got != want:
			errs = append(errs, fmt.Errorf("%s is another file here than where the batch was started", path))
		}
	}
	return errors.Join(errs...)
}

// checkHosts reports endpoints that this worker is not to send to.
func (w *worker) checkHosts(b *sweep.Batch) error {
	if len(w.Hosts) == 0 {
		return nil
	}
	for _, cell := range b.Cells() {
		host := cell.Config.URL
		if u, err := url.Parse(host); err == nil && u.Host != "" {
			host = u.Hostname()
		}
		if !slices.ContainsFunc(w.Hosts, func(allowed string) bool { return strings.EqualFold(allowed, host) }) {
			return fmt.Errorf("the batch sends to %s, which --allow-host does not name", host)
		}
	}
	return nil
}
