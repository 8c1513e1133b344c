package client

import (
	"context"
	"time"

	"loadgen"
)

// An engine carries one request and pushes what comes back into the reply. It
// returns nil for a success. Any number of goroutines may use it at once.
type engine interface {
	send(ctx context.Context, r *reply) error
	// close ends the connections that are idle. It is called after the last
	// send has returned.
	close()
}

// drainTime is how long the end of a body may take after [DONE] before the
// connection is given up instead of waited for.
const drainTime = 100 * time.Millisecond

// raceTime bounds when a connection that dies unanswered is put down to the
// server's keep-alive timer having raced with the request. The connection's end
// is then on its way when the request is, or is what the request meets with: it
// is here a round trip later, and to dial took about as long. What is allowed
// beyond that is for a busy machine at either end, not for a server that has
// had the request and dies of it: to send that again would double its load and
// hide the failure.
func raceTime(dial time.Duration) time.Duration {
	const spare, most = 200 * time.Millisecond, time.Second
	return min(3*dial+spare, most)
}

// lost reports whether a request that had err failed because the server had
// closed the connection while it was idle: the connection had carried a request
// before, not a byte was answered, and now, since Record.Start, it is not long
// since the request was written. dial is how long the connection took to dial.
func lost(err error, conn *loadgen.Conn, answered bool, now, dial time.Duration) bool {
	return conn.Reused && !answered && broken(err) && now-conn.Wrote < raceTime(dial)
}
