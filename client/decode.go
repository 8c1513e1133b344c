package client

import (
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"loadgen"
)

// codings undo the content codings that a user may ask for. None reads ahead of
// what it needs, so that what a server flushes comes out when it arrives.
var codings = map[string]func(io.Reader) (io.ReadCloser, error){
	"gzip":   unzip,
	"x-gzip": unzip,
	"br":     func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil },
	"zstd": func(r io.Reader) (io.ReadCloser, error) {
		const window = 8 << 20 // the most that RFC 9659 lets a server use
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

func unzip(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }

// askedCodings reads an Accept-Encoding header. A coding that could not be
// undone is an error.
func askedCodings(header string) ([]string, error) {
	var asked []string
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if q, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q="); found {
			if x, err := strconv.ParseFloat(q, 64); err == nil && x == 0 {
				continue // not wanted
			}
		}
		switch {
		case name == "" || name == "identity":
		case codings[name] == nil:
			return nil, invalid("header Accept-Encoding asks for %q, which loadgen cannot decode: name gzip, zstd, br or identity", name)
		default:
			asked = append(asked, name)
		}
	}
	return asked, nil
}

// A decoder undoes the coding of one body. Libraries pull their bytes from a
// reader, while the pieces of a body are pushed in as they arrive; hence the
// library runs as a coroutine that is resumed with each piece and rests where it
// wants more.
type decoder struct {
	in    []byte // of the piece at hand, what was not read yet
	ended bool   // no piece follows
	next  func() ([]byte, bool)
	stop  func()
	yield func([]byte) bool
	size  int   // of what has come out
	err   error // how the library ended
}

var errAbandoned = errors.New("no more of the reply is wanted")

func newDecoder(open func(io.Reader) (io.ReadCloser, error)) *decoder {
	d := &decoder{}
	d.next, d.stop = iter.Pull(func(yield func([]byte) bool) {
		d.yield = yield
		r, err := open(d)
		if err == nil {
			defer r.Close()
		}
		buffer := make([]byte, readBuffer)
		for err == nil {
			var n int
			if n, err = r.Read(buffer); n > 0 && !yield(buffer[:n]) {
				return
			}
		}
		d.err = err
	})
	return d
}

// Read gives the library what there is of the piece at hand, and rests where
// there is nothing.
func (d *decoder) Read(p []byte) (int, error) {
	for len(d.in) == 0 {
		if d.ended {
			return 0, io.EOF
		}
		if !d.yield(nil) {
			return 0, errAbandoned
		}
	}
	n := copy(p, d.in)
	d.in = d.in[n:]
	return n, nil
}

// decode takes in the next piece of an encoded body.
func (r *reply) decode(p []byte) {
	d := r.decoder
	for d.in = p; !r.ended(); {
		out, more := d.next()
		switch {
		case !more && d.err != nil && d.err != io.EOF:
			r.undecodable(d.err)
			return
		case !more || out == nil:
			return
		}
		if d.size += len(out); d.size > maxDecoded {
			r.fault = faultf(loadgen.FailBadStream, "the encoded reply is longer than %d bytes", maxDecoded)
			return
		}
		r.accept(out)
	}
}

// maxDecoded bounds what a small body may grow to, whatever it consists of.
const maxDecoded = 1 << 30

// decoded ends the decoder. complete says that the body has come as a whole.
func (r *reply) decoded(complete bool) {
	d := r.decoder
	if complete {
		d.ended = true
		r.decode(nil)
	}
	d.stop()
	r.decoder = nil
}

func (r *reply) undecodable(err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		r.fault = faultf(loadgen.FailStreamCut, "the encoded reply ends early")
		return
	}
	r.fault = faultf(loadgen.FailBadStream, "the reply cannot be decoded: %v", err)
}
