package secret

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// AddHeader adds what is secret in the value of a request header: the value,
// and the credentials in it, which a server may repeat alone.
func (s *Set) AddHeader(name, value string) {
	if isPublic(name) {
		return
	}
	value = strings.TrimSpace(value)
	add := s.Add
	if NamesKey(name) {
		add = s.AddKey
	}
	add(value)
	scheme, credentials, two := strings.Cut(value, " ")
	switch {
	case strings.EqualFold(name, "Cookie"):
		for _, pair := range strings.Split(value, ";") {
			_, content, _ := strings.Cut(pair, "=")
			add(content)
		}
	case two && strings.EqualFold(scheme, "Basic"):
		add(credentials)
		if plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials)); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			add(string(plain), password)
		}
	case two: // Bearer …
		add(credentials)
	}
}

// NamesKey reports whether the name of a header or a parameter says that its
// value is a key, rather than one that other values may share, such as the name
// of a user or a model.
func NamesKey(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
	return slices.ContainsFunc(words, func(word string) bool {
		if slices.Contains([]string{"auth", "authorization", "cookie", "sig", "signature"}, word) {
			return true
		}
		return slices.ContainsFunc([]string{"key", "secret", "token", "password", "credential"}, func(end string) bool {
			return strings.HasSuffix(strings.TrimSuffix(word, "s"), end) && word != "tokens" // apikey, authToken, not max_tokens
		})
	})
}

// isPublic reports whether a header says how to read a message, and nothing of
// who sent it.
func isPublic(header string) bool {
	header = strings.ToLower(strings.TrimSpace(header))
	return slices.Contains([]string{"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-type", "pragma", "user-agent"}, header)
}

// AddURL adds what is secret in a URL or in a path with a query: user and
// password, and the values of the query.
func (s *Set) AddURL(text string) {
	_, user, query := parts(text)
	if user != "" {
		name, password, two := strings.Cut(user, ":")
		if s.addEscaped(s.AddKey, user); two {
			s.addEscaped(s.AddKey, password)
		} else {
			s.addEscaped(s.AddKey, name)
		}
	}
	for _, p := range parameters(query) {
		add := s.Add
		if NamesKey(p.name) {
			add = s.AddKey
		}
		if p.secret {
			s.addEscaped(add, p.value)
		}
	}
}

func (s *Set) addEscaped(add func(...string), value string) {
	add(value)
	if plain, err := url.QueryUnescape(value); err == nil {
		add(plain)
	}
}

// HideURL returns a URL, or a path with a query, as it may be shown: user and
// password masked, and so the values of its query.
func HideURL(text string) string {
	rest, user, query := parts(text)
	if user != "" {
		scheme, host, _ := strings.Cut(rest, "://")
		rest = scheme + "://" + Mask + "@" + host
	}
	if query == "" {
		return rest
	}
	var shown []string
	for _, p := range parameters(query) {
		switch {
		case !p.secret:
			shown = append(shown, p.written)
		case p.name == "":
			shown = append(shown, Mask)
		default:
			shown = append(shown, p.name+"="+Mask)
		}
	}
	return rest + "?" + strings.Join(shown, "&")
}

// parts takes user and query out of a URL.
func parts(text string) (rest, user, query string) {
	rest, query, _ = strings.Cut(text, "?")
	scheme, host, ok := strings.Cut(rest, "://")
	if !ok {
		return rest, "", query
	}
	authority, path, slash := strings.Cut(host, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, authority = authority[:at], authority[at+1:]
	}
	rest = scheme + "://" + authority
	if slash {
		rest += "/" + path
	}
	return rest, user, query
}

// A parameter is one of a query.
type parameter struct {
	written, name, value string
	secret               bool
}

// parameters takes a query apart. A lone word is a value without a name.
func parameters(query string) []parameter {
	if query == "" {
		return nil
	}
	var all []parameter
	for written := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, named := strings.Cut(written, "=")
		if !named {
			name, value = "", written
		}
		// What versions and switches say is no secret, and helps.
		known := slices.Contains([]string{"api-version", "api_version", "version", "model", "beta", "stream"}, strings.ToLower(name))
		all = append(all, parameter{written, name, value, value != "" && !known && value != "true" && value != "false"})
	}
	return all
}
