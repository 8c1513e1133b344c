package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"loadgen/internal/secret"
)

// keys are secrets with what makes each hard to find.
var keys = []string{
	"sk-very-secret-0123456789",
	`sk-"very"\secret`,
	"päss wörd/with+plus=",
	"{\"json\": [1, \"looking\"]}",
	`^(regex|looking)\d+.*$`,
	"%41%2Fpercent%zz",
	"&amp;entity&#65;",
	strings.Repeat("4KB-", 1<<10),
	"two words",
	"a\nb-in-two-lines",
}

// dress writes a secret in the ways in which servers repeat it.
var dress = map[string]func(string) string{
	"as it is":        func(s string) string { return s },
	"upper case":      func(s string) string { return strings.ToUpper(s) },
	"in quotes":       strconv.Quote,
	"quoted in ASCII": strconv.QuoteToASCII,
	"JSON": func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	},
	"JSON in JSON": func(s string) string {
		b, _ := json.Marshal(s)
		b, _ = json.Marshal(string(b))
		return string(b)
	},
	"JSON with escaped slashes": func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
	"a query":                   url.QueryEscape,
	"a path":                    url.PathEscape,
	"a query in a query":        func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"lower case escapes":        func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
	"every byte escaped": func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteString("%" + hex.EncodeToString([]byte{c}))
		}
		return b.String()
	},
	"HTML":                func(s string) string { return html.EscapeString(s) },
	"JSON of HTML":        func(s string) string { b, _ := json.Marshal(html.EscapeString(s)); return string(b) },
	"hexadecimal":         func(s string) string { return hex.EncodeToString([]byte(s)) },
	"Base64":              func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"Base64 for URLs":     func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"Base64, one before":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(":" + s + ":")) },
	"Base64, two before":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + s)) },
	"Base64 in a query":   func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"Base64 in lines":     func(s string) string { return lines(base64.StdEncoding.EncodeToString([]byte(s)), 7) },
	"over lines":          func(s string) string { return lines(s, 5) },
	"with unseen between": func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
}

func lines(s string, every int) string {
	var b strings.Builder
	for i, r := range []rune(s) {
		if i > 0 && i%every == 0 {
			b.WriteString("\r\n  ")
		}
		b.WriteRune(r)
	}
	return b.String()
}

func TestASecretIsFoundInEveryDress(t *testing.T) {
	for name, dress := range dress {
		t.Run(name, func(t *testing.T) {
			for _, key := range keys {
				s := &secret.Set{}
				s.Add(key)
				worn := dress(key)
				if got, want := s.Hide("the key ["+worn+"] is wrong, the key ["+worn+"]."), "the key ["; !strings.HasPrefix(got, want) ||
					strings.Count(got, secret.Mask) < 2 || strings.Contains(got, worn) || left(got, worn, 6) {
					t.Errorf("%.60q became %.200q", worn, got)
				}
			}
		})
	}
}

// left reports whether so many characters of a secret that stood there are left.
// The padding of Base64 says nothing.
func left(got, worn string, many int) bool {
	worn = strings.TrimRight(strings.ReplaceAll(worn, "%3D", "="), "=")
	for i := 0; i+many <= len(worn); i++ {
		if part := worn[i : i+many]; strings.TrimSpace(part) == part && strings.Contains(got, part) {
			return true
		}
	}
	return false
}

func TestHideLeavesTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"no secret":                    {nil, "status 401: 1 of e", "status 401: 1 of e"},
		"a digit is a word":            {[]string{"1"}, "status 401: key 1, a1, 1.", "status 401: key <redacted>, a1, <redacted>."},
		"a letter is a word":           {[]string{"e"}, "the key e, \"e\"", "the key <redacted>, \"<redacted>\""},
		"null":                         {[]string{"null"}, "key null is null", "key <redacted> is <redacted>"},
		"a short one not over words":   {[]string{"token"}, "to kens, token", "to kens, <redacted>"},
		"a long one over words":        {[]string{"tokenized"}, "token ized", "<redacted>"},
		"blanks around it":             {[]string{"  sk-12345\t"}, "[sk-12345]", "[<redacted>]"},
		"the longer of two":            {[]string{"sk-1234", "sk-1234-5678"}, "sk-1234-5678", "<redacted>"},
		"two that overlap":             {[]string{"abcdefgh", "efghijkl"}, "abcdefghijkl", "<redacted>"},
		"one beside the other":         {[]string{"abcdefgh"}, "abcdefghabcdefgh", "<redacted><redacted>"},
		"nothing but blanks":           {[]string{" ", "\n"}, "a b", "a b"},
		"what is no escape":            {[]string{"abcdefgh"}, `100 % of \ and & but abcdefgh`, `100 % of \ and & but <redacted>`},
		"bytes that are no characters": {[]string{"abcdefgh"}, "\xff\xfeabcdefgh\xff", "\xff\xfe<redacted>\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &secret.Set{}
			s.Add(c.secrets...)
			if got := s.Hide(c.text); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if got := (*secret.Set)(nil).Hide("text"); got != "text" {
		t.Errorf("nil made %q of text", got)
	}
}

