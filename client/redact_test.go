package client_test

import (
	"strings"
	"testing"

	"loadgen/client"
)

// TestHalfASecretIsASecret has the server repeat the key so that each limit on
// what a message quotes cuts it, at every byte: nothing of it is told.
func TestHalfASecretIsASecret(t *testing.T) {
	const (
		refusal = "HTTP/1.1 401 Unauthorized\r\n\r\n"
		whole   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
		stream  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	)
	for name, c := range map[string]struct {
		before string
		pad    string
		limit  int // how much is quoted, from the first pad on
	}{
		"the body of a refusal":   {refusal, " ", 8 << 10},
		"a reply that is no JSON": {whole, "x", 100},
		"an event that is none":   {stream + "data: ", "x", 100},
		"an event of an error":    {stream + "event: error\ndata: x", " ", 511},
		"no HTTP":                 {"", "x", 60},
		"a status line":           {"HTTP/1.1 ", "x", 60 - len("HTTP/1.1 ")},
		"a header without a name": {"HTTP/1.1 200 OK\r\n", "x", 60},
		"a length":                {"HTTP/1.1 200 OK\r\nContent-Length: ", "x", 60},
		"an encoding":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: ", "x", 60},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				for _, key := range []string{"sk-very-secret-0123456789", `sk-"very"\secret`} {
					s := newStage(t, client.Config{Engine: engine, Streaming: true, APIKey: key}, true)
					defer s.close()
					for n := range len(key) + 1 {
						rec := s.answer(t, []byte(c.before+strings.Repeat(c.pad, c.limit-n)+key+" and more\r\n\r\n"))
						if rec.Failure == nil {
							t.Fatal("the reply was taken for an answer")
						}
						if m := rec.Failure.Message; strings.Contains(m, "sk-") || strings.Contains(m, "secret") {
							t.Errorf("cut behind %d bytes of the key: %q", n, m)
						}
					}
				}
			})
		})
	}
}

// TestAWholeMessageIsToldWhole ends a message in what could be the beginning of
// a secret, had the message been cut.
func TestAWholeMessageIsToldWhole(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		s := newStage(t, client.Config{Engine: engine, Headers: map[string]string{"Authorization": "Bearer 12345678"}}, true)
		defer s.close()
		rec := s.answer(t, []byte("HTTP/1.1 401 Unauthorized\r\n\r\nwant a token of type Bearer"))
		if want := "status 401: want a token of type Bearer"; rec.Failure == nil || rec.Failure.Message != want {
			t.Errorf("%+v, want %q", rec.Failure, want)
		}
	})
}
