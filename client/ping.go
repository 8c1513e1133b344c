package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
)

// Ping asks the health endpoint whether the service is there, accepts the
// credentials and serves the model. It takes ten seconds at most. What it
// finds wrong is a *PingError. Whether the model is served is checked where
// the reply is a list of models.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	t := c.target
	u, err := join(t.base, t.Health)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("check service: %w", err)
	}
	req.Header = t.header.Clone()
	req.Header.Set("Accept", contentType)
	req.Header.Del("Content-Type")

	transport := t.transport(&stats{}) // its connection is none of the run's
	defer transport.CloseIdleConnections()
	shown := own(secret.HideURL(u.String()))
	found := func(reason error, hint, format string, args ...any) error {
		return &PingError{reason, t.secrets.message(&words{format, args}), hint}
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		hint := "is the server running, and is the url right?"
		if t.tls != nil {
			hint = "is the server running, does it speak TLS, and is its certificate trusted (tls.ca_file)?"
		}
		return found(ErrUnreachable, hint, "cannot reach %s: %v", shown, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, pingMax))
	switch s := resp.StatusCode; {
	case err != nil:
		return found(ErrUnreachable, "is there a proxy in between that gives up?", "read the reply of %s: %v", shown, err)
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return found(ErrRefused, "does api_key_env_var name the variable that holds the right key?", "%s answers status %d: %s", shown, s, t.secrets.excerpt(body, errorMax))
	case s == http.StatusNotFound:
		return found(ErrUnhealthy, "is the url right? A service without this path needs health_check_endpoint, or --no-check", "%s answers status 404", shown)
	case s < 200 || s > 299:
		return found(ErrUnhealthy, "is the server still loading its model?", "%s answers status %d: %s", shown, s, t.secrets.excerpt(body, errorMax))
	}
	served, listed := models(body)
	if t.Model == "" || !listed || slices.Contains(served, t.Model) || slices.Contains(served, t.Model+":latest") {
		return nil
	}
	return found(ErrUnknownModel, "set model to one of these", "%s does not list model %q but %s", shown, own(t.Model), enumerate(served))
}

// models reads the ids of a model list. It reports false where body is none.
func models(body []byte) ([]string, bool) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil {
		return nil, false
	}
	ids := make([]string, len(list.Data))
	for i, m := range list.Data {
		ids[i] = m.ID
	}
	return ids, true
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
