package archive

import (
	"os"
	"path/filepath"
	"strings"
)

// shortRevision is how many digits of a revision git itself shows.
const shortRevision = 12

// GitRevision is the git revision that is checked out in a directory or above it;
// empty where there is none. It is read from git's own files: no program is
// started, and what is not committed does not show.
func GitRevision(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		if git := filepath.Join(dir, ".git"); exists(git) {
			return headOf(git)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// headOf reads HEAD of a repository; .git is a file that names another place
// in a worktree.
func headOf(git string) string {
	if to, found := strings.CutPrefix(firstLine(git), "gitdir: "); found {
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(git), to)
		}
		git = to
	}
	head := firstLine(filepath.Join(git, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !symbolic {
		return short(head)
	}
	places := []string{git}
	if common := firstLine(filepath.Join(git, "commondir")); common != "" {
		places = append(places, filepath.Join(git, common))
	}
	for _, place := range places {
		if id := firstLine(filepath.Join(place, filepath.FromSlash(ref))); id != "" {
			return short(id)
		}
		packed, err := os.ReadFile(filepath.Join(place, "packed-refs"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(packed)) {
			if id, name, _ := strings.Cut(strings.TrimSpace(line), " "); name == ref {
				return short(id)
			}
		}
	}
	return ""
}

// firstLine returns the first line of a file; empty where it cannot be read.
func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

// short shortens a revision; what is none is empty.
func short(id string) string {
	if len(id) < shortRevision || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id[:shortRevision]
}
