package mockllm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"loadgen/mockllm"
)

// onLoopback serves an endpoint on a socket for the length of a test.
func onLoopback(t testing.TB, cfg mockllm.Config) (*mockllm.Server, string) {
	t.Helper()
	srv, err := mockllm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return srv, l.Addr().String()
}

// transport speaks the one protocol named and trusts the server.
func transport(srv *mockllm.Server, version string) *http.Transport {
	p := new(http.Protocols)
	p.SetHTTP1(version == "HTTP/1.1")
	p.SetHTTP2(version == "HTTP/2.0")
	p.SetUnencryptedHTTP2(version == "HTTP/2.0")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(srv.CertPEM())
	return &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{RootCAs: roots}}
}

func TestProtocols(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(fmt.Sprintf("%s with TLS %v", version, secure), func(t *testing.T) {
				cfg := fixed(5*ms, ms)
				cfg.TLS = secure
				srv, addr := onLoopback(t, cfg)
				tr := transport(srv, version)
				defer tr.CloseIdleConnections()
				b := &bench{t: t, srv: srv, http: &http.Client{Transport: tr}}
				url := map[bool]string{false: "http://", true: "https://"}[secure] + addr + "/v1/chat/completions"
				post := func(extra string, headers ...string) *http.Response {
					req, err := http.NewRequest("POST", url, strings.NewReader(chat("hi", extra)))
					if err != nil {
						t.Fatal(err)
					}
					for i := 0; i < len(headers); i += 2 {
						req.Header.Set(headers[i], headers[i+1])
					}
					resp, err := b.http.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					return resp
				}
				for range 100 { // the kernel does not stamp the very first
					events(t, post(`,"max_tokens":1`, "X-Mock-Stamps", "1"), startOfTime)
					if all := srv.Stamps(); all[len(all)-1].Source != "read" {
						break
					}
				}
				before := time.Now()
				resp := post(`,"max_tokens":3`, "X-Mock-Stamps", "1")
				if resp.Proto != version {
					t.Errorf("spoke %s", resp.Proto)
				}
				got := strings.Join(shapes(t, events(t, resp, before)), "|")
				if want := "role|content 1|content 1|content 1|finish length|usage 3|done"; got != want {
					t.Errorf("got %s", got)
				}
				all := srv.Stamps()
				stamp := all[len(all)-1]
				want := map[string]string{"HTTP/1.1": "read", "HTTP/2.0": "handler"}[version]
				if runtime.GOOS == "linux" && version == "HTTP/1.1" {
					want = "kernel"
				}
				if stamp.Source != want {
					t.Errorf("received by %q, want %q", stamp.Source, want)
				}
				// The engine counts from the read, which comes after the kernel's receipt.
				if first := stamp.Chunks[0]; stamp.Received < before.UnixNano() || first-stamp.Received < int64(5*ms) {
					t.Errorf("sent after %v, received %d, first chunk %d", before.UnixNano(), stamp.Received, first)
				}

				resp = post(`,"max_tokens":3`, "X-Mock-Fault", "torn after=1")
				if body, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("a torn stream ended well: %s", body)
				}
				resp.Body.Close()
				resp = post("", "X-Mock-Fault", "status status=500")
				if resp.Body.Close(); resp.StatusCode != 500 {
					t.Errorf("status %d, want 500", resp.StatusCode)
				}
				resp = post(`,"max_tokens":3`, "X-Mock-Fault", "shred size=7")
				if got := shapes(t, events(t, resp, before)); len(got) != 7 {
					t.Errorf("shredded: %v", got)
				}
			})
		}
	}
}

func TestATLSHandshakeThatFailsHarmsNobody(t *testing.T) {
	cfg := fixed(0, 0)
	cfg.TLS = true
	_, addr := onLoopback(t, cfg)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
	io.Copy(io.Discard, c)
}

// Every stream of many, each over a connection of its own, is complete; with
// the kernel's timers as well.
func TestManyStreams(t *testing.T) {
	cfg := fixed(20*ms, 5*ms)
	cfg.Precise = true
	srv, addr := onLoopback(t, cfg)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			body := chat("hi", `,"max_tokens":20`)
			fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			got, err := io.ReadAll(c)
			if n := strings.Count(string(got), `"content":" `); err != nil || n != 20 {
				t.Errorf("%d tokens, %v", n, err)
			}
		})
	}
	all.Wait()
	if st := srv.Stats(); st.Completed != 200 || st.CompletionTokens != 4000 || st.Chunks != 4000 {
		t.Errorf("stats %+v", st)
	}
}

func TestRequestsThatCannotBeRead(t *testing.T) {
	_, addr := onLoopback(t, fixed(0, 0))
	for name, tc := range map[string]struct{ request, want string }{
		"no HTTP":        {"nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		"HTTP/1.0":       {"GET /health HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		"pipelined":      {"GET /health HTTP/1.1\r\nHost: m\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		"wrong method":   {"PUT /health HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
		"100-continue":   {"POST /v1/models HTTP/1.1\r\nHost: m\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404"},
		"a chunked body": {"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, tc.request)
			got, err := io.ReadAll(c)
			if err != nil || !strings.HasPrefix(string(got), tc.want) {
				t.Errorf("%v, %q, want %q", err, got, tc.want)
			}
			if name == "pipelined" && strings.Count(string(got), "HTTP/1.1 ") != 2 {
				t.Errorf("%q, want two replies", got)
			}
		})
	}
}

// Whoever probes with HEAD goes on with GET on the same connection, so that a
// body would be taken for the next reply.
func TestHeadIsGetWithoutItsBody(t *testing.T) {
	_, addr := onLoopback(t, fixed(0, 0))
	for _, path := range []string{"/v1/models", "/metrics", "/mock/stats", "/nowhere"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "HEAD "+path+" HTTP/1.1\r\nHost: m\r\n\r\nGET "+path+" HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
		got, err := io.ReadAll(c)
		c.Close()
		header, rest, _ := strings.Cut(string(got), "\r\n\r\n")
		status, _, _ := strings.Cut(header, "\r\n")
		if err != nil || !strings.HasPrefix(rest, status) || !strings.Contains(header, "Content-Length: ") {
			t.Errorf("%s: %v, %q", path, err, got)
		}
	}
}
