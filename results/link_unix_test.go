//go:build unix

package results_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/results"
)

// TestALinkIsFollowedKnowinglyOrNotAtAll has links in the place of directories.
func TestALinkIsFollowedKnowinglyOrNotAtAll(t *testing.T) {
	elsewhere, base := t.TempDir(), t.TempDir()
	elsewhere, err := filepath.EvalSymlinks(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(base, "linked")); err != nil {
		t.Fatal(err)
	}
	b, err := results.CreateBatch(base, "linked", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if want := filepath.Join(elsewhere, filepath.Base(b.Dir)); b.Place != want || b.Place == b.Dir {
		t.Errorf("the batch says that it is in %s, and is in %s", b.Place, want)
	}
	if err := os.Symlink(elsewhere, filepath.Join(b.Dir, "concurrency2")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Begin(metadata()); err == nil || !strings.Contains(err.Error(), "concurrency2: it is a symbolic link") {
		t.Errorf("a run's directory that is a link: %v", err)
	}
	if err := os.Symlink(filepath.Join(base, "nowhere"), filepath.Join(base, "broken")); err != nil {
		t.Fatal(err)
	}
	if _, err := results.CreateBatch(base, "broken", time.Unix(0, epoch)); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a link to nowhere: %v", err)
	}
	// A batch's own name that is taken by a link is taken.
	stamp := filepath.Join(base, "taken", filepath.Base(b.Dir))
	if err := os.Mkdir(filepath.Dir(stamp), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, stamp); err != nil {
		t.Fatal(err)
	}
	other, err := results.CreateBatch(base, "taken", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Dir != stamp+"_2" {
		t.Errorf("the batch is in %s", other.Dir)
	}
}
