package archive

import (
	"io"
	"sync"
)

// A Tee writes log lines to the display, to the log of the batch and to that of
// the current run.
type Tee struct {
	To io.Writer // the display; see Show

	mu    sync.Mutex
	early []byte // what was written before the batch had a log
	batch io.Writer
	run   []io.Writer
}

// mostEarly bounds what is kept for a batch that never begins.
const mostEarly = 64 << 10

// Show replaces the display.
func (t *Tee) Show(to io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.To = to
}

// keep gives the batch its log, which gets the lines so far.
func (t *Tee) keep(batch io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = batch.Write(t.early)
	t.early, t.batch = nil, batch
}

func (t *Tee) add(run ...io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.run = run
}

func (t *Tee) drop() { t.add() }

// Write passes a line on. A log that cannot be written does not end a run.
func (t *Tee) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.batch != nil {
		_, _ = t.batch.Write(line)
	} else if len(t.early) < mostEarly {
		t.early = append(t.early, line...)
	}
	for _, w := range t.run {
		_, _ = w.Write(line)
	}
	return t.To.Write(line)
}
