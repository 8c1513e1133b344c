package fleet

import "time"

const (
	shedEvery = time.Second
	// shedAfter is how long the coordinator must have gone on after it took in what
	// is shed: by then it stands on its disk.
	shedAfter = 5 * time.Second
)

// A shedding says which part of a spool may go while its run goes on, so that a
// long run does not fill the disk with what is home. Only an answer of the
// coordinator lets something go: who is silent may have taken it in in vain.
type shedding struct {
	gone  int64 // bytes in front
	marks []shedMark
	last  time.Time // when the last mark was made
}

// A shedMark is a place between two records.
type shedMark struct {
	at    int64
	taken time.Time // when all in front of it was known to be taken in
}

// wrote notes that the spool ends with a record there.
func (s *shedding) wrote(end int64, now time.Time) {
	if now.Sub(s.last) >= shedEvery {
		s.marks, s.last = append(s.marks, shedMark{at: end}), now
	}
}

// took notes an answer of the coordinator, which has so many bytes, and returns the
// part that may go; empty for none.
func (s *shedding) took(have int64, now time.Time) (from, to int64) {
	from = s.gone
	for i := range s.marks {
		if m := &s.marks[i]; m.at <= have && m.taken.IsZero() {
			m.taken = now
		}
	}
	for len(s.marks) > 0 && !s.marks[0].taken.IsZero() && now.Sub(s.marks[0].taken) >= shedAfter {
		s.gone = s.marks[0].at
		s.marks = s.marks[1:]
	}
	return from, s.gone
}
