package sweep

import (
	"reflect"
	"strings"

	"loadgen/mockllm"
)

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
