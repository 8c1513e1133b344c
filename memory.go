package loadgen

import "sync/atomic"

// A Memory bounds what the replies that are being read, and the records that
// wait to be taken in, hold together, however many there are. Any number of
// goroutines may use it at once.
type Memory struct {
	limit int64
	used  atomic.Int64
}

// NewMemory returns a bound of so many bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Limit is the bound in bytes.
func (m *Memory) Limit() int64 { return m.limit }

// Used is how many bytes are held.
func (m *Memory) Used() int64 { return m.used.Load() }

// A Share is what one record holds of a Memory. The zero value holds nothing.
type Share struct {
	Of    *Memory
	Bytes int64
}

// Hold makes the share so large. It reports false, and leaves it as it was,
// where the memory has not as much.
func (s *Share) Hold(m *Memory, bytes int64) bool {
	more := bytes - s.Bytes
	if m.used.Add(more) > m.limit && more > 0 {
		m.used.Add(-more)
		return false
	}
	s.Of, s.Bytes = m, bytes
	return true
}

// release gives all of it back.
func (s *Share) release() {
	if s.Of != nil {
		s.Of.used.Add(-s.Bytes)
		*s = Share{}
	}
}
