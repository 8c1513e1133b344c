package tokenizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A hub is Hugging Face's collection of models and its cache on this machine:
// CACHE/models--ORG--NAME/refs/main names a commit, whose files are under
// snapshots/COMMIT beside it.
type hub struct {
	cache       string
	endpoint    string
	token       string
	timeout     time.Duration
	mayDownload bool
}

func newHub(o Options) (*hub, error) {
	h := &hub{
		cache:       cmp.Or(o.Cache, os.Getenv("HF_HUB_CACHE")),
		endpoint:    strings.TrimRight(cmp.Or(o.Endpoint, os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/"),
		token:       os.Getenv("HF_TOKEN"),
		timeout:     cmp.Or(o.Timeout, time.Minute),
		mayDownload: o.Download && os.Getenv("HF_HUB_OFFLINE") != "1",
	}
	if h.cache != "" {
		return h, nil
	}
	home := os.Getenv("HF_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("finding the cache of models: %w: set HF_HOME", err)
		}
		home = filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(user, ".cache")), "huggingface")
	}
	h.cache = filepath.Join(home, "hub")
	return h, nil
}

// isModelName reports whether name is that of a model, NAME or ORG/NAME; it
// becomes part of a path and of a URL.
func isModelName(name string) bool {
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if part == "" || part[0] == '.' || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			return false
		}
	}
	return len(parts) <= 2
}

func (h *hub) dir(name string) string {
	return filepath.Join(h.cache, "models--"+strings.ReplaceAll(name, "/", "--"))
}

// cached returns the directory of a model's newest files in the cache.
func (h *hub) cached(name string) (string, error) {
	ref, err := readFile(filepath.Join(h.dir(name), "refs", "main"), 1<<10)
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(ref))
	if !isCommit(commit) {
		return "", fmt.Errorf("the cache of %s names no commit", name)
	}
	dir := filepath.Join(h.dir(name), "snapshots", commit)
	for _, form := range files {
		if _, err := os.Stat(filepath.Join(dir, form.name)); err == nil {
			return dir, nil
		}
	}
	return "", fs.ErrNotExist
}

// isCommit reports whether s can name a snapshot, and no path beyond it.
func isCommit(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// download fetches a model's tokenizer and, where there are any, the files
// that hold its chat template. It returns their directory in the cache.
func (h *hub) download(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	commit, dir := "", ""
	for _, file := range []string{"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} {
		text, at, err := h.fetch(ctx, client, name, file)
		if dir != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if dir == "" {
			commit = at
			dir = filepath.Join(h.dir(name), "snapshots", commit)
		}
		if err := save(filepath.Join(dir, file), text); err != nil {
			return "", err
		}
	}
	return dir, save(filepath.Join(h.dir(name), "refs", "main"), []byte(commit))
}

// fetch returns one file of a model and the commit that it is from. Its
// errors never hold the token: it is sent as a header only, and the client
// takes it off when it is redirected to another host.
func (h *hub) fetch(ctx context.Context, client *http.Client, name, file string) (text []byte, commit string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.endpoint+"/"+name+"/resolve/main/"+file, nil)
	if err != nil {
		return nil, "", err
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	// The commit stands in the hub's own answer, not in that of the store
	// that it redirects to.
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errors.New("redirected too often")
		}
		commit = cmp.Or(commit, next.Response.Header.Get("X-Repo-Commit"))
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		// The client's error names the address, which a redirect may have signed.
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, "", fmt.Errorf("asking the hub for %s of %s: %w", file, name, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, "", fmt.Errorf("the hub has no %s of %s: %w", file, name, fs.ErrNotExist)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, "", fmt.Errorf("the hub refuses %s of %s (%s): set HF_TOKEN to a token that may read it", file, name, resp.Status)
	default:
		return nil, "", fmt.Errorf("the hub answers %s for %s of %s", resp.Status, file, name)
	}
	text, err = io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return nil, "", err
	}
	if len(text) > maxFile {
		return nil, "", fmt.Errorf("%s of %s has over %d bytes: %w", file, name, maxFile, errMany)
	}
	commit = cmp.Or(commit, resp.Header.Get("X-Repo-Commit"))
	if !isCommit(commit) {
		commit = "main"
	}
	return text, commit, nil
}

// save writes a file that is whole or not there, whoever else writes it.
func save(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".download-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
