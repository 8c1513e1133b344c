package sweep

import (
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
