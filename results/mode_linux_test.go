package results_test

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTheUmaskHoldsForEveryFile writes a run under a umask that keeps others
// out.
func TestTheUmaskHoldsForEveryFile(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	batch, _, _ := write(t)
	files := 0
	err := filepath.WalkDir(batch.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}
