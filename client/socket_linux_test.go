package client_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// TestWritesWaitForAReader sends more than the kernel takes to a server that
// reads late: all of it arrives.
func TestWritesWaitForAReader(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	read := make(chan bool, 1)
	url := serveTCP(t, func(_ *net.TCPConn, in *bufio.Reader) {
		time.Sleep(30 * time.Millisecond)
		got := make([]byte, len(sent))
		_, err := io.ReadFull(in, got)
		read <- err == nil && bytes.Equal(got, sent)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := client.WriteAll(conn, sent); n != len(sent) || err != nil {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(sent), err)
	}
	if !<-read {
		t.Error("the server read something else")
	}
}

// TestWritesEnd has nobody read: a deadline ends the write, and so does the
// server's end.
func TestWritesEnd(t *testing.T) {
	leave := make(chan struct{})
	url := serveTCP(t, func(conn *net.TCPConn, _ *bufio.Reader) {
		<-leave
		conn.SetLinger(0)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	much := make([]byte, 64<<20)
	conn.SetDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := client.WriteAll(conn, much); n == len(much) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wrote %d of %d bytes: %v; want the deadline", n, len(much), err)
	}
	conn.SetDeadline(time.Time{})
	close(leave)
	if _, err := client.WriteAll(conn, much); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%v; want a reset", err)
	}
}

// TestKernelTimesAreNotPromisedWhereTheyAreRefused has the process at its limit
// of open files.
func TestKernelTimesAreNotPromisedWhereTheyAreRefused(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Config{URL: "http://server", Engine: client.Raw})
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.KernelTimes() {
		t.Error("kernel times were promised")
	}
	c.Close()
}
