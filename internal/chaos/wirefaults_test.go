//go:build unix

package chaos_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// block is how much a flood says at once.
var block = strings.Repeat("x", 64<<10)

const (
	drip  = 40 * time.Millisecond // between single bytes
	flood = 2 * time.Millisecond  // between blocks: some 30 MB/s of each connection
)

// wireFaults are what no server of HTTP would do, or what lies below HTTP.
var wireFaults = []wireFault{
	{name: "resets instead of an answer", strike: (*exchange).reset},
	{name: "hangs up instead of an answer", strike: func(*exchange) {}},
	{name: "never answers", strike: (*exchange).silent},
	{name: "resets when it accepts", early: true, strike: (*exchange).reset},
	{name: "accepts and says nothing", early: true, strike: (*exchange).silent},
	{name: "speaks before it is asked", early: true, answered: true, strike: func(x *exchange) { x.answer(true); x.silent() }},
	{name: "half closes within the head", strike: func(x *exchange) { x.say("HTTP/1.1 200 OK\r\nContent-"); x.halfClose() }},
	{name: "half closes within the stream", strike: func(x *exchange) { x.stream(event("a")); x.halfClose() }},
	{name: "resets within the stream", strike: func(x *exchange) { x.stream(event("a")); x.reset() }},
	{name: "is silent within the stream", strike: func(x *exchange) { x.stream(event("a")); x.silent() }},
	{name: "drips its head", strike: func(x *exchange) { x.drips("HTTP/1.1 200 OK\r\nX-Slow: " + block) }},
	{name: "drips its stream", strike: func(x *exchange) { x.stream(); x.drips(strings.Repeat(event("a"), 1000)) }},
	{name: "answers well byte by byte", harmless: true, strike: func(x *exchange) {
		x.keep = x.say(head("text/event-stream", "Transfer-Encoding: chunked"))
		for i := 0; i < len(goodEvents) && x.keep; i++ {
			x.keep = x.chunk(goodEvents[i : i+1])
		}
		x.keep = x.keep && x.chunk("")
	}},

	{name: "endless status line", strike: func(x *exchange) { x.say("HTTP/1.1 200 "); x.forever(block, flood) }},
	{name: "endless header line", strike: func(x *exchange) { x.say("HTTP/1.1 200 OK\r\nX-Long: "); x.forever(block, flood) }},
	{name: "endless header lines", strike: func(x *exchange) {
		x.say("HTTP/1.1 200 OK\r\n")
		x.forever(strings.Repeat("X-More: yes\r\n", 1000), flood)
	}},
	{name: "a head of 1 MiB", strike: func(x *exchange) {
		x.say(head("text/event-stream", "X-Huge: "+strings.Repeat(block, 16)), goodEvents)
	}},
	{name: "endless 1xx", strike: func(x *exchange) {
		x.forever(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100), flood)
	}},
	{name: "three 1xx, then an answer", harmless: true, strike: func(x *exchange) {
		x.say(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 3))
		x.keep = x.answer(false)
	}},
	{name: "garbage in place of HTTP", strike: func(x *exchange) { x.say("\x00\xff\xfegarbage\r\n\r\n") }},
	{name: "endless garbage", strike: func(x *exchange) { x.forever(strings.Repeat("\x00\xff\xfe\n", 1000), flood) }},
	{name: "HTTP/0.9", strike: func(x *exchange) { x.say("<html>hello</html>") }},
	{name: "speaks HTTP/2 unasked", strike: func(x *exchange) { x.say("\x00\x00\x00\x04\x00\x00\x00\x00\x00"); x.silent() }},
	{name: "two lengths", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Content-Length: 10", "Content-Length: 20"), goodEvents)
	}},
	{name: "a length below zero", strike: func(x *exchange) { x.say(head("text/event-stream", "Content-Length: -1"), goodEvents) }},
	{name: "a length of 2^70", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Content-Length: 1180591620717411303424"), goodEvents)
	}},
	{name: "less than its length", strike: func(x *exchange) { x.say(head("application/json", "Content-Length: 1000"), `{"choices":[`) }},
	{name: "more than its length", strike: func(x *exchange) {
		x.keep = x.say(head("application/json", "Content-Length: 2"), "{}", `{"choices":[]}`)
	}},
	{name: "two answers to one request", answered: true, strike: func(x *exchange) {
		x.keep = x.say(strings.Repeat(head("text/event-stream", fmt.Sprintf("Content-Length: %d", len(goodEvents)))+goodEvents, 2))
	}},
	{name: "a chunk of no number", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Transfer-Encoding: chunked"), "zz\r\n", goodEvents)
	}},
	{name: "a chunk of 2^70 bytes", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Transfer-Encoding: chunked"), "400000000000000000\r\n", goodEvents)
	}},
	{name: "endless size of a chunk", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Transfer-Encoding: chunked"), "1;")
		x.forever(block, flood)
	}},
	{name: "endless trailers", answered: true, strike: func(x *exchange) {
		x.say(head("text/event-stream", "Transfer-Encoding: chunked"))
		x.chunk(goodEvents)
		x.say("0\r\n")
		x.forever(strings.Repeat("X-More: yes\r\n", 1000), flood)
	}},

	{name: "endless line", strike: func(x *exchange) { x.stream("data: "); x.forever(block, flood) }},
	{name: "endless content", strike: func(x *exchange) { x.stream(); x.forever(event(block), flood) }},
	{name: "endless small events", strike: func(x *exchange) { x.stream(); x.forever(strings.Repeat(event("a"), 500), flood) }},
	{name: "endless comments", strike: func(x *exchange) { x.stream(); x.forever(strings.Repeat(": still here\n\n", 1000), flood) }},
	{name: "endless JSON", strike: func(x *exchange) {
		x.say(head("application/json"), `{"choices":[{"message":{"content":"`)
		x.forever(block, flood)
	}},
	{name: "JSON without a bottom", strike: func(x *exchange) {
		x.say(head("application/json"))
		x.forever(strings.Repeat("[", len(block)), flood)
	}},
	{name: "an event without a bottom", strike: func(x *exchange) { x.stream("data: "+strings.Repeat(`{"a":`, 1<<18), "\n\n"); x.silent() }},
	{name: "JSON of no answer", strike: func(x *exchange) { x.say(head("application/json", "Content-Length: 4"), "null"); x.keep = true }},
	{name: "an empty answer", strike: func(x *exchange) { x.keep = x.say(head("text/event-stream", "Content-Length: 0")) }},
	{name: "204", strike: func(x *exchange) { x.keep = x.say("HTTP/1.1 204 No Content\r\n\r\n") }},
	{name: "an image", strike: func(x *exchange) { x.say(head("image/png"), "\x89PNG\r\n\x1a\n", block) }},
	{name: "a page", strike: func(x *exchange) { x.say(head("text/html"), "<html>", block) }},
	{name: "usage of no sense", harmless: true, strike: func(x *exchange) {
		x.stream(strings.Repeat(event("a"), 5),
			`data: {"choices":[],"usage":{"prompt_tokens":-7,"completion_tokens":1e99,"total_tokens":"many"}}`, "\n\ndata: [DONE]\n\n")
	}},
	{name: "NUL and broken UTF-8", harmless: true, strike: func(x *exchange) {
		x.stream(event(`\u0000`), event("\xff\xfe"), event(`\ud800`), goodEvents)
	}},

	{name: "gzip, cut off", strike: func(x *exchange) { x.say(head("text/event-stream", "Content-Encoding: gzip"), zipped(goodEvents)[:60]) }},
	{name: "gzip that is none", strike: func(x *exchange) { x.say(head("text/event-stream", "Content-Encoding: gzip"), goodEvents) }},
	{name: "gzip of endless content", strike: func(x *exchange) {
		x.say(head("text/event-stream", "Content-Encoding: gzip"), bomb())
		x.silent()
	}},
	{name: "a coding nobody knows", strike: func(x *exchange) { x.say(head("text/event-stream", "Content-Encoding: cab"), goodEvents) }},

	{name: "redirects to itself", strike: func(x *exchange) { x.keep = x.status("307 Temporary Redirect", "Location: /v1/chat/completions") }},
	{name: "redirects to nowhere", strike: func(x *exchange) { x.keep = x.status("308 Permanent Redirect", "Location: http://127.0.0.1:1/") }},
	{name: "refuses the key", strike: func(x *exchange) { x.keep = x.status("401 Unauthorized", "WWW-Authenticate: Bearer") }},
	{name: "asks to come back in years", strike: func(x *exchange) { x.keep = x.status("429 Too Many Requests", "Retry-After: 999999999") }},
	{name: "an error without an end", strike: func(x *exchange) {
		x.say("HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\n\r\n")
		x.forever(block, flood)
	}},
	{name: "a status of no sense", strike: func(x *exchange) { x.say("HTTP/1.1 999 What\r\n\r\n") }},
	{name: "101, and another protocol", strike: func(x *exchange) {
		x.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n")
		x.silent()
	}},

	{name: "TLS: speaks none", https: true, early: true, alone: true, strike: func(x *exchange) { x.say("HTTP/1.1 400 Bad Request\r\n\r\n") }},
	{name: "TLS: never shakes hands", https: true, early: true, alone: true, strike: (*exchange).silent},
	{name: "TLS: resets within the handshake", https: true, early: true, alone: true, strike: func(x *exchange) {
		_, _ = x.r.ReadByte()
		x.reset()
	}},
	{name: "TLS: a certificate nobody trusts", https: true, early: true, alone: true, strike: func(x *exchange) {
		conn := tls.Server(x.Conn, untrusted())
		_ = conn.Handshake()
		conn.Close()
	}},
	{name: "TLS: garbage", https: true, early: true, alone: true, strike: func(x *exchange) { x.forever(block, flood) }},
}

// halfClose ends what this side says, and listens on.
func (x *exchange) halfClose() {
	if tcp, ok := x.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	x.silent()
}

// drips says something byte by byte.
func (x *exchange) drips(text string) {
	for i := range len(text) {
		if !x.say(text[i : i+1]) {
			return
		}
		time.Sleep(drip)
	}
}

// status answers without a body.
func (x *exchange) status(status, more string) bool {
	return x.say("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n" + more + "\r\n\r\n")
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// bomb returns 64 MB of one line, zipped.
var bomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = w.Write([]byte("data: "))
	for range 64 << 20 / len(block) {
		_, _ = w.Write([]byte(block))
	}
	_ = w.Close()
	return b.String()
})

// untrusted returns a certificate that was signed by nobody.
var untrusted = sync.OnceValue(func() *tls.Config {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS
})
