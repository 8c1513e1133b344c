package observe

import (
	"bytes"
	"errors"
	"time"

	"github.com/prometheus/common/expfmt"
)

// Replay is a recording of texts that came a second apart, the first before the
// measurement. The error is that of a text that could not be read.
func Replay(gpu bool, texts ...[]byte) (*Recording, error) {
	e := &Endpoint{URL: "replayed", GPU: gpu, Step: 1, Wait: time.Second}
	hide := func(text string) string { return text }
	var errs []error
	for i, text := range texts {
		got, err := parse(bytes.NewReader(text), expfmt.FmtText, mostSeries)
		if err != nil {
			errs = append(errs, err)
			e.fail(time.Duration(i)*time.Second, told(err, hide))
			continue
		}
		e.add(Point{At: time.Duration(i) * time.Second, Phase: min(Phase(2*i), After)}, got, hide)
	}
	r := &Recording{Ended: time.Minute, Interval: time.Second, Endpoints: []*Endpoint{e}}
	r.Marks[Profiling], r.Marks[After] = time.Second/2, time.Second*time.Duration(len(texts))
	if len(errs) == len(texts) {
		return nil, errors.Join(errs...)
	}
	return r, nil
}
