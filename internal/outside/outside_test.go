package outside_test

import (
	"testing"

	"loadgen/internal/outside"
)

func TestLineShowsWhatATextSays(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"a plain line":                 "a plain line",
		"two\r\nlines\tand  blanks ":   "two lines and blanks",
		"\x1b[31mred\x1b[0m":           "\ufffd[31mred\ufffd[0m",
		"\x1b]0;title\x07":             "\ufffd]0;title\ufffd",
		"C1 \u009b31m":                 "C1 \ufffd31m",
		"order \u202edesrever\u202c":   "order \ufffddesrever\ufffd",
		"isolate \u2066x\u2069":        "isolate \ufffdx\ufffd",
		"\ufeffBOM, zero\u200bwidth":   "\ufffdBOM, zero\ufffdwidth",
		"no UTF-8 \xff":                "no UTF-8 \ufffd",
		"Größe 日本語 👩\u200d🚀":           "Größe 日本語 👩\u200d🚀",
		"NUL \x00 DEL \x7f":            "NUL \ufffd DEL \ufffd",
		"line\u2028separator":          "line separator",
		" blanks before and behind\n ": "blanks before and behind",
	} {
		if got := outside.Line(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		if again := outside.Line(outside.Line(text)); again != want {
			t.Errorf("%q becomes %q when it is shown again", want, again)
		}
	}
}

func TestTextKeepsItsLines(t *testing.T) {
	for text, want := range map[string]string{
		"two\n\tlines ":       "two\n\tlines ",
		"two\r\nlines":        "two\nlines",
		"over\rwritten":       "over\ufffdwritten",
		"\x1b[2J\u202e日本\x00": "\ufffd[2J\ufffd日本\ufffd",
	} {
		if got := outside.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestColoursAreAllThatIsLeft(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                            "plain",
		"\x1b[1;31mred\x1b[0m, \x1b[mnone": "\x1b[1;31mred\x1b[0m, \x1b[mnone",
		"\x1b[2Jcleared \x1b[31":           "\ufffd[2Jcleared \ufffd[31",
		"\x1b[?25l\x1b]0;title\x07\x1b[1m": "\ufffd[?25l\ufffd]0;title\ufffd\x1b[1m",
		"\x1b":                             "\ufffd",
		"\x1b[":                            "\ufffd[",
	} {
		if got := outside.Coloured(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestACellIsNotCalculated(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"plain":                 "plain",
		`=cmd|' /C calc'!A0`:    `'=cmd|' /C calc'!A0`,
		"+1+cmd":                "'+1+cmd",
		"-2+3":                  "'-2+3",
		"@SUM(A1)":              "'@SUM(A1)",
		"\t=1":                  "'\t=1",
		"\r=1":                  "\ufffd=1",
		"\n=1":                  "'\n=1",
		"＝1":                    "'＝1",
		"-1":                    "-1",
		"+2.5e-3":               "+2.5e-3",
		"-inf":                  "'-inf",
		"-0x1":                  "'-0x1",
		"-":                     "'-",
		"a=b":                   "a=b",
		"\x1b[1m=":              "\ufffd[1m=",
		"'=1":                   "'=1",
		"concurrency-4_rate+1":  "concurrency-4_rate+1",
		"line one\n=line two":   "line one\n=line two",
		"\"=1+1\",\"=2\"":       "\"=1+1\",\"=2\"",
		"-----BEGIN PUBLIC KEY": "'-----BEGIN PUBLIC KEY",
	} {
		if got := outside.Cell(text); got != want {
			t.Errorf("%q is the cell %q, want %q", text, got, want)
		}
	}
}

func TestACellIsReadBack(t *testing.T) {
	for _, text := range []string{"", "plain", "=1", "-1", "'quoted'", "'", "@x", "\t"} {
		if got := outside.Uncell(outside.Cell(text)); got != text {
			t.Errorf("%q is read back as %q", text, got)
		}
	}
}
