package mockllm

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiveClock is a TCP connection that notes when the kernel received what
// its reads return.
type receiveClock struct {
	*net.TCPConn
	raw  syscall.RawConn
	last int64 // unix ns of the newest segment of the newest read; 0 unknown

	// The call's arguments live here so that a read allocates nothing.
	msg  unix.Msghdr
	vec  unix.Iovec
	oob  [12]uint64 // words, to be aligned
	n    int
	errc syscall.Errno
	recv func(fd uintptr) bool
}

// warmReceiveClock asks for receive times on the listening socket, whose
// connections inherit the wish. The kernel begins to stamp only some time after
// the first socket asks; thus that is over before the first connection comes.
func warmReceiveClock(l net.Listener) {
	if tcp, ok := l.(*net.TCPListener); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			askForReceiveTimes(raw)
		}
	}
}

func askForReceiveTimes(raw syscall.RawConn) bool {
	const flags = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	var refused error
	err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, flags)
	})
	return err == nil && refused == nil
}

// withReceiveClock returns the connection with the kernel's receive times
// where they can be had, else as it is.
func withReceiveClock(nc net.Conn) (net.Conn, *receiveClock) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nc, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil || !askForReceiveTimes(raw) {
		return nc, nil
	}
	c := &receiveClock{TCPConn: tcp, raw: raw}
	c.msg.Iov, c.msg.Iovlen = &c.vec, 1
	c.msg.Control = (*byte)(unsafe.Pointer(&c.oob))
	c.recv = c.receive
	return c, c
}

// Read is one recvmsg, which yields the receive time beside the bytes.
func (c *receiveClock) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.vec.Base = &p[0]
	c.vec.SetLen(len(p))
	err := c.raw.Read(c.recv)
	c.vec.Base = nil
	switch {
	case err != nil:
		return 0, err
	case c.errc != 0:
		return 0, &net.OpError{Op: "read", Net: "tcp", Addr: c.RemoteAddr(), Err: os.NewSyscallError("recvmsg", c.errc)}
	case c.n == 0:
		return 0, io.EOF
	}
	if at := c.receiveTime(); at != 0 {
		c.last = at
	}
	return c.n, nil
}

// receive returns false to be called again when the socket is readable.
func (c *receiveClock) receive(fd uintptr) bool {
	for {
		c.msg.SetControllen(int(unsafe.Sizeof(c.oob)))
		n, _, errno := syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&c.msg)), 0)
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		c.n, c.errc = int(n), errno
		return true
	}
}

// receiveTime returns the stamp that came with the newest read, unix ns; 0 for
// none. The only control message asked for holds three pairs of 64-bit seconds
// and nanoseconds, of which the first is the software's.
func (c *receiveClock) receiveTime() int64 {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c.oob))
	if int(c.msg.Controllen) < unix.CmsgLen(16) || h.Type != unix.SO_TIMESTAMPING_NEW {
		return 0
	}
	t := (*[2]int64)(unsafe.Add(unsafe.Pointer(&c.oob), unix.CmsgLen(0)))
	return t[0]*1e9 + t[1]
}
