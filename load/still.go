package load

import (
	"sync/atomic"
	"time"
)

// stillLimit is how late the watch's own look may be before the process counts
// as having stood still, where nothing says that it was stopped. A scheduler with
// forty processes for two CPUs was late by 31 ms in one of a hundred looks, by 88
// in one of a thousand, and by 136 at most.
const stillLimit = 150 * time.Millisecond

// resumed counts how often the process was told to go on after a stop.
var resumed atomic.Int64

// stillness is what the watch knew when it last looked.
type stillness struct {
	at      time.Time
	asleep  time.Duration // of the machine, since it was started
	resumed int64
	late    time.Duration // that did not count as standing still
}

// next returns for how long the process stood still since the last look. A process
// that was told to go on was stopped before, however short: for as long as this
// look is late, or the last one, where the word came behind it. A stop begins at
// any time between two looks: what was left until the next one is part of it, half
// of the time between them on average.
func (s *stillness) next(now time.Time, asleep time.Duration, resumed int64) time.Duration {
	late := now.Sub(s.at) - sampleEvery + asleep - s.asleep
	told, before := resumed != s.resumed, s.late
	*s = stillness{now, asleep, resumed, 0}
	switch most := max(late, before); {
	case told && most > 0:
		return most + sampleEvery/2
	case late > stillLimit:
		return late
	}
	s.late = late
	return 0
}
