//go:build !linux

package mockllm

import "net"

// A receiveClock exists on Linux only.
type receiveClock struct{ last int64 }

func withReceiveClock(nc net.Conn) (net.Conn, *receiveClock) { return nc, nil }

func warmReceiveClock(net.Listener) {}
