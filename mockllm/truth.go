package mockllm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// FetchStamps asks a running endpoint for its stamps, the oldest first. The
// endpoint must record them: see Config.Stamps.
func FetchStamps(ctx context.Context, url string) ([]Stamp, error) {
	body, err := visit(ctx, http.MethodGet, url)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var stamps []Stamp
	lines := json.NewDecoder(bufio.NewReader(body))
	for {
		var s Stamp
		switch err := lines.Decode(&s); {
		case errors.Is(err, io.EOF):
			return stamps, nil
		case err != nil:
			return nil, fmt.Errorf("reading the endpoint's stamps: %w", err)
		}
		stamps = append(stamps, s)
	}
}

// ClearStamps lets a running endpoint forget its stamps.
func ClearStamps(ctx context.Context, url string) error {
	body, err := visit(ctx, http.MethodDelete, url)
	if err != nil {
		return err
	}
	return body.Close()
}

func visit(ctx context.Context, method, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, url+"/mock/stamps", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the endpoint's stamps: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for the endpoint's stamps: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("asking for the endpoint's stamps: %s; is it loadgen's simulated endpoint?", resp.Status)
	}
	return resp.Body, nil
}
