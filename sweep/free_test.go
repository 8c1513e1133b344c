package sweep_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

// TestNumbersOfExtraInputsKeepTheirValue writes numbers that no int64 or
// float64 holds beside those that they do.
func TestNumbersOfExtraInputsKeepTheirValue(t *testing.T) {
	for written, want := range map[string]any{
		"7":                                 7,
		"+7":                                7,
		"-9223372036854775808":              -9223372036854775808,
		"0x10":                              16,
		"1_000":                             1000,
		"0.7":                               0.7,
		".5":                                0.5,
		"5.":                                5.0,
		"1.5e3":                             1500.0,
		"9007199254740993":                  9007199254740993,
		"9223372036854775808":               json.Number("9223372036854775808"),
		"18446744073709551615":              json.Number("18446744073709551615"),
		"+18446744073709551616":             json.Number("18446744073709551616"),
		"-9223372036854775809":              json.Number("-9223372036854775809"),
		"0xFFFFFFFFFFFFFFFFFF":              json.Number("4722366482869645213695"),
		strings.Repeat("9", 2000):           json.Number(strings.Repeat("9", 2000)),
		"1e400":                             json.Number("1e400"),
		"-1.50E-400":                        json.Number("-1.50E-400"),
		"0.12345678901234567890":            json.Number("0.12345678901234567890"),
		"0.1000":                            0.1,
		"+.12345678901234567890e+5":         json.Number("0.12345678901234567890e+5"),
		"00.12345678901234567890":           json.Number("0.12345678901234567890"),
		"'18446744073709551615'":            "18446744073709551615",
		"!!str 5":                           "5",
		"1e":                                "1e",
		"2024-01-01":                        "2024-01-01",
		"[1e400, {a: 9223372036854775808}]": []any{json.Number("1e400"), map[string]any{"a": json.Number("9223372036854775808")}},
		"null":                              nil,
		"{a: null}":                         map[string]any{"a": nil},
	} {
		batch, err := sweep.Parse("b.yaml", []byte(minimal+"  extra_inputs: {x: "+written+"}\n"), sweep.Options{})
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if diff := cmp.Diff(map[string]any{"x": want}, batch.Base.ExtraInputs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", written, diff)
		}
	}
}

func TestNumbersThatJSONDoesNotHaveAreFaults(t *testing.T) {
	for written, says := range map[string]string{
		".inf":                      "is no number that JSON has",
		"-.INF":                     "is no number that JSON has",
		".nan":                      "is no number that JSON has",
		"[1, .nan]":                 "is no number that JSON has",
		"{a: .nan}":                 "extra_inputs.x.a: .nan is no number",
		"010":                       "without the leading zero",
		"0123456789012345678901234": "without the leading zero",
	} {
		_, err := sweep.Parse("b.yaml", []byte(minimal+"  extra_inputs: {x: "+written+"}\n"), sweep.Options{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", written, err, says)
		}
	}
}
