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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/mock/stamps", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the endpoint's stamps: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking for the endpoint's stamps: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for the endpoint's stamps: %s; is it loadgen's simulated endpoint?", resp.Status)
	}
	var stamps []Stamp
	lines := json.NewDecoder(bufio.NewReader(resp.Body))
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
