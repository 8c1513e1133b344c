package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fills runs a night on a disk of its own that is too small, takes down what that
// leaves, makes room and goes on. Status 77 says that there can be no such disk.
const fills = `
mkdir -p out && mount -t tmpfs -o size=$1 tmpfs out || exit 77
"$0" --config-file batch.yaml --ui none --allow-invalid --workers $2 2>first.err; echo $? >first
cp -a out before
mount -o remount,size=64m out || exit 77
"$0" --resume out/night/* --rerun-failed --ui none --allow-invalid 2>second.err; echo $? >second
cp -a out after
`

// TestADiskThatFillsUp has nights fill their disk up at any point, from the first
// directory to the last summary, and go on when there is room. Each other one is
// made by two workers, whose records wait on the same disk.
func TestADiskThatFillsUp(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	batchFile(t, whole, serve(t, nil).url, cells)
	if status := begin(t, whole, "--config-file", "batch.yaml", "--ui", "none", "--allow-invalid").end(t, time.Minute); status != 0 {
		t.Fatalf("the unbroken night ends with %d", status)
	}
	size := reservePages // of the disk that it takes
	walk(t, filepath.Join(whole, "out"), func(path string) {
		if info, err := os.Stat(path); err == nil {
			size += 1 + int(info.Size())/4096
		}
	})
	rng := rand.New(rand.NewPCG(13, 0))
	for n := range times(8, 80) {
		pages := 1 + rng.IntN(size)
		t.Run(fmt.Sprintf("%d, %d of %d pages", n, pages, size), func(t *testing.T) {
			t.Parallel()
			filled(t, whole, pages, n%2*2)
		})
	}
}

// reservePages is the room that a batch keeps for its last files.
const reservePages = 256 << 10 / 4096

func filled(t *testing.T, whole string, pages, workers int) {
	dir := t.TempDir()
	batchFile(t, dir, serve(t, nil).url, cells)
	args := []string{"--mount", "sh", "-c", fills, program, strconv.Itoa(pages * 4096), strconv.Itoa(workers)}
	if os.Getuid() != 0 {
		args = append([]string{"--map-root-user"}, args...)
	}
	n := beginAs(t, dir, exec.Command("unshare", args...))
	if status := n.end(t, time.Minute); status == 77 || strings.Contains(n.err.String(), "unshare") {
		t.Skip("there can be no disk of its own here: " + n.err.String())
	}
	first, told := readText(t, dir, "first"), readText(t, dir, "first.err")
	switch {
	case first == "0":
		// It fitted, for the summaries of an unbroken night are written twice.
	case first != "1":
		t.Errorf("on a full disk it exits with %s:\n%s", first, told)
	case !strings.Contains(told, "no space left on device; free some space"):
		t.Errorf("it does not name the disk:\n%s", told)
	}
	before := nightBelow(dir, "before")
	wholeJSON(t, filepath.Join(dir, "before"))
	walk(t, filepath.Join(dir, "before"), func(path string) {
		if strings.HasSuffix(path, ".jsonl") {
			readLines(t, path, false)
		}
	})
	if _, err := os.Stat(filepath.Join(before, "batch.json")); err != nil {
		return // there was no room to begin with
	}
	if runs, _ := filepath.Glob(filepath.Join(before, "concurrency*")); len(runs) > 0 {
		for _, name := range []string{"batch_summary.json", "batch_summary.csv", "batch_report.txt"} {
			if _, err := os.Stat(filepath.Join(before, name)); err != nil {
				t.Errorf("%v though a run was begun:\n%s", err, told)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(before, ".*")); len(left) > 0 {
		t.Errorf("%v was left behind", left)
	}
	if second := readText(t, dir, "second"); second != "0" {
		t.Errorf("with room it exits with %s:\n%s", second, readText(t, dir, "second.err"))
		return
	}
	wholeJSON(t, filepath.Join(dir, "after"))
	sameNight(t, batchDir(whole), nightBelow(dir, "after"))
}

// nightBelow returns the batch's directory below a copy of the output.
func nightBelow(dir, out string) string {
	found, _ := filepath.Glob(filepath.Join(dir, out, "night/*"))
	if len(found) != 1 {
		return filepath.Join(dir, out)
	}
	return found[0]
}

func readText(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(text))
}

// nobodyElse is a user without rights, whom root becomes: root may write
// anywhere.
const nobodyElse = 65534

// TestADirectoryThatBecomesReadOnly takes the right to write into the batch's
// directories away in the middle of a night, and gives it back.
func TestADirectoryThatBecomesReadOnly(t *testing.T) {
	t.Parallel()
	whole, began := t.TempDir(), time.Now()
	batchFile(t, whole, serve(t, nil).url, cells)
	if status := begin(t, whole, "--config-file", "batch.yaml", "--ui", "none", "--allow-invalid").end(t, time.Minute); status != 0 {
		t.Fatalf("the unbroken night ends with %d", status)
	}
	took := time.Since(began)
	rng := rand.New(rand.NewPCG(14, 0))
	for n := range times(4, 40) {
		at := rng.Float64()
		t.Run(fmt.Sprintf("%d at %.3f of the night", n, at), func(t *testing.T) {
			t.Parallel()
			readOnly(t, whole, time.Duration(at*float64(took)))
		})
	}
}

func readOnly(t *testing.T, whole string, at time.Duration) {
	dir := t.TempDir()
	batchFile(t, dir, serve(t, nil).url, cells)
	as := func(args ...string) *night {
		cmd := exec.Command(program, append(args, "--ui", "none", "--allow-invalid")...)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyElse, Gid: nobodyElse}}
		}
		return beginAs(t, dir, cmd)
	}
	if os.Getuid() == 0 {
		for _, path := range []string{dir, filepath.Join(dir, "batch.yaml")} {
			if err := os.Chown(path, nobodyElse, nobodyElse); err != nil {
				t.Skip(err)
			}
		}
		for _, path := range []string{filepath.Dir(dir), filepath.Dir(program)} {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := as("--config-file", "batch.yaml")
	time.Sleep(at)
	allow(t, filepath.Join(dir, "out"), 0o500)
	status := n.end(t, time.Minute)
	allow(t, filepath.Join(dir, "out"), 0o700)
	if status == 1 && !strings.Contains(n.err.String(), "permission denied; choose an output_base_dir that can be written to") || status != 0 && status != 1 {
		t.Errorf("exit status %d:\n%s", status, n.err.String())
	}
	wholeJSON(t, filepath.Join(dir, "out"))
	batch := batchDir(dir)
	if _, err := os.Stat(filepath.Join(batch, "batch.json")); batch == "" || err != nil {
		return
	}
	last := as("--resume", batch, "--rerun-failed")
	if status := last.end(t, time.Minute); status != 0 {
		t.Errorf("going on ends with %d:\n%s", status, last.err.String())
		return
	}
	sameNight(t, batchDir(whole), batch)
}

// allow sets what may be done in all directories below one.
func allow(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, mode)
		}
		return nil // it may come and go
	})
}
