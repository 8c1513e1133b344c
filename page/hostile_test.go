package page_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/page"
)

// hostile are texts that a server or a file can hold. Each has a word that must
// be found on the page as text.
var hostile = []string{
	`MARK<script>alert(1)</script><img src=x onerror=alert(1)>`,
	`MARK"><svg onload=alert(1)>'-->]]></style></script>`,
	"MARK\x1b[31mred\x1b]0;title\x07\x9b2J",
	"=MARK+HYPERLINK(\"http://x\")",
	"MARK\u202Egnp.exe\u2066\u200f",
	"MARK\x00\x00end",
	"MARK\xff\xfe broken \xc3",
	"MARK{{.Style}}${x}`\\\n\r\n\t",
	"MARK" + strings.Repeat("<b>long</b>", 100_000),
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	for i, text := range hostile {
		name := text[:min(len(text), 40)]
		dir := batch(t,
			made{values: value("model", text), name: text, failing: text, verdict: "DEGRADED"},
			made{values: value("model", text+"2"), name: text, failing: text, verdict: "INVALID"},
		)
		got := html(t, dir)
		for _, bad := range []string{"<script>alert", "<img", "<svg onload", "onerror=alert(1)>", "<b>long", "\x1b", "\x00", "\u202e", "\u2066", "\x07"} {
			if strings.Contains(got, bad) {
				t.Errorf("%q: the page holds %q", name, bad)
			}
		}
		if n := strings.Count(got, "<script"); n != 1 {
			t.Errorf("%q: %d scripts", name, n)
		}
		if !strings.Contains(got, "MARK") {
			t.Errorf("%q: the text is not there", name)
		}
		if i == 0 && !testing.Short() { // markup and control sequences: what a picture could be broken by
			pictures(t, name, dir)
		}
	}
}

// pictures draws the charts of a batch's runs as files, which must be sound.
func pictures(t *testing.T, name, dir string) {
	t.Helper()
	into := filepath.Join(t.TempDir(), "plots")
	if n, err := page.Plots(dir, into, true); err != nil || n == 0 {
		t.Fatalf("%q: %d pictures: %v", name, n, err)
	}
	err := filepath.WalkDir(into, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".png" {
			_, err := png.DecodeConfig(bytes.NewReader(data))
			return err
		}
		return wellFormed(data)
	})
	if err != nil {
		t.Errorf("%q: %v", name, err)
	}
}

func wellFormed(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok && strings.EqualFold(e.Name.Local, "script") {
			return errors.New("a script in a picture")
		}
	}
}
