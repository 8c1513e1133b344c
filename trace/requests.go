package trace

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"loadgen"
)

// Requests calls take with each measured request of a profile_export.jsonl,
// AIPerf's or loadgen's, in the order of its lines, which is that in which
// requests ended. It keeps none of them: [Open] would take gigabytes for a million.
// Times are seconds since a day before the first line's start, so that none is
// negative, and -1 where they are not known.
func Requests(path string, take func(*loadgen.Call)) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open trace: %w", err)
	}
	defer f.Close()
	b := newBuilder()
	err = profileLines(bufio.NewReaderSize(f, 1<<20), func(l *profileLine) {
		if l.Metadata.Phase == "warmup" || l.Metadata.Start <= 0 {
			return
		}
		if b.base == 0 {
			b.base = l.Metadata.Start - int64(24*time.Hour)
		}
		c := b.profileCall(l)
		clear(b.session) // of a million sessions none is asked for
		for _, t := range []*float64{&c.Start, &c.Wrote, &c.FirstToken, &c.End} {
			*t = sinceEpoch(*t, 0)
		}
		take(&c)
	})
	if err != nil {
		return fmt.Errorf("read trace %s: %w", path, err)
	}
	return nil
}
