package fleet

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTheRoomOfWhatIsShedIsGivenBack needs a file system that can do that, which
// those of disks and memory can.
func TestTheRoomOfWhatIsShedIsGivenBack(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 1 << 20
	if _, err := f.Write(bytes.Repeat([]byte{7}, size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Fallocate(int(f.Fd()), keepSize|punchHole, 0, 4096); err != nil {
		t.Skip("this file system gives no room back: ", err)
	}
	punch(f, 4096, size-3*4096)
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2*4096)
	if _, err := f.ReadAt(b, size-int64(len(b))); err != nil {
		t.Fatal(err)
	}
	if on := info.Sys().(*syscall.Stat_t).Blocks * 512; on > size/4 || info.Size() != size || bytes.ContainsAny(b, "\x00") {
		t.Errorf("%d of %d bytes are on the disk; want the last 8 KiB alone", on, info.Size())
	}
}
