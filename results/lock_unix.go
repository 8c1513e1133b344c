//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package results

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockDir keeps other processes out of a directory until the file is closed or
// this process ends, however it ends. A file system that knows no locks keeps
// nobody out.
func lockDir(dir string) (*os.File, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		d.Close()
		return nil, fmt.Errorf("another loadgen is at work in %s: wait until it is done, or end it", dir)
	}
	return d, nil
}
