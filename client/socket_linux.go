package client

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelTimes says whether the kernel tells receive times.
const kernelTimes = true

// A socket reads from a TCP connection with recvmsg, for the kernel's receive
// time that comes beside the bytes. It waits in the runtime's poller and keeps
// all it needs for a read, so that a read allocates nothing.
type socket struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool
	look  func(fd uintptr)
	msg   unix.Msghdr
	iov   unix.Iovec
	ctl   [8]uint64 // control messages, aligned as the kernel wants them
	n     int
	errno unix.Errno
	probe byte
}

func newSocket(conn *net.TCPConn) *socket {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.try, s.look = s.receive, s.peek
	s.msg.Iov = &s.iov
	s.msg.SetIovlen(1)
	s.msg.Control = (*byte)(unsafe.Pointer(&s.ctl))
	return s
}

// enableStamps asks the kernel for receive times.
func (s *socket) enableStamps() bool {
	var err error
	if s.raw.Control(func(fd uintptr) { err = stampSocket(int(fd)) }) != nil {
		return false
	}
	return err == nil
}

func stampSocket(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// read reads into p and returns the kernel's receive time of the newest
// segment, unix ns, 0 where it gave none.
func (s *socket) read(p []byte) (n int, stamp int64, err error) {
	if len(p) == 0 {
		return 0, 0, nil
	}
	s.iov.Base = &p[0]
	s.iov.SetLen(len(p))
	err = s.raw.Read(s.try)
	s.iov.Base = nil
	switch {
	case err != nil:
		return 0, 0, err
	case s.errno != 0:
		return 0, 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("recvmsg", s.errno)}
	case s.n == 0:
		return 0, 0, io.EOF
	}
	return s.n, s.stamp(), nil
}

// receive is one attempt at a read; false has the poller wait for bytes.
func (s *socket) receive(fd uintptr) bool {
	for {
		s.msg.SetControllen(int(unsafe.Sizeof(s.ctl)))
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&s.msg)), 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		s.n, s.errno = int(n), errno
		return true
	}
}

// stamp reads the one control message that was asked for.
func (s *socket) stamp() int64 {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&s.ctl))
	var ts *unix.Timespec
	if int(s.msg.Controllen) < unix.CmsgLen(int(unsafe.Sizeof(*ts))) ||
		h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS {
		return 0
	}
	ts = (*unix.Timespec)(unsafe.Pointer(uintptr(unsafe.Pointer(&s.ctl)) + uintptr(unix.CmsgLen(0))))
	return ts.Nano()
}

func (s *socket) stale() bool {
	return s.raw.Control(s.look) != nil || s.errno != unix.EAGAIN
}

// peek looks at what there is to read without waiting and without taking it.
func (s *socket) peek(fd uintptr) {
	_, _, s.errno = unix.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&s.probe)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
}

// holdStamps keeps the kernel stamping for as long as it is open. Stamping
// begins a little after the first socket asks for it and ends with the last:
// without a socket that stays, the first reads of a run would carry no time.
func holdStamps() io.Closer {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return io.NopCloser(nil)
	}
	// Refused or not, the connections will ask again, each for itself.
	_ = stampSocket(fd)
	return os.NewFile(uintptr(fd), "timestamps")
}
