package client

import (
	"net/http"
	"slices"
	"strings"
)

const (
	requestID     = "X-Request-Id"
	correlationID = "X-Correlation-Id"
	contentType   = "application/json"
)

// framing headers decide where a message ends or whom it is for; a user's
// value would break the connection rather than describe the request.
var framing = []string{"Content-Type", "Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer", "Upgrade", "Te"}

// makeHeader builds the headers that every request carries: loadgen's, then
// the user's over them.
func (t *target) makeHeader() (http.Header, error) {
	h := http.Header{}
	version := t.Version
	if version == "" {
		version = "dev"
	}
	h.Set("User-Agent", "loadgen/"+version)
	h.Set("Accept", "application/json")
	// Where nothing is said a server may encode as it likes (RFC 9110, 12.5.3).
	h.Set("Accept-Encoding", "identity")
	if t.Streaming {
		h.Set("Accept", "text/event-stream")
	}
	if t.APIKey != "" {
		h.Set("Authorization", "Bearer "+t.APIKey)
	}
	for name, value := range t.Headers {
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if name == "Content-Type" && strings.TrimSpace(value) == contentType {
			continue
		}
		if slices.Contains(framing, name) {
			return nil, invalid("header %s is set by loadgen: remove it", name)
		}
		if !validName(name) {
			return nil, invalid("header name %q is not a token", name)
		}
		h.Set(name, strings.TrimSpace(value))
	}
	for name := range h {
		if !validValue(h.Get(name)) {
			// The value may be a secret: it is not shown.
			return nil, invalid("value of header %s holds a line break or control character", name)
		}
	}
	h.Set("Content-Type", contentType)
	return h, nil
}

func validName(s string) bool {
	const separators = "()<>@,;:\\\"/[]?={} \t"
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(separators, r)
	})
}

func validValue(s string) bool {
	for i := range len(s) { // by bytes: ids are looked at for every request
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// token makes an identifier fit for a header: ids may come from a dataset.
func token(s string) string {
	if validValue(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, s)
}