// TestAnExcerptHoldsNoHalf cuts at every byte.
func TestAnExcerptHoldsNoHalf(t *testing.T) {
	for name, dress := range dress {
		for _, key := range keys[:6] {
			s := &secret.Set{}
			s.Add(key)
			worn := dress(key)
			text := "before " + worn + " behind"
			for size := range len(text) {
				for _, kept := range []string{text, text[:size]} { // cut here, or before it came here
					got := s.Excerpt([]byte(kept), size)
					if left(got, worn, 8) {
						t.Fatalf("%s: %d of %q: %q", name, size, text, got)
					}
					if size >= 6 && !strings.HasPrefix(got, "before") {
						t.Fatalf("%s: %d of %q: %q", name, size, text, got)
					}
				}
			}
			if got := s.Excerpt([]byte("Bearer sk"), 100); got != "Bearer sk" {
				t.Errorf("a whole text is told whole, not %q", got)
			}
		}
	}
}

func TestAHeaderHoldsSecrets(t *testing.T) {
	for name, c := range map[string]struct{ name, value, text, want string }{
		"the whole value":     {"X-Key", "a bcdefgh", "a bcdefgh", "<redacted>"},
		"a bearer's token":    {"Authorization", "Bearer tok-1234", "tok-1234", "<redacted>"},
		"Basic credentials":   {"Authorization", "Basic dTpwYXNzd29yZDE=", "u:password1 password1 dTpwYXNzd29yZDE=", "<redacted> <redacted> <redacted>"},
		"cookies":             {"cookie", "id=abcdefgh; b=ijklmnop", "ijklmnop", "<redacted>"},
		"what a browser says": {"Accept", "application/json", "application/json", "application/json"},
		"any other":           {"X-Region", "somewhere", "from somewhere", "from <redacted>"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &secret.Set{}
			s.AddHeader(c.name, c.value)
			if got := s.Hide(c.text); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAURLIsShownWithoutItsSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"http://h:1/v1":                    "http://h:1/v1",
		"mock://":                          "mock://",
		"h:8000":                           "h:8000",
		"/v1/chat/completions":             "/v1/chat/completions",
		"http://user:pass@h/v1?k=abcd1234": "http://<redacted>@h/v1?k=<redacted>",
		"http://user:p%40ss@h":             "http://<redacted>@h",
		"/v1/chat?api-version=2024-02-01&key=abcd%2F": "/v1/chat?api-version=2024-02-01&key=<redacted>",
		"/v1?abcd1234":      "/v1?<redacted>",
		"/v1?beta=true&x=1": "/v1?beta=true&x=<redacted>",
		"/v1?":              "/v1",
		"http://h/a@b":      "http://h/a@b",
	} {
		if got := secret.HideURL(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
	s := &secret.Set{}
	s.AddURL("http://user:p%40ssword@h/v1?api-version=2024-02-01&k=abcd%2F1234")
	const text = "2024-02-01: p@ssword, p%40ssword, abcd/1234, abcd%2f1234 of user"
	if got, want := s.Hide(text), "2024-02-01: <redacted>, <redacted>, <redacted>, <redacted> of user"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheLastCheckKnowsWhatNoFileHoldsByChance(t *testing.T) {
	s := &secret.Set{}
	s.AddKey("1", "null", "request_count", "sk-alpha-0123456789")
	s.AddHeader("X-Model", "meta/llama-3.1-8b")
	s.AddHeader("X-Api-Key", "ak-alpha-0123456789")
	if s.In([]byte(`{"model": "meta/llama-3.1-8b"}`)) {
		t.Error("the name of a model is taken for a key")
	}
	if !s.In([]byte(`{"error": "ak-alpha-0123456789"}`)) {
		t.Error("a key in a header is not found")
	}
	if s.In([]byte(`{"request_count": 1, "error": null}`)) {
		t.Error("words of every file are taken for secrets")
	}
	if !s.In([]byte(`{"error": "sk-alpha-0123456789"}`)) {
		t.Error("a secret is not found")
	}
	s.Shown("in /home/sk-alpha-0123456789/x")
	if s.In([]byte(`{"file": "/home/sk-alpha-0123456789/x"}`)) {
		t.Error("what is shown anyway is found")
	}
	if (*secret.Set)(nil).In([]byte("x")) {
		t.Error("nil finds something")
	}
}

func TestNamesSpeakOfKeys(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "Proxy-Authorization": true, "X-Api-Key": true, "apikey": true, "x_goog_api_key": true,
		"Ocp-Apim-Subscription-Key": true, "X-AuthToken": true, "Cookie": true, "client_secret": true, "sig": true, "X-Amz-Signature": true,
		"X-Tenant": false, "X-Model": false, "X-Tokenizer": false, "max_tokens": false, "Author": false, "X-Keywords": false, "Design": false, "": false,
	} {
		if got := secret.NamesKey(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func FuzzHide(f *testing.F) {
	f.Add("sk-secret-123", `%41\u00&#`, 7)
	f.Add("a+b", "a b\\", 3)
	f.Fuzz(func(t *testing.T, key, text string, size int) {
		s := &secret.Set{}
		s.Add(key)
		s.Hide(text)
		if size >= 0 {
			s.Excerpt([]byte(text+key+text), size)
		}
		if key = strings.TrimSpace(key); len(key) > 8 && strings.Contains(s.Hide("<"+key+">"), key) && !strings.Contains(secret.Mask, key) {
			if strings.Trim(key, "+ ") != "" {
				t.Errorf("%q is not hidden", key)
			}
		}
	})
}

func BenchmarkHide(b *testing.B) {
	s := &secret.Set{}
	s.AddHeader("Authorization", "Bearer sk-very-secret-0123456789")
	text := strings.Repeat("an answer of some words & no more. ", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s.Hide(text)
	}
}
