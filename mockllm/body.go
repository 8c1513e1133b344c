package mockllm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	// maxBody bounds a request's body: several million tokens.
	maxBody = 32 << 20
	// maxBodies bounds the bodies of all requests that are being received or
	// wait for their prompt to be read.
	maxBodies = 256 << 20
	// firstPiece is what is made room for before a byte has come, whatever the
	// request promises.
	firstPiece = 64 << 10
)

var (
	errBodyTooLong = errors.New("body too long")
	errNoRoom      = errors.New("no room for another body")
)

// A room counts the bytes of bodies that are held.
type room struct{ held atomic.Int64 }

func (r *room) take(n int) bool {
	if r.held.Add(int64(n)) > maxBodies {
		r.held.Add(-int64(n))
		return false
	}
	return true
}

func (r *room) free(n int) { r.held.Add(-int64(n)) }

// readBody reads a request's body to its end, as far as there is room: it grows
// with what arrives, not with what is promised. progress is called with each
// piece. The caller frees the capacity of what is returned, with an error too.
func (r *room) readBody(q *http.Request, progress func()) ([]byte, error) {
	if q.ContentLength > maxBody {
		return nil, errBodyTooLong
	}
	var body []byte
	for {
		if len(body) == cap(body) {
			size := max(2*cap(body), firstPiece)
			if n := q.ContentLength; n >= 0 && (n <= firstPiece || int(n) < size) {
				size = max(int(n), cap(body)) + 1 // the last byte is there to see the end
			}
			switch {
			case len(body) > maxBody:
				return body, errBodyTooLong
			case !r.take(size - cap(body)):
				return body, errNoRoom
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := q.Body.Read(body[len(body):cap(body)])
		if n > 0 {
			progress()
		}
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		}
	}
}

// unreadable returns the status and the words for a body that was not read to
// its end; 0 where the client has gone.
func unreadable(err error) (status int, body []byte) {
	switch {
	case errors.Is(err, errBodyTooLong):
		status = http.StatusRequestEntityTooLarge
		body = errorBody(status, "body_too_long", fmt.Sprintf("The body is longer than %d bytes.", maxBody))
	case errors.Is(err, errNoRoom):
		status = http.StatusServiceUnavailable
		body = errorBody(status, "no_room", fmt.Sprintf("The bodies being received take more than %d bytes.", maxBodies))
	}
	return status, body
}
