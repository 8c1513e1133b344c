package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"loadgen/internal/secret"
)

// What Ping can find wrong. A PingError is one of them, by errors.Is.
var (
	ErrUnreachable  = errors.New("service unreachable")
	ErrRefused      = errors.New("service refuses the credentials")
	ErrUnhealthy    = errors.New("service is not healthy")
	ErrUnknownModel = errors.New("service does not serve the model")
)

// A PingError is why a service cannot be measured, in one line free of
// secrets.
type PingError struct {
	Reason error // one of the Err… above
	Detail string
	Hint   string // what to do about it
}

func (e *PingError) Error() string { return e.Detail + ": " + e.Hint }

// Unwrap returns the reason.
func (e *PingError) Unwrap() error { return e.Reason }

const (
	pingTimeout = 10 * time.Second
	pingMax     = 8 << 20 // of the model list; hosted services list hundreds
	pagesMax    = 100     // of it
)

// Ping asks the health endpoint whether the service is there, accepts the
// credentials and serves the model. It takes ten seconds at most. What it
// finds wrong is a *PingError. Whether the model is served is checked where
// the reply is a list of models, and all of its pages can be had.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	p := ping{c.target, c.target.transport(&stats{})} // its connection is none of the run's
	defer p.transport.CloseIdleConnections()
	u, err := join(p.base, p.Health)
	if err != nil {
		return err
	}
	body, err := p.get(ctx, u)
	if err != nil {
		return err
	}
	if top, _ := object(body); isError(top["error"]) {
		told, _ := reported(body)
		return p.found(ErrUnhealthy, "is the service ready?", "%s answers with an error: %s", u, cmp.Or(told, p.secrets.excerpt(body, errorMax)))
	}
	list := modelsIn(body)
	if p.Model == "" || !list.known || list.serves(p.Model) {
		return nil
	}
	served := list.ids
	for pages := 1; list.more; pages++ {
		if list = p.page(ctx, u, list.last()); pages == pagesMax || !list.known || list.repeats(served) {
			return nil // the rest cannot be had: the model may be in it
		}
		if list.serves(p.Model) {
			return nil
		}
		served = append(served, list.ids...)
	}
	if p.knows(ctx, u) {
		return nil
	}
	hint := "set model to one of these"
	if len(served) == 0 {
		hint = "is a model loaded?"
	}
	return p.found(ErrUnknownModel, hint, "%s does not list model %q but %s", u, own(p.Model), enumerate(served))
}

// A ping asks one service.
type ping struct {
	*target
	transport *http.Transport
}

func (p ping) found(reason error, hint, format string, args ...any) error {
	for i, arg := range args {
		if u, ok := arg.(*url.URL); ok {
			args[i] = own(secret.HideURL(u.String()))
		}
	}
	return &PingError{reason, p.secrets.message(&words{format, args}), hint}
}

// get returns the body of a successful reply, or a *PingError.
func (p ping) get(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("check service: %w", err)
	}
	req.URL = u // as it is written
	req.Header = p.header.Clone()
	req.Header.Set("Accept", contentType)
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Del("Content-Type")
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return nil, p.unreachable(u, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// A read of what follows would not end with the context.
		return nil, p.found(ErrUnhealthy, "is the url right?", "%s switches to another protocol", u)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, pingMax))
	if err != nil {
		return nil, p.found(ErrUnreachable, "is there a proxy in between that gives up?", "read the reply of %s: %v", u, err)
	}
	if s := resp.StatusCode; s < 200 || s > 299 {
		return nil, p.refused(u, resp, body)
	}
	return body, nil
}

func (p ping) unreachable(u *url.URL, err error) error {
	hint := "is the server running, and is the url right?"
	if p.tls != nil {
		hint = "is the server running, does it speak TLS, and is its certificate trusted (tls.ca_file)?"
	}
	if short := shortage(err); short != "" {
		hint = short
	}
	return p.found(ErrUnreachable, hint, "cannot reach %s: %v", u, err)
}

func (p ping) refused(u *url.URL, resp *http.Response, body []byte) error {
	location := resp.Header.Get("Location")
	said, args := "%s answers status %d", []any{u, resp.StatusCode}
	told, _ := reported(body)
	if told == "" {
		told = p.secrets.excerpt(body, errorMax)
	}
	if told = strings.TrimSpace(told); told != "" {
		said, args = said+": %s", append(args, told)
	}
	const absent = "is the url right? A service without this path needs health_check_endpoint, or --no-check"
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return p.found(ErrRefused, "does api_key_env_var name the variable that holds the right key?", said, args...)
	case s >= 300 && s < 400 && location != "":
		return p.found(ErrUnhealthy, "set url to where it leads", "%s answers status %d, and redirects to %s", u, s, location)
	case s == http.StatusNotFound || s == http.StatusGone || s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented:
		return p.found(ErrUnhealthy, absent, "%s answers status %d", u, s)
	case resp.Header.Get("Retry-After") != "":
		args = append(args, resp.Header.Get("Retry-After"))
		return p.found(ErrUnhealthy, "start later, or with --no-check", said+" (Retry-After: %s)", args...)
	case s == http.StatusTooManyRequests:
		return p.found(ErrUnhealthy, "start later, or with --no-check", said, args...)
	case s < 500:
		return p.found(ErrUnhealthy, absent, said, args...)
	}
	return p.found(ErrUnhealthy, "is the server still loading its model?", said, args...)
}

// page returns the models behind the one that a page ended with, none known
// where they cannot be had. OpenAI's lists and Anthropic's name the place each
// in their own way.
func (p ping) page(ctx context.Context, u *url.URL, last string) modelList {
	next := *u
	query := next.Query()
	query.Set("after", last)
	query.Set("after_id", last)
	next.RawQuery = query.Encode()
	body, err := p.get(ctx, &next)
	if err != nil {
		return modelList{}
	}
	return modelsIn(body)
}

// A modelList is what one page of a list of models says.
type modelList struct {
	known  bool // it is a list
	ids    []string
	more   bool // there are further pages
	lastID string
}

func (l modelList) last() string {
	if l.lastID != "" || len(l.ids) == 0 {
		return l.lastID
	}
	return l.ids[len(l.ids)-1]
}

// serves reports whether the list holds the model, whose tag or collection may
// be left out.
func (l modelList) serves(model string) bool {
	const collection = "models/"
	bare := strings.TrimPrefix(model, collection)
	return slices.ContainsFunc(l.ids, func(id string) bool {
		id = strings.TrimPrefix(id, collection)
		return id == bare || id == bare+":latest"
	})
}

// repeats reports whether the list brings nothing that was not known: a service
// that does not turn its pages.
func (l modelList) repeats(known []string) bool {
	return !slices.ContainsFunc(l.ids, func(id string) bool { return !slices.Contains(known, id) })
}

// modelsIn reads a page of a list of models.
func modelsIn(body []byte) modelList {
	var page struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		HasMore bool   `json:"has_more"`
		LastID  string `json:"last_id"`
	}
	if json.Unmarshal(body, &page) != nil || page.Data == nil {
		return modelList{}
	}
	list := modelList{known: true, more: page.HasMore, lastID: page.LastID}
	for _, m := range page.Data {
		list.ids = append(list.ids, m.ID)
	}
	return list
}

func enumerate(names []string) string {
	const shown = 8
	switch n := len(names); {
	case n == 0:
		return "no model at all"
	case n > shown:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n-shown)
	}
	return strings.Join(names, ", ")
}
