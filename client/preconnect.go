package client

import (
	"context"
	"errors"
	"time"

	"loadgen"
)

// Connect opens a connection and keeps it for a request to come, so that none
// waits for it, and reports whether it could be kept: net/http opens its
// connections itself, when it has a request for them.
//
// Opening takes no longer than a request may. The error is that of the dial or
// the handshake, free of secrets.
func (c *Client) Connect(ctx context.Context) (kept bool, err error) {
	e, ok := c.engine.(*raw)
	if !ok {
		return false, nil
	}
	rec := &loadgen.Record{Start: time.Now()}
	conn, err := e.dial(ctx, rec)
	if err != nil {
		return false, errors.New(c.failure(ctx, rec, err).Message)
	}
	e.put(conn)
	return true, nil
}
