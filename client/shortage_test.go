package client_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"loadgen"
	"loadgen/client"
)

// TestOurOwnShortagesAreNotTheEndpoints has dials fail as the system has them
// fail.
func TestOurOwnShortagesAreNotTheEndpoints(t *testing.T) {
	dial := func(call string, errno syscall.Errno) error {
		peer := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
		return &net.OpError{Op: "dial", Net: "tcp", Addr: peer, Err: os.NewSyscallError(call, errno)}
	}
	for name, c := range map[string]struct {
		err  error
		kind loadgen.FailureKind
		says string
		ours bool // a dial that this machine could not make
	}{
		"the process has no descriptor left": {dial("socket", syscall.EMFILE), loadgen.FailLocal, "ulimit -n", true},
		"the machine has none left":          {dial("socket", syscall.ENFILE), loadgen.FailLocal, "fs.file-max", true},
		"no port is left":                    {dial("connect", syscall.EADDRNOTAVAIL), loadgen.FailLocal, "ip_local_port_range", true},
		"no buffers are left":                {dial("connect", syscall.ENOBUFS), loadgen.FailLocal, "buffers", true},
		"no memory is left":                  {dial("connect", syscall.ENOMEM), loadgen.FailLocal, "memory", true},
		"the resolver has no descriptor": {
			&net.DNSError{Err: "dial udp 127.0.0.53:53: socket: too many open files", Name: "h"}, loadgen.FailLocal, "ulimit -n", true,
		},
		"the resolver is silent":  {&net.DNSError{Err: "server misbehaving", Name: "h", IsTemporary: true}, loadgen.FailConnect, "misbehaving", true},
		"no route to the host":    {dial("connect", syscall.EHOSTUNREACH), loadgen.FailConnect, "no route", true},
		"no route to the network": {dial("connect", syscall.ENETUNREACH), loadgen.FailConnect, "unreachable", true},
		"nobody listens":          {dial("connect", syscall.ECONNREFUSED), loadgen.FailConnect, "refused", false},
		"the endpoint resets":     {dial("connect", syscall.ECONNRESET), loadgen.FailConnect, "reset", false},
		"the endpoint is silent":  {dial("connect", syscall.ETIMEDOUT), loadgen.FailConnect, "timed out", false},
		"no such name":            {&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}, loadgen.FailConnect, "no such host", false},
		"the dial was cancelled":  {&net.OpError{Op: "dial", Net: "tcp", Err: context.Canceled}, loadgen.FailConnect, "", false},
		"no address of IPv6":      {noSource(), loadgen.FailConnect, "cannot assign", true},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				if c.err == nil {
					t.Skip("this machine reaches every address")
				}
				failing := func(context.Context, string, string) (net.Conn, error) { return nil, c.err }
				cl := newClient(t, client.Config{URL: "http://server", Engine: engine, Dial: failing})
				rec := send(t.Context(), cl, "{}")
				if rec.Failure == nil || rec.Failure.Kind != c.kind || !strings.Contains(rec.Failure.Message, c.says) {
					t.Errorf("%+v, want %s that says %q", rec.Failure, c.kind, c.says)
				}
				if got := cl.Transport().LocalDials > 0; got != c.ours {
					t.Errorf("counted as this machine's: %t, want %t", got, c.ours)
				}
			})
		})
	}
}

// noSource returns how a dial fails for which this machine has no address to
// dial from, nil where it has one.
func noSource() error {
	peer := &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1}
	probe, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: peer.IP, Port: peer.Port})
	if err == nil {
		probe.Close()
		return nil
	}
	if !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil
	}
	return &net.OpError{Op: "dial", Net: "tcp", Addr: peer, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}
}
