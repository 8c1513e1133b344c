package results_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"loadgen/results"
)

// An inode is a file without its name.
type inode struct {
	data, synced []byte
	torn         []byte // data with half of the last write
}

// A volume is a file system that knows what of it is on the disk.
type volume struct {
	base  string // is on the disk
	files []inode
	// The file of a name, and the directories: as they are, and on the disk.
	names, kept    map[string]int
	dirs, keptDirs map[string]bool
	moves          []results.Change // of directories, that are not on the disk
}

// replay makes the changes of the disk again.
func replay(base string, changes []results.Change) *volume {
	v := &volume{base: base, names: map[string]int{}, kept: map[string]int{}, dirs: map[string]bool{}, keptDirs: map[string]bool{}}
	for _, c := range changes {
		v.make(c)
	}
	return v
}

func (v *volume) make(c results.Change) {
	switch c.Op {
	case "mkdir":
		v.dirs[c.Path] = true
	case "create":
		v.names[c.Path] = len(v.files)
		v.files = append(v.files, inode{})
	case "write":
		f := &v.files[v.names[c.Path]]
		f.torn = overwrite(f.data, c.Data[:len(c.Data)/2], c.At)
		f.data = overwrite(f.data, c.Data, c.At)
	case "truncate":
		f := &v.files[v.names[c.Path]]
		f.data = overwrite(f.data[:min(c.At, int64(len(f.data)))], nil, c.At)
		f.torn = f.data
	case "sync":
		f := &v.files[v.names[c.Path]]
		f.synced, f.torn = f.data, f.data
	case "rename":
		if v.dirs[c.Path] {
			move(v.names, c.Path, c.To)
			move(v.dirs, c.Path, c.To)
			v.moves = append(v.moves, c)
			return
		}
		if file, ok := v.names[c.Path]; ok {
			v.names[c.To] = file
			delete(v.names, c.Path)
		}
	case "syncdir":
		v.moves = slices.DeleteFunc(v.moves, func(m results.Change) bool {
			known := filepath.Dir(m.Path) == c.Path || filepath.Dir(m.To) == c.Path
			if known {
				move(v.kept, m.Path, m.To)
				move(v.keptDirs, m.Path, m.To)
			}
			return known
		})
		keep(v.kept, v.names, c.Path)
		keep(v.keptDirs, v.dirs, c.Path)
	}
}

// move gives all that lies below a directory, and it itself, their place below
// another.
func move[T any](places map[string]T, from, to string) {
	for place, what := range maps.Clone(places) {
		if rest, ok := strings.CutPrefix(place, from); ok && (rest == "" || rest[0] == filepath.Separator) {
			delete(places, place)
			places[to+rest] = what
		}
	}
}

// keep makes what is known of a directory what is in it.
func keep[T any](kept, names map[string]T, dir string) {
	maps.DeleteFunc(kept, func(name string, _ T) bool { return filepath.Dir(name) == dir })
	for name, what := range names {
		if filepath.Dir(name) == dir {
			kept[name] = what
		}
	}
}

// found returns the files that a crash leaves, and the directories: with all
// names, or with those that are on the disk.
func (v *volume) found(all bool) (files map[string]int, dirs map[string]bool) {
	if all {
		return v.names, v.dirs
	}
	files, dirs = maps.Clone(v.kept), maps.Clone(v.keptDirs)
	maps.DeleteFunc(files, func(name string, _ int) bool { return !v.reached(filepath.Dir(name)) })
	maps.DeleteFunc(dirs, func(name string, _ bool) bool { return !v.reached(name) })
	return files, dirs
}

// reached reports whether a directory on the disk can be found from above.
func (v *volume) reached(dir string) bool {
	return dir == v.base || v.keptDirs[dir] && v.reached(filepath.Dir(dir))
}

// overwrite returns a file's bytes with others in their place.
func overwrite(data, with []byte, at int64) []byte {
	out := append([]byte(nil), data...)
	if grown := int(at) + len(with) - len(out); grown > 0 {
		out = append(out, make([]byte, grown)...)
	}
	copy(out[at:], with)
	return out
}

// restore puts what is left of the files below another directory.
func (v *volume) restore(t *testing.T, base string, names bool, left func(inode) []byte) {
	t.Helper()
	place := func(path string) string { return filepath.Join(base, strings.TrimPrefix(path, v.base)) }
	files, dirs := v.found(names)
	for dir := range dirs {
		if err := os.MkdirAll(place(dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range files {
		if err := os.MkdirAll(filepath.Dir(place(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place(name), left(v.files[f]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
