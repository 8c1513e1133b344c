package client

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// pauseMax is the longest pause that is told: a longer one means never.
const pauseMax = 365 * 24 * time.Hour

// pause returns how long the head asks to be left alone, 0 for not at all: a
// number of seconds, or of milliseconds as OpenAI has it, or a date. A date is
// held against that of the head, since the two clocks may differ.
func (h *response) pause() time.Duration {
	if ms, err := strconv.ParseFloat(string(h.retryAfterMs), 64); err == nil {
		return boundedPause(ms / 1e3)
	}
	said := string(h.retryAfter)
	if seconds, err := strconv.ParseFloat(said, 64); err == nil {
		return boundedPause(seconds)
	}
	until, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(string(h.date))
	if err != nil {
		now = time.Now()
	}
	return boundedPause(until.Sub(now).Seconds())
}

func boundedPause(seconds float64) time.Duration {
	if math.IsNaN(seconds) {
		return 0
	}
	return time.Duration(min(max(seconds, 0), pauseMax.Seconds()) * float64(time.Second))
}

// advice is what the head of a refusal says beside its status, with the text of
// the server's that it quotes; empty where that is nothing.
func (h *response) advice() (format, said string) {
	switch {
	case h.status >= 300 && h.status < 400 && len(h.location) > 0:
		return "redirects to %s, and loadgen follows no redirects: set url and endpoint to where it leads", string(h.location)
	case h.status == http.StatusMethodNotAllowed && len(h.allow) > 0:
		return "the path does not take POST but %s: is the endpoint right?", string(h.allow)
	case h.status == http.StatusMethodNotAllowed:
		return "the path does not take POST: is the endpoint right?%s", ""
	}
	return "", ""
}
