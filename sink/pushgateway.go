package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"loadgen/internal/outside"
	"loadgen/results"
	"loadgen/sweep"
)

// pushgateway puts the figures of a batch's runs into a group of a Pushgateway,
// in place of those of the night before.
func pushgateway(ctx context.Context, b *Batch, e *sweep.Export, o *Options) (string, error) {
	if len(b.fit()) == 0 && b.Searches == nil {
		return "", errNoRun
	}
	var body bytes.Buffer
	var x exposition
	x.runs(b)
	x.answers(b.answers(), func(c *results.Capacity) []string {
		labels := []string{label("model", b.model(c))}
		if l := b.first(c).Meta.Label; l != "" {
			labels = append(labels, label("label", l))
		}
		return labels
	})
	x.write(&body)
	// A name with a slash is given in base64, as the gateway wants it.
	group := "/metrics/job/loadgen/batch@base64/" + base64.RawURLEncoding.EncodeToString([]byte(b.Name))
	address := strings.TrimSuffix(e.URL, "/") + group
	return address, post(ctx, o, e, http.MethodPut, address, "text/plain; version=0.0.4; charset=utf-8", body.Bytes())
}

// post sends a body to a sink on the network.
func post(ctx context.Context, o *Options, e *sweep.Export, method, url, kind string, body []byte) error {
	_, err := postFor(ctx, o, e, method, url, kind, body)
	return err
}

// mostReply bounds what is read of a sink's answer, in bytes.
const mostReply = 64 << 10

// postFor does so and returns the answer. Nothing is sent again: a sink that is
// not there is told.
func postFor(ctx context.Context, o *Options, e *sweep.Export, method, url, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "loadgen/"+o.Version)
	if e.APIKeyEnvVar != "" {
		key, ok := o.LookupEnv(e.APIKeyEnvVar)
		if !ok || key == "" {
			return nil, fmt.Errorf("the environment variable %s is not set", e.APIKeyEnvVar)
		}
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, mostReply))
	if res.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s answers %s: %s", url, res.Status, cutText(outside.Line(string(reply)), 200))
	}
	return reply, err
}
