package client

import (
	"net"
	"time"
)

// A wire is a connection to the server that stamps its reads. TLS may lie over
// it: the stamp then is of the read that brought the record's last byte.
type wire struct {
	net.Conn
	socket *socket // the system's socket below; nil in tests and where unknown
	kernel bool    // the socket's reads carry the kernel's time
	reads  reads
	at     time.Time // the last read returned
	stamp  int64     // the kernel received its newest segment, unix ns; 0 where it did not say
}

// newWire takes over a fresh connection.
func newWire(conn net.Conn, kernel bool) *wire {
	w := &wire{Conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok {
		w.socket = newSocket(tcp)
		w.kernel = kernel && w.socket != nil && w.socket.enableStamps()
	}
	return w
}

func (w *wire) Read(p []byte) (n int, err error) {
	began := w.reads.begin()
	if w.kernel {
		n, w.stamp, err = w.socket.read(p)
	} else {
		n, err = w.Conn.Read(p)
	}
	w.at = time.Now()
	w.reads.end(began, n, len(p))
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if w.socket != nil {
		return w.socket.write(p)
	}
	return w.Conn.Write(p)
}

// stale reports whether an idle connection has been closed by the server, or
// has said something nobody asked for. Where the system cannot tell, it is
// taken to be alive.
func (w *wire) stale() bool { return w.socket != nil && w.socket.stale() }
