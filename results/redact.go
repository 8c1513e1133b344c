package results

import (
	"bytes"
	"encoding/json"
)

// redacted stands where a secret was.
const redacted = "<redacted>"

// redact replaces every secret in a JSON text, as it stands and as JSON
// escapes it. Those who make the values have redacted them already: this is
// the last door.
func redact(data []byte, secrets []string) []byte {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		data = bytes.ReplaceAll(data, []byte(s), []byte(redacted))
		if escaped, err := json.Marshal(s); err == nil {
			data = bytes.ReplaceAll(data, escaped[1:len(escaped)-1], []byte(redacted))
		}
		escaped := appendText(nil, s)
		data = bytes.ReplaceAll(data, escaped[1:len(escaped)-1], []byte(redacted))
	}
	return data
}
