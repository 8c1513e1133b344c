package memnet_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/internal/memnet"
)

func TestConnKeepsWritesApartAndInOrder(t *testing.T) {
	a, b := memnet.Pipe()
	for _, s := range []string{"one", "two", "three"} {
		if _, err := a.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	buf := make([]byte, 4)
	var got []string
	for {
		n, err := b.Read(buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(buf[:n]))
	}
	if want := "one two thre e"; strings.Join(got, " ") != want {
		t.Errorf("reads %q, want %q", got, want)
	}
}

func TestConnFailsAsASocketDoes(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(a, b *memnet.Conn) error
		want error
	}{
		{"a read after the own close", func(a, b *memnet.Conn) error {
			a.Close()
			_, err := a.Read(make([]byte, 1))
			return err
		}, net.ErrClosed},
		{"a write after the own close", func(a, b *memnet.Conn) error {
			a.Close()
			_, err := a.Write([]byte("x"))
			return err
		}, net.ErrClosed},
		{"a write to a closed peer", func(a, b *memnet.Conn) error {
			b.Close()
			_, err := a.Write([]byte("x"))
			return err
		}, syscall.EPIPE},
		{"a read from a peer that reset", func(a, b *memnet.Conn) error {
			b.Write([]byte("lost"))
			b.SetLinger(0)
			b.Close()
			_, err := a.Read(make([]byte, 1))
			return err
		}, syscall.ECONNRESET},
		{"a read past its deadline", func(a, b *memnet.Conn) error {
			a.SetReadDeadline(time.Now().Add(-time.Second))
			_, err := a.Read(make([]byte, 1))
			return err
		}, os.ErrDeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.do(memnet.Pipe()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestDeadlinesPassInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Hour))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("read: %v after %v, want the deadline after 1h", err, time.Since(start))
		}
		a.SetWriteDeadline(start.Add(2 * time.Hour))
		var err error
		for n := 0; n < 100 && err == nil; n++ { // nobody reads: the window fills
			_, err = a.Write(make([]byte, 100_000))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Hour {
			t.Errorf("write: %v after %v, want the deadline after 2h", err, time.Since(start))
		}
		a.SetDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			b.Write([]byte("late"))
		}()
		if n, err := a.Read(make([]byte, 9)); n != 4 || err != nil {
			t.Errorf("read after the deadline was lifted: %d, %v", n, err)
		}
		a.Close()
		b.Close()
	})
}

func TestDialOfAClosedListenerIsRefused(t *testing.T) {
	l := memnet.Listen()
	pending, err := l.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := l.Dial(context.Background()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want refused", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v, want closed", err)
	}
	if _, err := pending.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection nobody accepted: %v, want reset", err)
	}
}

// An early answer to a long request is what an unbuffered pipe deadlocks on.
func TestHTTPServerAndClientInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				time.Sleep(time.Second)
				io.WriteString(w, "tick\n")
				w.(http.Flusher).Flush()
			}
		})}
		go srv.Serve(l)
		tr := &http.Transport{DialContext: l.DialContext}
		start := time.Now()
		resp, err := (&http.Client{Transport: tr}).Post("http://mem/", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(resp.Body)
		for i := 1; lines.Scan(); i++ {
			if got := time.Since(start); got != time.Duration(i)*time.Second {
				t.Errorf("line %d after %v", i, got)
			}
		}
		resp.Body.Close()
		tr.CloseIdleConnections()
		srv.Close()
		time.Sleep(time.Second) // net/http lingers half a second over a body it did not read
	})
}
