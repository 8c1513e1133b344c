package client_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"loadgen/client"
)

// TestStampsAreOfTheArrivalNotOfTheRead reads late: the kernel's time stays
// where the byte arrived. Stamping begins a little after it is asked for, and
// some systems never begin; that is no failure, but a stamp must be true.
func TestStampsAreOfTheArrivalNotOfTheRead(t *testing.T) {
	const late = 20 * time.Millisecond
	turn := make(chan struct{})
	url := serveTCP(t, func(conn *net.TCPConn, _ *bufio.Reader) {
		for range turn {
			io.WriteString(conn, "x")
			turn <- struct{}{}
		}
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer close(turn)
	read := client.ReadStamped(conn, make([]byte, 8))
	stamped := 0
	for range 10 {
		before := time.Now()
		turn <- struct{}{}
		<-turn
		time.Sleep(late)
		n, at, stamp, err := read()
		if n != 1 || err != nil {
			t.Fatalf("read %d bytes: %v", n, err)
		}
		if stamp == 0 {
			continue
		}
		stamped++
		if age := at.UnixNano() - stamp; age < int64(late) || stamp < before.UnixNano() {
			t.Errorf("stamped %v before the read, %v after the write began", time.Duration(age), time.Duration(stamp-before.UnixNano()))
		}
	}
	t.Logf("%d of 10 reads were stamped by the kernel", stamped)
}
