package client_test

import (
	"bytes"
	"testing"

	"loadgen/client"
)

// TestPlainBytes puts every byte at every place of texts of up to three times
// eight bytes, between others that may be mistaken for it.
func TestPlainBytes(t *testing.T) {
	for size := range 25 {
		for _, around := range []byte{'a', ' ', '!', '#', '[', ']', 0x7f, 0x80, 0xff} {
			for at := range size {
				for c := range 256 {
					b := bytes.Repeat([]byte{around}, size)
					b[at] = byte(c)
					want := size
					if c < ' ' || c == '"' || c == '\\' {
						want = at
					}
					if got := client.Plain(b); got != want {
						t.Fatalf("%q: %d, want %d", b, got, want)
					}
				}
			}
		}
	}
}
