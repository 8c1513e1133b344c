package load

import "time"

// looks waits for the moments at which a stage may end before its Duration.
type looks struct {
	*time.Timer
	stage *stage
	left  []time.Duration
}

// looks returns those of the stage, the first of them set.
func (s *stage) looks() *looks {
	l := &looks{Timer: time.NewTimer(time.Hour), stage: s}
	l.Stop()
	if s.Enough != nil && s.next == nil {
		l.left = s.Looks
	}
	l.next()
	return l
}

// next sets the next one, if there is any.
func (l *looks) next() {
	if len(l.left) > 0 {
		l.Reset(time.Until(l.stage.epoch.Add(l.left[0])))
		l.left = l.left[1:]
	}
}
