package client_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"loadgen/client"
)

func TestConfigsThatCannotBeHonoured(t *testing.T) {
	const key = "sk-very-secret"
	for name, c := range map[string]struct {
		config client.Config
		says   string
	}{
		"no host":                     {client.Config{URL: "http://"}, "names no host"},
		"a foreign scheme":            {client.Config{URL: "ftp://h"}, "want http or https"},
		"credentials in the url":      {client.Config{URL: "http://u:sk-very-secret@h"}, "put credentials into headers"},
		"an unreadable url":           {client.Config{URL: "http://h:sk-very-secret"}, "cannot be read"},
		"a path that is no encoding":  {client.Config{URL: "h", Endpoint: "/100%"}, "%25"},
		"an endpoint with a fragment": {client.Config{URL: "h", Endpoint: "/x#y"}, "%23"},
		"an unknown type":             {client.Config{URL: "h", Type: "embeddings"}, "want chat or completions"},
		"an unknown engine":           {client.Config{URL: "h", Engine: "fast"}, "want auto, raw or std"},
		"an unknown HTTP version":     {client.Config{URL: "h", HTTP: "3"}, "want 1.1 or 2"},
		"HTTP/2 on the raw engine":    {client.Config{URL: "h", HTTP: client.HTTP2, Engine: client.Raw}, "use engine auto or std"},
		"a negative timeout":          {client.Config{URL: "h", RequestTimeout: -1}, "negative"},
		"a framing header":            {client.Config{URL: "h", Headers: map[string]string{"content-length": "3"}}, "remove it"},
		"a header name with spaces":   {client.Config{URL: "h", Headers: map[string]string{"a b": "c"}}, "not a token"},
		"a header value with lines":   {client.Config{URL: "h", Headers: map[string]string{"a": key + "\r\nb: c"}}, "line break"},
		"a key with lines":            {client.Config{URL: "h", APIKey: "a\n" + key}, "line break"},
		"a certificate without key":   {client.Config{URL: "https://h", TLS: client.TLS{CertFile: "x"}}, "belong together"},
		"an authority nobody has":     {client.Config{URL: "https://h", TLS: client.TLS{CAFile: "testdata/none.pem"}}, "ca_file"},
		"an authority without PEM":    {client.Config{URL: "https://h", TLS: client.TLS{CAFile: "testdata/wire/plain.json"}}, "no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(c.config)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v tells a secret", err)
			}
		})
	}
}

func TestMessagesAreOneShortLineWithoutSecrets(t *testing.T) {
	headers := map[string]string{"X-Key": "abcdef", "Authorization": "Token tok-123456", "X-On": "1"}
	for in, want := range map[string]string{
		"a\r\n\tb  c\x00d":                     "a b c\uFFFDd",
		"\x1b[2J\u202eevil":                    "\uFFFD[2J\uFFFDevil",
		"key sk-9876 and abcdef":               "key <redacted> and <redacted>",
		"tok-123456":                           "<redacted>",
		"Token tok-123456":                     "<redacted>",
		"1 of 10":                              "<redacted> of 10",
		"bad \xff byte":                        "bad \uFFFD byte",
		strings.Repeat("x", 512):               strings.Repeat("x", 512),
		strings.Repeat("x", 513):               strings.Repeat("x", 509) + "…",
		strings.Repeat("x", 508) + "éé" + "yy": strings.Repeat("x", 508) + "…",
	} {
		got := client.Message("sk-9876", headers, in)
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
