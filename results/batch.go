package results

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen"
	"loadgen/internal/secret"
)

// A Batch is the directory of one execution of a batch file:
// <output_base_dir>/<batch_name>/<YYYYMMDD_HHMMSS>.
type Batch struct {
	Dir string
	// Place is Dir without symbolic links.
	Place string
	Name  string
	// Findings are what the analyses of all its runs found; Finish writes them
	// under their own key. Whatever encoding/json can marshal; nil for none.
	Findings any
	// Secrets are texts that no file of the batch may hold. Values come without
	// them: a file that would hold one all the same is not written.
	Secrets *secret.Set
	started time.Time
	lock    *os.File // keeps other processes out
	reserve reserve
}

// Close gives the directory back, and the room that was kept in it.
func (b *Batch) Close() error {
	b.Release()
	return b.lock.Close()
}

// maxSuffix bounds how many batches of the same name may start in a second.
const maxSuffix = 100

// CreateBatch makes the directory of a batch that starts now. It is this
// call's own: where the name is taken, by an older batch or one that starts in
// the same second, _2, _3 … is appended.
func CreateBatch(base, name string, now time.Time) (*Batch, error) {
	parent := filepath.Join(base, name)
	if err := makeParents(parent); err != nil {
		return nil, failed(parent, cmp.Or(dangling(parent), err))
	}
	place, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return nil, failed(parent, err)
	}
	stamp := now.Format("20060102_150405")
	for i := 1; i <= maxSuffix; i++ {
		dir := filepath.Join(parent, stamp)
		if i > 1 {
			dir += fmt.Sprintf("_%d", i)
		}
		err := makeDir(dir)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, failed(dir, err)
		}
		if err := syncDir(parent); err != nil {
			return nil, failed(dir, err)
		}
		lock, err := lockDir(dir)
		b := &Batch{Dir: dir, Place: filepath.Join(place, filepath.Base(dir)), Name: name, started: now, lock: lock}
		b.reserve.path = filepath.Join(dir, reserveName)
		return b, err
	}
	return nil, fmt.Errorf("create %s: taken, and so are %d names after it", filepath.Join(parent, stamp), maxSuffix-1)
}

// dangling returns what is wrong with the first directory above a path, or with
// itself, that is a symbolic link to nothing; nil where none is.
func dangling(path string) error {
	if above := filepath.Dir(path); above != path {
		if err := dangling(above); err != nil {
			return err
		}
	}
	target, err := os.Readlink(path)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s is a symbolic link to %s, which does not exist: make that directory, or name another", path, target)
}

// RunDir returns the directory of a run below its batch's, in AIPerf's layout:
// repeat counts the runs of the cell from 1, 0 where it has but one, and
// blocked says that they are made one after another. It is empty for the only
// run of a batch without sweeps.
func RunDir(cell loadgen.Cell, repeat int, blocked bool) string {
	switch {
	case repeat == 0:
		return cell.Dir
	case cell.Dir == "":
		return fmt.Sprintf("profile_runs/run_%04d", repeat)
	case blocked:
		return fmt.Sprintf("%s/profile_runs/trial_%04d", cell.Dir, repeat)
	}
	return fmt.Sprintf("profile_runs/trial_%04d/%s", repeat, cell.Dir)
}

// CellDir returns the directory of a run's cell from RunDir or ProbeDir, empty
// where it has none.
func CellDir(run string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(run, "/"), tellsRepeats), "/")
}

// tellsRepeats reports whether a part of a run's path says which of several it is.
func tellsRepeats(part string) bool {
	name, number, _ := strings.Cut(part, "_")
	_, err := strconv.Atoi(number)
	return part == "profile_runs" || err == nil && slices.Contains([]string{"run", "trial", "probe"}, name)
}

// benchmarkID names a run in the form of a UUID (version 8) that is the same
// whenever it is asked for.
func (b *Batch) benchmarkID(dir string) string {
	sum := sha256.Sum256([]byte(b.Name + "\x00" + filepath.Base(b.Dir) + "\x00" + dir))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// localTime is how AIPerf and its runner write a moment: local and without a
// zone.
func localTime(t time.Time) string { return t.Local().Format("2006-01-02T15:04:05.000000") }
