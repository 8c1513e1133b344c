package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestOnlyTheServersWordsAreSearched has keys that stand in every message.
func TestOnlyTheServersWordsAreSearched(t *testing.T) {
	for key, want := range map[string]string{
		"status": "status 401: wrong <redacted>, error 401",
		"401":    "status 401: wrong status, error <redacted>",
		"1":      "status 401: wrong status, error 401",
		"error":  "status 401: wrong status, <redacted> 401",
		" e ":    "status 401: wrong status, error 401",
	} {
		forEngines(t, func(t *testing.T, engine client.Engine) {
			s := newStage(t, client.Config{Engine: engine, APIKey: key}, true)
			defer s.close()
			rec := s.answer(t, []byte("HTTP/1.1 401 Unauthorized\r\n\r\n{\"error\": \"wrong status, error 401\"}"))
			if rec.Failure == nil || rec.Failure.Message != want {
				t.Errorf("key %q: %+v, want %q", key, rec.Failure, want)
			}
		})
	}
}

// TestWhatAServerCallsThingsIsData has it name the model and the reason of the
// end after the key, or write to the terminal with them.
func TestWhatAServerCallsThingsIsData(t *testing.T) {
	const key = " sk-very-secret-0123456789\t" // sent without the blanks
	for name, c := range map[string]struct{ said, model, finish string }{
		"the usual":          {`"model":"m","choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]`, "m", "stop"},
		"the key":            {`"model":"sk-very-secret-0123456789","choices":[{"delta":{"content":"x"},"finish_reason":"SK-VERY-SECRET-0123456789"}]`, "<redacted>", "<redacted>"},
		"the key in escapes": {`"model":"a/\u0073k-very-secret-0123456789","choices":[{"delta":{"content":"x"},"finish_reason":"sk-very-secret\n-0123456789"}]`, "a/<redacted>", "<redacted>"},
		"the key in Base64":  {`"model":"c2stdmVyeS1zZWNyZXQtMDEyMzQ1Njc4OQ==","choices":[{"delta":{"content":"x"},"finish_reason":"end"}]`, "<redacted>", "end"},
		"escape sequences":   {`"model":"\u001b[31mm","choices":[{"delta":{"content":"x"},"finish_reason":"a\u202eb\r\nc"}]`, "\ufffd[31mm", "a\ufffdb c"},
		"more than is sensible": {
			`"model":"` + strings.Repeat("m", 600) + `","choices":[{"delta":{"content":"x"},"finish_reason":"end"}]`,
			strings.Repeat("m", 509) + "…", "end",
		},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				s := newStage(t, client.Config{Engine: engine, Streaming: true, APIKey: key, Model: "m"}, true)
				defer s.close()
				reply := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {" + c.said + "}\n\ndata: [DONE]\n\n")
				for range 2 { // the second is what the first was
					rec := s.answer(t, reply)
					if rec.Failure != nil || rec.Model != c.model || rec.FinishReason != c.finish {
						t.Errorf("%+v, model %q, finish reason %q", rec.Failure, rec.Model, rec.FinishReason)
					}
				}
			})
		})
	}
}

// TestACertificateIsTheServersWord has a certificate that is trusted, but for a
// host that is called like the key.
func TestACertificateIsTheServersWord(t *testing.T) {
	const key = "sk-very-secret-0123456789"
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{key}, IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	forEngines(t, func(t *testing.T, engine client.Engine) {
		srv := httptest.NewUnstartedServer(nil)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		defer srv.Close()
		c := newClient(t, client.Config{URL: strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), Engine: engine, APIKey: key, TLS: client.TLS{CAFile: authority}})
		for _, message := range []string{send(t.Context(), c, "{}").Failure.Message, c.Ping(t.Context()).Error()} {
			if strings.Contains(message, "secret") || !strings.Contains(message, "<redacted>") {
				t.Errorf("message %q", message)
			}
		}
	})
}
