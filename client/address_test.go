package client_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"loadgen/client"
	"loadgen/internal/memnet"
)

// TestRequestsGoOutAsWritten looks at the request line and the headers as they
// come over the wire.
func TestRequestsGoOutAsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		base, endpoint string
		want           string
	}{
		"the usual":                       {"", "", "/v1/chat/completions"},
		"encoded delimiters are data":     {"/gw/org%2Fteam", "/model/arn%3Aaws%2fx/v1/chat", "/gw/org%2Fteam/model/arn%3Aaws%2fx/v1/chat"},
		"unneeded encodings stay":         {"", "/%61b%7E", "/%61b%7E"},
		"an encoded percent":              {"", "/100%25", "/100%25"},
		"the query":                       {"", "/x?api-version=2024-02-01&d=a%2Fb+c&e=", "/x?api-version=2024-02-01&d=a%2Fb+c&e="},
		"what needs encoding, and %2F":    {"/a b%2F", "/é|x", "/a%20b%2F/%C3%A9%7Cx"},
		"a blank in the query":            {"", "/x?q=a b%20c", "/x?q=a%20b%20c"},
		"delimiters":                      {"", "/a:b;c=d,e@f!$&'()*+", "/a:b;c=d,e@f!$&'()*+"},
		"dots and slashes":                {"/a/", "/../b//c/", "/a/../b//c/"},
		"the version is meant once":       {"/v1", "/v1/chat/completions", "/v1/chat/completions"},
		"v1beta is another version":       {"/v1", "/v1beta/chat", "/v1/v1beta/chat"},
		"queries of both":                 {"/x?a=1", "/y?b=2", "/x/y?a=1&b=2"},
		"an encoded version is a segment": {"/%76%31", "/v1/x", "/%76%31/v1/x"},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				got := requestSent(t, client.Config{URL: "http://server" + c.base, Endpoint: c.endpoint, Engine: engine})
				if line, _, _ := strings.Cut(got, "\r\n"); line != "POST "+c.want+" HTTP/1.1" {
					t.Errorf("%s, want %s", line, c.want)
				}
			})
		})
	}
}

func TestHeadersGoOutAsWritten(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		got := requestSent(t, client.Config{URL: "http://server", Engine: engine, Headers: map[string]string{
			"X-Path": "a%2Fb%20c", "X-Quoted": `"é", 'b'; c=d`, "user-agent": "mine/1",
		}})
		for _, line := range []string{"X-Path: a%2Fb%20c", `X-Quoted: "é", 'b'; c=d`, "User-Agent: mine/1", "Accept-Encoding: identity"} {
			if !strings.Contains(got, "\r\n"+line+"\r\n") {
				t.Errorf("no %q in\n%s", line, got)
			}
		}
	})
}

// requestSent sends a request and returns what came over the wire.
func requestSent(t *testing.T, cfg client.Config) string {
	t.Helper()
	l := memnet.Listen()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		got <- readHead(conn)
		io.WriteString(conn, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		io.Copy(io.Discard, conn)
	}()
	cfg.Dial = l.DialContext
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rec := send(t.Context(), c, "{}")
	c.Close()
	l.Close()
	if rec.Status != http.StatusInternalServerError {
		t.Fatalf("%+v", rec.Failure)
	}
	return <-got
}

// readHead reads a request whose body is {}.
func readHead(conn net.Conn) string {
	var b strings.Builder
	for p := make([]byte, 4096); !strings.HasSuffix(b.String(), "\r\n\r\n{}"); {
		n, err := conn.Read(p)
		b.Write(p[:n])
		if err != nil {
			break
		}
	}
	return b.String()
}
