package sweep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"loadgen"
	"loadgen/internal/secret"
)

// Parameters are keys with their values in an order worth keeping; as JSON, an
// object.
type Parameters []loadgen.Value

// MarshalJSON writes an object with the keys in order.
func (p Parameters) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	// Left as it is, <redacted> would become \u003credacted\u003e.
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, v := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(v.Key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(v.Value); err != nil {
			return nil, fmt.Errorf("writing %s: %w", v.Key, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// String writes the parameters on one line: {ca_file: ca.pem}.
func (p Parameters) String() string {
	parts := make([]string, len(p))
	for i, v := range p {
		parts[i] = v.Key + ": " + text(v.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Effective returns the keys that have a bearing on the config's runs, written
// or by default, in the order of the documentation. Values are as they would
// stand in a batch file: durations are numbers of the key's unit. Secrets are
// masked: the values of headers, and of a path's query.
func (c *Config) Effective() Parameters {
	idle := c.idle()
	var list Parameters
	v := reflect.ValueOf(*c)
	for key, field := range fields(v.Type()) {
		value := v.FieldByIndex(field.Index)
		if _, isIdle := idle[key]; isIdle || value.IsZero() && !c.Given(key) || c.defaulted(key) {
			continue
		}
		switch key {
		case "headers":
			list = append(list, loadgen.Value{Key: key, Value: c.redactedHeaders()})
			continue
		case "url", "endpoint", "health_check_endpoint":
			list = append(list, loadgen.Value{Key: key, Value: secret.HideURL(value.String())})
			continue
		}
		list = append(list, loadgen.Value{Key: key, Value: parameter(value, field.Tag.Get("unit"))})
	}
	return list
}

// defaulted reports whether a key holds a default that another key sets aside.
func (c *Config) defaulted(key string) bool {
	if c.Given(key) {
		return false
	}
	switch key {
	case "request_rate_mode":
		return c.Pacing().Mode != loadgen.OpenLoop
	case "request_rate_smoothness":
		return c.RequestRateMode != "gamma" || c.Pacing().Mode != loadgen.OpenLoop
	case "warmup_handover":
		return !c.WarmsUp() || c.Pacing().Auto
	case "start":
		return c.Pacing().Load().Users == 0 || c.ConcurrencyRampDuration > 0
	case "prompt_input_tokens_mean":
		return c.InputFile != "" || c.SequenceDistribution != ""
	case "session_turns_mean":
		return c.InputFile != "" || c.SessionTurnsStddev == 0
	case "conversation_history":
		return c.singleTurn()
	case "cache_bust", "cache_bust_salt":
		return c.sentAsIs()
	case "server_metrics_interval", "server_metrics_formats":
		return !c.Observes()
	}
	return false
}

func (c *Config) redactedHeaders() Parameters {
	var list Parameters
	for name := range c.Headers {
		list = append(list, loadgen.Value{Key: name, Value: secret.Mask})
	}
	slices.SortFunc(list, func(a, b loadgen.Value) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// parameter returns a value as a batch file would hold it.
func parameter(v reflect.Value, unit string) any {
	switch x := v.Interface().(type) {
	case Rate:
		return x.parameter()
	case Limit:
		return x.parameter()
	case Certify:
		return x.parameter()
	case Version:
		return string(x)
	case Places:
		return x.shown()
	case Formats:
		return []string(x)
	case time.Duration:
		if unit == "ms" {
			return float64(x) / float64(time.Millisecond)
		}
		return x.Seconds()
	}
	if v.Kind() != reflect.Struct {
		return v.Interface()
	}
	var list Parameters
	for key, field := range fields(v.Type()) {
		if value := v.FieldByIndex(field.Index); !value.IsZero() {
			list = append(list, loadgen.Value{Key: key, Value: parameter(value, field.Tag.Get("unit"))})
		}
	}
	return list
}
