//go:build !linux

package client

import (
	"io"
	"net"
)

// kernelTimes says whether the kernel tells receive times.
const kernelTimes = false

// A socket is only used on Linux, where the kernel tells receive times.
type socket struct{}

func newSocket(*net.TCPConn) *socket { return nil }

func (*socket) enableStamps() bool { return false }

func (*socket) read([]byte) (int, int64, error) { return 0, 0, io.ErrUnexpectedEOF }

func (*socket) write([]byte) (int, error) { return 0, io.ErrShortWrite }

func (*socket) stale() bool { return false }

func holdStamps() io.Closer { return nil }
