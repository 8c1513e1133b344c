package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"

	"loadgen/internal/outside"
	"loadgen/internal/secret"
)

// MostBytes is how much of a scrape is read, as it is sent and as it is unpacked.
// The text of a large server with eight engines is a tenth of it.
const MostBytes = 8 << 20

// accept prefers the binary form, in which alone native histograms are whole, and
// takes text. OpenMetrics is read where a server answers in it, and not asked for:
// some servers then choose it over all others, at twice the size.
const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited," +
	"text/plain;version=0.0.4;q=0.8,*/*;q=0.1"

// An answer is what a source gave, not read yet.
type answer struct {
	first time.Duration // from the request to the answer's first byte
	bytes int64
	read  func() (parsed, error) // takes CPU, and waits for nothing
}

// A source is where metrics come from.
type source interface {
	// ask returns an answer, or why there is none. It ends with the context.
	ask(ctx context.Context) (answer, error)
	close()
}

// errNone is an answer that says that there are no metrics, today or tomorrow.
var errNone = errors.New("there are no metrics")

// An httpSource asks one URL, over one connection that is kept.
type httpSource struct {
	url    *url.URL
	header http.Header
	client *http.Transport
	buf    bytes.Buffer
}

func newHTTPSource(u *url.URL, t *Target, c *Config) *httpSource {
	tr := &http.Transport{
		TLSClientConfig: t.TLS.Clone(), MaxConnsPerHost: 1, IdleConnTimeout: 5 * time.Minute,
		DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		ResponseHeaderTimeout: askTime, TLSHandshakeTimeout: askTime,
	}
	if tr.DialContext = c.Dial; c.Dial == nil {
		tr.DialContext = (&net.Dialer{Timeout: askTime}).DialContext
		tr.Proxy = http.ProxyFromEnvironment
	}
	h := http.Header{}
	for name, value := range t.Header {
		h.Set(name, value)
	}
	h.Set("Accept", accept)
	h.Set("Accept-Encoding", "gzip")
	h.Set("User-Agent", "loadgen/"+c.Version)
	return &httpSource{url: u, header: h, client: tr}
}

func (s *httpSource) close() { s.client.CloseIdleConnections() }

func (s *httpSource) ask(ctx context.Context) (answer, error) {
	req := (&http.Request{Method: http.MethodGet, URL: s.url, Host: s.url.Host, Header: s.header}).WithContext(ctx)
	began := time.Now()
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		return answer{}, s.explain(err)
	}
	first := time.Since(began)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		// What it says is not read on: the connection is only kept for a short text.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		err := fmt.Errorf("status %d", resp.StatusCode)
		if to := resp.Header.Get("Location"); to != "" && resp.StatusCode/100 == 3 {
			err = fmt.Errorf("status %d, to %s: write that address", resp.StatusCode, secret.HideURL(to))
		}
		if resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusRequestTimeout {
			err = fmt.Errorf("%w: %w", errNone, err)
		}
		return answer{}, err
	}
	s.buf.Reset()
	n, err := io.Copy(&s.buf, io.LimitReader(resp.Body, MostBytes+1))
	switch {
	case err != nil:
		return answer{}, s.explain(err)
	case n > MostBytes:
		return answer{}, errTooLarge
	}
	return answer{first: first, bytes: n, read: func() (parsed, error) { return s.read(resp.Header) }}, nil
}

var errTooLarge = fmt.Errorf("the text is larger than %d MiB, and was cut", MostBytes>>20)

// read unpacks and parses what was asked for last.
func (s *httpSource) read(h http.Header) (parsed, error) {
	var r io.Reader = &s.buf
	if strings.EqualFold(strings.TrimSpace(h.Get("Content-Encoding")), "gzip") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return parsed{}, fmt.Errorf("the text is no gzip: %w", err)
		}
		r = z
	}
	format := expfmt.ResponseFormat(h)
	if format == expfmt.FmtUnknown {
		if strings.Contains(h.Get("Content-Type"), "html") {
			return parsed{}, fmt.Errorf("%w: it is a page of HTML", errNone)
		}
		format = expfmt.FmtText // some servers name another type, or none
	}
	bounded := newBound(r)
	p, err := parse(bounded, format, mostSeries)
	switch {
	case bounded.err != nil:
		return parsed{}, bounded.err
	case err != nil:
		return parsed{}, fmt.Errorf("not the text of metrics: %w", err)
	case len(p.samples) == 0:
		return parsed{}, errEmpty
	}
	return p, nil
}

var errEmpty = errors.New("the text has no metrics")

// readTime is how much CPU time a text may take to be read: the parser's work can
// grow with the square of what stands in a line.
const readTime = time.Second

var errTooSlow = fmt.Errorf("the text takes more than %v of the CPU to read, and was cut", readTime)

// A bound ends a text that is too long, or takes too much to read, and says so.
type bound struct {
	r     io.Reader
	left  int64
	began time.Duration // the thread's CPU time
	err   error         // why it was ended
}

func newBound(r io.Reader) *bound { return &bound{r: r, left: MostBytes, began: cpuTime()} }

func (b *bound) Read(p []byte) (int, error) {
	switch {
	case b.left <= 0:
		b.err = errTooLarge
	case cpuTime()-b.began > readTime:
		b.err = errTooSlow
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// explain says in a few words why there was no answer.
func (s *httpSource) explain(err error) error {
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no whole answer within %v", askTime)
	case errors.As(err, &cert):
		return fmt.Errorf("its certificate is not trusted: %w", cert.Err)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	return err
}

// told makes an error fit to be kept and shown.
func told(err error, hide func(string) string) string {
	const longest = 200
	text := outside.Line(hide(err.Error()))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}
