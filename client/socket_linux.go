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
// all it needs for a read or a write, so that they allocate nothing.
//
// Its system calls never wait, and the scheduler is not told of them
// (RawSyscall): of one that is told it takes the processor away as soon as the
// thread has to share its CPU with the server for a moment, and wakes another
// thread for it.
type socket struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool
	put   func(fd uintptr) bool
	look  func(fd uintptr)
	msg   unix.Msghdr
	iov   unix.Iovec
	ctl   [8]uint64 // control messages, aligned as the kernel wants them
	n     int
	errno unix.Errno
	probe byte

	out    []byte // what is left to be written
	outErr unix.Errno
}

func newSocket(conn *net.TCPConn) *socket {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.try, s.put, s.look = s.receive, s.send, s.peek
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
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&s.msg)), unix.MSG_DONTWAIT)
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

// write writes all of p.
func (s *socket) write(p []byte) (n int, err error) {
	s.out, s.outErr = p, 0
	err = s.raw.Write(s.put)
	n = len(p) - len(s.out)
	s.out = nil
	if err == nil && s.outErr != 0 {
		err = &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("sendto", s.outErr)}
	}
	return n, err
}

// send writes what the kernel takes; false has the poller wait until it takes
// more.
func (s *socket) send(fd uintptr) bool {
	for len(s.out) > 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&s.out[0])), uintptr(len(s.out)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			s.out = s.out[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			s.outErr = errno
			return true
		}
	}
	return true
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
	_, _, s.errno = unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&s.probe)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
}

// holdStamps keeps the kernel stamping for as long as it is open. Stamping
// begins a little after the first socket asks for it and ends with the last:
// without a socket that stays, the first reads of a run would carry no time. It
// returns nil where the system refuses; the connections will ask all the same,
// each for itself, but nobody can count on their times.
func holdStamps() io.Closer {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if stampSocket(fd) != nil {
		unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "timestamps")
}
