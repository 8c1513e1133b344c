package client

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"loadgen"
)

// A fault is an error whose kind of failure is known where it happens.
type fault struct {
	kind loadgen.FailureKind
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// faultf tells what happened. Arguments that are texts came from outside: what
// of them is ours is an own.
func faultf(kind loadgen.FailureKind, format string, args ...any) error {
	for i, arg := range args {
		if b, ok := arg.([]byte); ok { // of a buffer that is used again
			args[i] = string(b)
		}
	}
	return &fault{kind, &words{format, args}}
}

// errTimeout is the cause of a context that ends because the request's time
// is up, as opposed to one that the caller ended.
var errTimeout = errors.New("request timeout")

// statusKind says how a status other than 2xx failed.
func statusKind(status int) loadgen.FailureKind {
	switch {
	case status == 429:
		return loadgen.FailRateLimited
	case status >= 500:
		return loadgen.FailHTTP5xx
	}
	return loadgen.FailHTTP4xx
}

// failureKind names what went wrong. Whose end it was comes first: a read that
// breaks because the caller gave up says nothing about the server.
func failureKind(ctx context.Context, err error) loadgen.FailureKind {
	var f *fault
	switch {
	case ctx.Err() != nil:
		return loadgen.FailCancelled
	case timedOut(err):
		return loadgen.FailTimeout
	case shortage(err) != "":
		return loadgen.FailLocal
	case errors.As(err, &f):
		return f.kind
	case broken(err):
		return loadgen.FailStreamCut
	}
	return loadgen.FailBadStream
}

func timedOut(err error) bool {
	return errors.Is(err, errTimeout) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// broken reports whether err is the end of a connection, or of a stream on it,
// rather than a breach of the protocol. A wait that this side has ended says
// nothing of the connection, although net wraps it in the same type.
func broken(err error) bool {
	if timedOut(err) || errors.Is(err, context.Canceled) {
		return false
	}
	var op *net.OpError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &op) {
		return true
	}
	// net/http keeps the types of these to itself.
	for _, said := range []string{
		"server closed idle connection", "stream error:",
		"http2: server sent GOAWAY", "http2: client connection lost",
	} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}
