package sweep

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"loadgen"
	"loadgen/mockllm"
)

// EndpointSettings are those of the simulated endpoint, as the mock block of a
// batch file would hold them, without its key: what a run against it was
// measured on. None for a cell that asks another endpoint.
func (b *Batch) EndpointSettings(c *Cell) Parameters {
	if !c.Config.Mock() {
		return nil
	}
	var list Parameters
	v := reflect.ValueOf(b.Mock)
	for key, field := range fields(v.Type()) {
		value := v.FieldByIndex(field.Index)
		switch x := value.Interface().(type) {
		case time.Duration:
			list = append(list, loadgen.Value{Key: key, Value: x.String()})
		case []mockllm.Fault:
			if len(x) > 0 {
				list = append(list, loadgen.Value{Key: key, Value: faultsText(x)})
			}
		default:
			if key != "api_key" && !(value.Kind() == reflect.Slice && value.Len() == 0) {
				list = append(list, loadgen.Value{Key: key, Value: x})
			}
		}
	}
	return list
}

// checkMock reports what the simulated endpoint's own rules find.
func (b *binder) checkMock(config mockllm.Config) {
	joined, _ := config.Validate().(interface{ Unwrap() []error })
	if joined == nil {
		return
	}
	for _, err := range joined.Unwrap() {
		keys, message, _ := strings.Cut(err.Error(), ": ")
		key, _, _ := strings.Cut(keys, ", ")
		if path := join("mock", key); !b.unsound[path] {
			b.failKey(path, message, "")
		}
	}
}

// obeyMock adds what the simulated endpoint's own rules ask of a key below mock:
// they are asked what they say to a value.
func (s *Shape) obeyMock(key string) {
	if s.Words = mockllm.Words(key); s.Words != nil && !mockRefuses(key, "") {
		s.Words = append(s.Words, "")
	}
	switch s.Kind {
	case Whole, Number:
		if mockRefuses(key, -1) {
			s.Least = new(float64)
		}
	case Duration:
		if mockRefuses(key, -1) {
			s.Pattern = strings.Replace(s.Pattern, "[-+]?", `\+?`, 1)
		}
	}
}

// mockRefuses reports whether a value, a number or a text, is out of the range
// of a key below mock.
func mockRefuses(key string, value any) bool {
	config := mockllm.DefaultConfig()
	target := reflect.ValueOf(&config).Elem()
	if name, below := strings.CutPrefix(key, "faults."); below {
		config.Faults = []mockllm.Fault{{Kind: mockllm.Words("faults.kind")[0]}}
		target, key = reflect.ValueOf(&config.Faults[0]).Elem(), name
	}
	field, known := fieldByKey(target.Type(), key)
	if !known {
		return false
	}
	v := target.FieldByIndex(field.Index)
	v.Set(reflect.ValueOf(value).Convert(v.Type()))
	return config.Validate() != nil
}

// faultsText are faults in the words of the command line, joined.
func faultsText(faults []mockllm.Fault) string {
	var texts []string
	for _, f := range faults {
		words := []string{f.Kind}
		v := reflect.ValueOf(f)
		for key, field := range fields(v.Type()) {
			if value := v.FieldByIndex(field.Index); key != "kind" && !value.IsZero() {
				words = append(words, fmt.Sprintf("%s=%v", key, value.Interface()))
			}
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return strings.Join(texts, "; ")
}
