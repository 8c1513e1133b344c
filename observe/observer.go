package observe

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"loadgen/internal/secret"
)

const (
	// askTime bounds a scrape.
	askTime = 5 * time.Second
	// firstTime bounds the wait for the first one before the load begins, and for
	// the last one behind it.
	firstTime = 2 * time.Second
	// settleTime is how long a server may take to count what it has answered.
	settleTime = 500 * time.Millisecond
	// cpuShare is what part of one CPU reading may take: 1/200, half a percent. A
	// longer text is asked for less often.
	cpuShare = 200
)

// A Target is one place to take metrics from.
type Target struct {
	// URL is the whole address; that of a service whose metrics are at its usual
	// path where Auto is set. It is empty for the GPUs of this machine.
	URL    string
	Auto   bool
	GPU    bool
	Header map[string]string
	TLS    *tls.Config
}

// Config says what to observe.
type Config struct {
	Targets  []Target
	Interval time.Duration // between scrapes
	Version  string        // of loadgen, for the User-Agent
	// Dial replaces the network, in tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Cost replaces what reading a text took of a CPU, in tests whose time is virtual:
	// the machine's is not.
	Cost func(measured time.Duration) time.Duration
	// Secrets are taken out of what a server says; it may be nil.
	Secrets *secret.Set
	// InFlight returns how many requests the run has in flight; it may be nil.
	InFlight func() int
}

// An Observer takes metrics until it is stopped.
type Observer struct {
	config  Config
	began   time.Time
	phase   atomic.Uint32
	watches []*watch

	mu    sync.Mutex
	marks [phases]time.Duration // when a phase began; 0 for one that did not
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// Start begins to observe, and waits for a moment for the first answers. It
// reports an address that cannot be read.
func Start(ctx context.Context, c Config) (*Observer, error) {
	if c.Cost == nil {
		c.Cost = func(measured time.Duration) time.Duration { return measured }
	}
	o := &Observer{config: c, began: time.Now()}
	for i := range c.Targets {
		w, err := o.watch(&c.Targets[i])
		if err != nil {
			return nil, err
		}
		o.watches = append(o.watches, w)
	}
	ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	first := make(chan struct{}, len(o.watches))
	for _, w := range o.watches {
		o.done.Go(func() { w.run(ctx, first) })
	}
	wait := time.NewTimer(firstTime)
	defer wait.Stop()
	for range o.watches {
		select {
		case <-first:
		case <-wait.C:
			return o, nil
		}
	}
	return o, nil
}

// Mark says that a phase begins. A scrape is taken soon, as the last one of the
// phase before. A nil Observer does nothing.
func (o *Observer) Mark(p Phase) {
	if o == nil {
		return
	}
	before := Phase(o.phase.Swap(uint32(p)))
	o.mu.Lock()
	o.marks[p] = time.Since(o.began)
	o.mu.Unlock()
	for _, w := range o.watches {
		select {
		case w.border <- before:
		default: // one is asked for already
		}
	}
}

// Stop takes a last scrape and returns what was seen. It takes at most some three
// seconds. When the context is done it does not wait for that scrape.
func (o *Observer) Stop(ctx context.Context) *Recording {
	o.Mark(After)
	if o.alive() {
		settle := time.NewTimer(settleTime)
		defer settle.Stop()
		select {
		case <-settle.C:
		case <-ctx.Done():
		}
	}
	o.stop()
	o.done.Wait()
	var last sync.WaitGroup
	for _, w := range o.watches {
		last.Go(func() {
			if ctx.Err() == nil && w.endpoint.Off == "" {
				w.scrape(ctx, firstTime, After, false)
			}
			w.source.close()
		})
	}
	last.Wait()
	r := &Recording{Began: o.began, Marks: o.marks, Ended: time.Since(o.began), Interval: o.config.Interval}
	for _, w := range o.watches {
		r.Endpoints = append(r.Endpoints, &w.endpoint)
	}
	return r
}

// alive reports whether any target has answered.
func (o *Observer) alive() bool {
	for _, w := range o.watches {
		if w.answered.Load() {
			return true
		}
	}
	return false
}

// A watch takes the metrics of one target.
type watch struct {
	o        *Observer
	source   source
	others   []*url.URL // of an Auto target: where else to try
	border   chan Phase
	answered atomic.Bool
	cost     time.Duration // CPU time of the last scrape

	mu       sync.Mutex // for endpoint, while the observer is at work
	endpoint Endpoint
}

func (o *Observer) watch(t *Target) (*watch, error) {
	w := &watch{o: o, border: make(chan Phase, 1), endpoint: Endpoint{GPU: t.GPU, Step: 1, Wait: o.config.Interval}}
	if t.URL == "" {
		w.source, w.endpoint.URL = newSMI(), smiName
		return w, nil
	}
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("the address of metrics cannot be read: want http://host:port/metrics")
	}
	if t.Auto {
		u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")+"/", "", ""
		w.others = []*url.URL{u.JoinPath("prometheus", "metrics")} // TensorRT-LLM's
		u = u.JoinPath("metrics")
	}
	w.source, w.endpoint.URL = newHTTPSource(u, t, &o.config), secret.HideURL(u.String())
	return w, nil
}

