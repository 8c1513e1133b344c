package client

import (
	"net/url"
	"strings"

	"loadgen/internal/secret"
)

func parseURL(s string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		// The parser's error repeats the URL, which may hold a password.
		return nil, invalid("url cannot be read: want http://host:port")
	}
	switch {
	case u.User != nil:
		return nil, invalid("url of %s holds a user name or password: put credentials into headers or api_key_env_var", u.Host)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("url scheme %q: want http or https", u.Scheme)
	case u.Hostname() == "":
		return nil, invalid("url %q names no host: want http://host:port", secret.HideURL(s))
	}
	_, rest, _ := strings.Cut(s, "://")
	rest = rest[:strings.IndexAny(rest+"?", "?#")]
	_, path, found := strings.Cut(rest, "/")
	if found {
		path = "/" + path
	}
	if err := setPath(u, strings.TrimRight(path, "/")); err != nil {
		return nil, err
	}
	return u, nil
}

// join appends an endpoint's path to the base. Both go out as they are written:
// %2F is data where / is a delimiter (RFC 3986, 2.2). A version that ends the
// base and begins the endpoint is meant once: http://host/v1 and /v1/models.
func join(base *url.URL, endpoint string) (*url.URL, error) {
	if strings.Contains(endpoint, "#") {
		return nil, invalid("endpoint %q holds a fragment, which is never sent: write %%23 for a #", secret.HideURL(endpoint))
	}
	path, query, asked := strings.Cut(endpoint, "?")
	path = "/" + strings.TrimPrefix(path, "/")
	before := base.EscapedPath()
	if strings.HasSuffix(before, "/v1") && (path == "/v1" || strings.HasPrefix(path, "/v1/")) {
		path = strings.TrimPrefix(path, "/v1")
	}
	u := *base
	if err := setPath(&u, before+path); err != nil {
		return nil, err
	}
	if asked {
		u.RawQuery = strings.Trim(u.RawQuery+"&"+sendable(query), "&")
	}
	u.Fragment = ""
	return &u, nil
}

// setPath has u carry a path as it is written, percent-encodings included.
func setPath(u *url.URL, written string) error {
	raw := sendable(written)
	path, err := url.PathUnescape(raw)
	if err != nil {
		return invalid("path %q holds a %% that begins no encoding: write %%25 for it", secret.HideURL(written))
	}
	u.Path, u.RawPath = path, raw
	return nil
}

// sendable encodes the bytes that can stand in no request line, and leaves the
// rest as it is.
func sendable(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
