package client_test

import (
	"testing"

	"loadgen"
	"loadgen/client"
)

// TestVersionsOfHTTP holds both engines to the versions that a connection
// without TLS speaks: what net/http reads beyond them is no success.
func TestVersionsOfHTTP(t *testing.T) {
	const rest = " 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" +
		`data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	tests := []struct {
		version string
		want    loadgen.FailureKind
	}{
		{"HTTP/1.0", ""},
		{"HTTP/1.1", ""},
		{"HTTP/0.0", loadgen.FailBadStream},
		{"HTTP/0.9", loadgen.FailBadStream},
		{"HTTP/1.2", loadgen.FailBadStream},
		{"HTTP/2.0", loadgen.FailBadStream},
		{"HTTP/3.0", loadgen.FailBadStream},
	}
	for _, tt := range tests {
		for _, engine := range engines {
			t.Run(tt.version+"/"+string(engine), func(t *testing.T) {
				s := newStage(t, client.Config{Engine: engine, Streaming: true}, true)
				defer s.close()
				var got loadgen.FailureKind
				if rec := s.answer(t, []byte(tt.version+rest)); rec.Failure != nil {
					got = rec.Failure.Kind
				}
				if got != tt.want {
					t.Errorf("failure %q, want %q", got, tt.want)
				}
			})
		}
	}
}
