package fleet

import (
	"testing"
	"time"
)

func TestNobodyIsSilentWhoCouldNotBeHeard(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	listens := func(e *ear, from, to time.Duration) {
		for d := from; d <= to; d += listenEvery {
			e.listen(at(d))
		}
	}
	for name, c := range map[string]struct {
		happens func(*ear)
		now     time.Duration // the worker was heard at 0
		want    time.Duration
	}{
		"who says nothing":                         {func(e *ear) { listens(e, 0, 3*time.Second) }, 3 * time.Second, 3 * time.Second},
		"while the server is gone":                 {func(e *ear) { e.lost(at(time.Second)); e.lost(at(2 * time.Second)) }, 50 * time.Second, 0},
		"when it is back":                          {func(e *ear) { e.lost(at(0)); e.found(at(2 * time.Second)) }, 2 * time.Second, -rejoin},
		"long after it is back":                    {func(e *ear) { e.lost(at(0)); e.found(at(2 * time.Second)) }, 10 * time.Second, 8*time.Second - rejoin},
		"when this process stood still for 3 s":    {func(e *ear) { e.listen(at(0)); e.listen(at(3 * time.Second)) }, 3 * time.Second, -catchUp},
		"when it was a little late to look itself": {func(e *ear) { e.listen(at(0)); e.listen(at(600 * time.Millisecond)) }, 2 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var e ear
			c.happens(&e)
			if got := e.unheard(at(0), at(c.now)); got != c.want {
				t.Errorf("unheard for %v, want %v", got, c.want)
			}
			away := time.Duration(0)
			if name == "while the server is gone" {
				away = 49 * time.Second
			}
			if got := e.away(at(c.now)); got != away {
				t.Errorf("the server is gone for %v, want %v", got, away)
			}
		})
	}
}
