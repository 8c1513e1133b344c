package client

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"

	"loadgen"
)

// shortages are what this process or machine can run short of, with what to do
// about it. The endpoint has no part in them.
var shortages = []struct {
	errno syscall.Errno
	words string
}{
	{syscall.EMFILE, "this process may open no more files: raise the limit (ulimit -n) or lower the load"},
	{syscall.ENFILE, "this machine may open no more files: raise fs.file-max or lower the load"},
	{syscall.EADDRNOTAVAIL, "this machine has no free local port to the endpoint: widen net.ipv4.ip_local_port_range or lower the rate of new connections"},
	{syscall.ENOBUFS, "this machine has no buffers left for connections: lower the load"},
	{syscall.ENOMEM, "this machine has no memory left for connections: lower the load"},
}

// errNoDescriptor is a dial for which there would be a descriptor only at the
// cost of the results.
var errNoDescriptor error = &fault{loadgen.FailLocal, os.NewSyscallError("socket", syscall.EMFILE)}

// shortage says what this process or machine ran short of, empty where err is
// nothing of the kind.
func shortage(err error) string {
	for _, s := range shortages {
		switch {
		case !errors.Is(err, s.errno) && !saidByResolver(err, s.errno):
		case s.errno == syscall.EADDRNOTAVAIL && !hasSource(err):
		default:
			return s.words
		}
	}
	return ""
}

// local reports whether a dial failed for want of something here, so that the
// endpoint could not know of it: of what there is a shortage of, of a route, or of
// an answer about its name. Who refuses, resets or is silent is the endpoint, and
// so is one whose name is known no more.
func local(err error) bool {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled): // by whoever ended the run
		return false
	case shortage(err) != "", errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETDOWN):
		return true
	case errors.As(err, &dns):
		return !dns.IsNotFound
	}
	return errors.Is(err, syscall.EADDRNOTAVAIL) // no source to reach it from
}

// saidByResolver reports whether a look-up of a name failed by the error: the
// resolver keeps the words alone.
func saidByResolver(err error, errno syscall.Errno) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && strings.Contains(dns.Err, errno.Error())
}

// hasSource reports whether this machine has an address to reach the peer of a
// failed dial from. Without one, as without IPv6, every dial fails as if the
// ports were used up. To connect a socket for datagrams sends nothing.
func hasSource(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) {
		return true
	}
	peer, ok := op.Addr.(*net.TCPAddr)
	if !ok {
		return true
	}
	probe, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: peer.IP, Port: peer.Port, Zone: peer.Zone})
	if err != nil {
		return !errors.Is(err, syscall.EADDRNOTAVAIL)
	}
	probe.Close()
	return true
}
