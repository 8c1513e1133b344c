package client

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// roundTrip is the least time that the kernel has seen a segment of a connection
// take there and back; 0 where it does not tell.
func roundTrip(conn net.Conn) time.Duration {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return 0
	}
	const unknown = 1<<32 - 1
	if info.Min_rtt == unknown {
		return 0
	}
	return time.Duration(info.Min_rtt) * time.Microsecond
}
