//go:build unix

package chaos_test

import (
	"fmt"
	"syscall"
	"testing"
)

// crowded returns the URL of a port whose owner accepts nobody: when its queue
// is full, the system answers no further attempt to connect, as a wall does that
// drops them.
func crowded(t *testing.T) string {
	t.Helper()
	local := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	fd := socket(t)
	if err := syscall.Bind(fd, local); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	local.Port = name.(*syscall.SockaddrInet4).Port
	for range 4 { // more than the queue holds
		waits := socket(t)
		if err := syscall.SetNonblock(waits, true); err != nil {
			t.Fatal(err)
		}
		_ = syscall.Connect(waits, local)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", local.Port)
}

func socket(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { syscall.Close(fd) })
	return fd
}
