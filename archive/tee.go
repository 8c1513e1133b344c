package archive

import (
	"io"
	"sync"
)

// A Tee writes log lines to the display and to the log of the current run.
type Tee struct {
	To io.Writer // the display

	mu   sync.Mutex
	more []io.Writer
}

func (t *Tee) add(w ...io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.more = w
}

func (t *Tee) drop() { t.add() }

// Write passes a line on. A log that cannot be written does not end a run.
func (t *Tee) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.more {
		_, _ = w.Write(line)
	}
	return t.To.Write(line)
}