// run scrapes until the context ends.
func (w *watch) run(ctx context.Context, first chan<- struct{}) {
	w.begin(ctx)
	first <- struct{}{}
	timer := time.NewTimer(w.wait())
	defer timer.Stop()
	for w.endpoint.Off == "" {
		select {
		case <-ctx.Done():
			return
		case before := <-w.border:
			w.scrape(ctx, askTime, before, true)
		case <-timer.C:
			select {
			case before := <-w.border: // comes first: phases follow each other
				w.scrape(ctx, askTime, before, true)
			default:
				w.scrape(ctx, askTime, w.phase(), false)
			}
			timer.Reset(w.wait())
		}
	}
}

func (w *watch) phase() Phase { return Phase(w.o.phase.Load()) }

// begin takes the first scrape. A target that was not named by its whole address
// is looked for, and given up where it has no metrics.
func (w *watch) begin(ctx context.Context) {
	err := w.scrape(ctx, askTime, w.phase(), false)
	http, ok := w.source.(*httpSource)
	for ok && errors.Is(err, errNone) && len(w.others) > 0 {
		named := *http.url
		http.url, w.others = w.others[0], w.others[1:]
		if err = w.scrape(ctx, askTime, w.phase(), false); err != nil {
			http.url = &named
			w.endpoint.Off = told(err, w.hide) // neither has any
			continue
		}
		w.endpoint.URL = secret.HideURL(http.url.String())
	}
}

// wait is how long to wait for the next scrape.
func (w *watch) wait() time.Duration { return max(w.o.config.Interval, cpuShare*w.cost) }

func (w *watch) hide(text string) string { return w.o.config.Secrets.Hide(text) }

// scrape takes one, as one of a phase.
func (w *watch) scrape(ctx context.Context, limit time.Duration, phase Phase, border bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := w.inFlight()
	began := time.Since(w.o.began)
	a, err := w.source.ask(ctx)
	client = (client + w.inFlight()) / 2
	var got parsed
	cost := timed(func() {
		if err == nil {
			got, err = a.read()
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			if !errors.Is(context.Cause(ctx), context.Canceled) {
				w.endpoint.fail(began, told(err, w.hide))
			}
			return
		}
		w.answered.Store(true)
		w.endpoint.Bytes += a.bytes
		w.endpoint.add(Point{At: began + a.first, Took: a.first, Phase: phase, Client: client, border: border}, got, w.hide)
	})
	w.cost = w.o.config.Cost(cost)
	w.endpoint.CPU += w.cost
	w.endpoint.Wait = max(w.endpoint.Wait, w.wait())
	return err
}

func (w *watch) inFlight() float64 {
	if w.o.config.InFlight == nil {
		return math.NaN()
	}
	return float64(w.o.config.InFlight())
}
