package archive_test

import (
	"os"
	"path/filepath"
	"testing"

	"loadgen/archive"
)

func TestRevision(t *testing.T) {
	const id, other = "0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a branch":           {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": id + "\n"}, id[:12]},
		"a packed branch":    {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack\n" + other + " refs/heads/x\n" + id + " refs/heads/main\n"}, id[:12]},
		"a detached head":    {map[string]string{".git/HEAD": id + "\n"}, id[:12]},
		"a worktree":         {map[string]string{".git": "gitdir: repo/worktrees/w\n", "repo/worktrees/w/HEAD": "ref: refs/heads/w\n", "repo/worktrees/w/commondir": "../..\n", "repo/refs/heads/w": id + "\n"}, id[:12]},
		"no commit yet":      {map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, ""},
		"something else":     {map[string]string{".git/HEAD": "<html>\n"}, ""},
		"an empty directory": {map[string]string{".git/x": ""}, ""},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			path := filepath.Join(root, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		below := filepath.Join(root, "a", "b")
		if err := os.MkdirAll(below, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := archive.GitRevision(below); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
