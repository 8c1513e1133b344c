package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// An EndpointType says which of the two request forms an endpoint takes.
type EndpointType string

const (
	Chat        EndpointType = "chat"        // messages in, delta or message out
	Completions EndpointType = "completions" // prompt in, text out
)

// DefaultEndpoint is the path at which servers offer the type.
func (t EndpointType) DefaultEndpoint() string {
	if t == Completions {
		return "/v1/completions"
	}
	return "/v1/chat/completions"
}

// An Engine carries the bytes of a request.
type Engine string

const (
	// Auto is Raw wherever Raw can serve the URL, else Std.
	Auto Engine = "auto"
	// Raw is the own HTTP/1.1 client, plain or under TLS.
	Raw Engine = "raw"
	// Std is net/http: HTTP/1.1, HTTP/2 and proxies.
	Std Engine = "std"
)

// An HTTPVersion is a wish for a protocol.
type HTTPVersion string

const (
	// AnyHTTP is HTTP/1.1 on the raw engine and what ALPN gives on the std one.
	AnyHTTP HTTPVersion = ""
	HTTP1   HTTPVersion = "1.1"
	// HTTP2 needs the std engine; over http:// it is spoken without upgrade.
	HTTP2 HTTPVersion = "2"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// TLS is how the server is verified and the client identified. Files are PEM.
type TLS struct {
	CAFile             string // trusted beside nothing else; empty trusts the system's
	CertFile, KeyFile  string // both or neither
	InsecureSkipVerify bool
}

// Config describes one endpoint and how to talk to it.
type Config struct {
	URL      string // scheme, host and port, perhaps a base path; http:// where no scheme is given
	Endpoint string // path of the requests; empty for the type's default
	Health   string // path that Ping asks; empty for /v1/models
	Model    string // the model that Ping looks for; empty looks for none

	Type      EndpointType // Chat where empty
	Streaming bool         // an event stream is asked for

	APIKey  string            // sent as a bearer token; empty sends none
	Headers map[string]string // win over all but the framing headers
	Version string            // of loadgen, for the User-Agent

	TLS            TLS
	RequestTimeout time.Duration // from the start of a request to its last byte; 0 waits for ever
	Engine         Engine        // Auto where empty
	HTTP           HTTPVersion
	// Memory bounds in bytes what all replies together hold; 0 for 256 MiB.
	Memory int64
	// NoKernelTime stamps arrivals with the reader's clock even where the
	// kernel's receive times are to be had.
	NoKernelTime bool
	// Dial replaces the network, in tests. Proxies are then not asked for.
	Dial DialFunc
}

// A target is a Config made ready: checked, with the addresses worked out.
type target struct {
	Config
	base    *url.URL // scheme and host, with the base path
	send    *url.URL
	addr    string // host:port to dial
	tls     *tls.Config
	header  http.Header
	codings []string // that the header asks for
	secrets redactor
}

var errInvalid = errors.New("invalid client configuration")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errInvalid, fmt.Errorf(format, args...))
}

func newTarget(c Config) (*target, error) {
	t := &target{Config: c}
	if t.Type == "" {
		t.Type = Chat
	}
	if t.Type != Chat && t.Type != Completions {
		return nil, invalid("endpoint type %q: want chat or completions", t.Type)
	}
	if t.Endpoint == "" {
		t.Endpoint = t.Type.DefaultEndpoint()
	}
	if t.Health == "" {
		t.Health = "/v1/models"
	}
	if t.Engine == "" {
		t.Engine = Auto
	}
	if t.Memory == 0 {
		t.Memory = defaultMemory
	}
	if t.RequestTimeout < 0 {
		return nil, invalid("request timeout %s is negative", t.RequestTimeout)
	}
	if t.HTTP != AnyHTTP && t.HTTP != HTTP1 && t.HTTP != HTTP2 {
		return nil, invalid("HTTP version %q: want 1.1 or 2", t.HTTP)
	}
	t.APIKey = strings.TrimSpace(c.APIKey) // as it is sent
	t.secrets = redactor{c.Secrets()}
	var err error
	if t.base, err = parseURL(c.URL); err != nil {
		return nil, err
	}
	if t.send, err = join(t.base, t.Endpoint); err != nil {
		return nil, err
	}
	t.addr = t.base.Host
	if t.base.Port() == "" {
		t.addr = net.JoinHostPort(t.base.Hostname(), map[string]string{"http": "80", "https": "443"}[t.base.Scheme])
	}
	if t.base.Scheme == "https" {
		if t.tls, err = t.TLS.load(t.base.Hostname()); err != nil {
			return nil, err
		}
	}
	if t.header, err = t.makeHeader(); err != nil {
		return nil, err
	}
	if t.codings, err = askedCodings(t.header.Get("Accept-Encoding")); err != nil {
		return nil, err
	}
	return t, nil
}

// Config returns the settings for a host. The error names a file that cannot be
// read.
func (t TLS) Config(host string) (*tls.Config, error) { return t.load(host) }

func (t TLS) load(host string) (*tls.Config, error) {
	c := &tls.Config{
		ServerName:         host,
		InsecureSkipVerify: t.InsecureSkipVerify,
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, invalid("read tls ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, invalid("tls ca_file %s holds no PEM certificate", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, invalid("tls cert_file and key_file belong together: give both or neither")
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, invalid("load tls cert_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
