package client_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"loadgen"
	"loadgen/client"
)

// TestAServerThatSwitchesProtocolsIsGivenUp has a server answer 101 and say no
// more: net/http leaves what follows to its caller, and a read of it has no end.
func TestAServerThatSwitchesProtocolsIsGivenUp(t *testing.T) {
	url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
		readRequest(in)
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(io.Discard, in)
	})
	forEngines(t, func(t *testing.T, engine client.Engine) {
		rec := send(t.Context(), newClient(t, client.Config{URL: url, Engine: engine, Streaming: true}), "{}")
		mustFail(t, rec, loadgen.FailBadStream)
		if want := "switches to another protocol"; !strings.Contains(rec.Failure.Message, want) {
			t.Errorf("%q, want %q", rec.Failure.Message, want)
		}
	})
	err := newClient(t, client.Config{URL: url}).Ping(t.Context())
	if want := "switches to another protocol: is the url right?"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the check says %v, want %q", err, want)
	}
}
