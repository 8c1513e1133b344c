package synth

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxEntry bounds one entry of a dataset, and with it the memory of reading
// one, in bytes.
const maxEntry = 64 << 20

// A longEntry is the error for an entry of more bytes than it says.
type longEntry int64

func (most longEntry) Error() string {
	return fmt.Sprintf("the entry is longer than %d bytes", int64(most))
}

// An item is one entry of a dataset file. Its bytes are valid until the next
// one is read.
type item struct {
	json   []byte
	line   int   // on which it begins, from 1
	offset int64 // at which it begins, in bytes
}

// An itemReader yields the entries of a file, and io.EOF behind the last one.
// After another error it cannot go on; the item then says where it was.
type itemReader interface{ next() (item, error) }

// newItemReader looks at the beginning of a file to tell lines from an array,
// which an object can hold under the key "data" where the format is that of
// inputs.json. No entry may have more bytes than most.
func newItemReader(f Format, r io.Reader, most int64) (itemReader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, _ := buffered.Peek(buffered.Size()) // what is wrong with reading shows when it is read
	if err := sniff(head); err != nil {
		return nil, err
	}
	mark := 0
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		mark, head = 3, head[3:]
		if _, err := buffered.Discard(mark); err != nil {
			return nil, err
		}
	}
	switch {
	case f == InputsJSON:
		return newArrayReader(buffered, int64(mark), most, "data"), nil
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("[")):
		return newArrayReader(buffered, int64(mark), most, ""), nil
	}
	return &lineReader{r: buffered, most: most, offset: int64(mark)}, nil
}

// A lineReader reads JSON lines. Empty ones are passed over.
type lineReader struct {
	r      *bufio.Reader
	most   int64 // bytes of a line
	line   int
	offset int64
	long   []byte // a line that the buffer could not hold
}

func (l *lineReader) next() (item, error) {
	for {
		it := item{line: l.line + 1, offset: l.offset}
		var err error
		it.json, err = l.read()
		if err != nil && (err != io.EOF || len(it.json) == 0) {
			return it, err
		}
		l.line++
		l.offset += int64(len(it.json))
		if it.json = bytes.TrimSpace(it.json); len(it.json) > 0 {
			return it, nil
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	part, err := l.r.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return part, err
	}
	l.long = l.long[:0]
	for err == bufio.ErrBufferFull {
		l.long = append(l.long, part...)
		if int64(len(l.long)) > l.most {
			return nil, longEntry(l.most)
		}
		part, err = l.r.ReadSlice('\n')
	}
	l.long = append(l.long, part...)
	return l.long, err
}

// An arrayReader reads the elements of a JSON array without holding more than
// one of them. The array is all that the file consists of, or the value of a key
// of the object that it consists of.
type arrayReader struct {
	src    *countingReader
	dec    *json.Decoder
	raw    json.RawMessage
	key    string
	before int64 // bytes of the file before what src reads
	opened bool
}

func newArrayReader(r io.Reader, before, most int64, key string) *arrayReader {
	src := &countingReader{r: r, line: 1, most: most, end: most}
	return &arrayReader{src: src, dec: json.NewDecoder(src), key: key, before: before}
}

// open goes to the beginning of the array.
func (a *arrayReader) open() error {
	a.opened = true
	if a.key != "" {
		if err := a.expect('{'); err != nil {
			return err
		}
		if found, err := a.find(a.key); err != nil || !found {
			return cmp.Or(err, fmt.Errorf("the object has no key %q", a.key))
		}
	}
	return a.expect('[')
}

// find goes on to the value of a key of the object being read; false where the
// object ends before.
func (a *arrayReader) find(key string) (found bool, err error) {
	for {
		name, err := a.dec.Token()
		if err != nil {
			return false, a.fault(err)
		}
		if name == key || name == json.Delim('}') {
			return name == key, nil
		}
		if err := a.dec.Decode(&a.raw); err != nil {
			return false, a.fault(err)
		}
		a.src.end = a.dec.InputOffset() + a.src.most
	}
}

// close reads on behind the array to the end of the file, where nothing may be
// left that was not read; then it returns io.EOF.
func (a *arrayReader) close() error {
	if a.key != "" {
		if again, err := a.find(a.key); err != nil || again {
			return cmp.Or(err, fmt.Errorf("the key %q stands twice", a.key))
		}
	}
	_, err := a.dec.Token()
	switch {
	case err == nil:
		return errors.New("there is more behind the end of its JSON")
	case err != io.EOF:
		return fmt.Errorf("there is more behind the end of its JSON: %w", err)
	}
	return io.EOF
}

func (a *arrayReader) expect(want json.Delim) error {
	got, err := a.dec.Token()
	if err != nil {
		return a.fault(err)
	}
	if got != want {
		return fmt.Errorf("it begins with %v where a %v belongs", got, want)
	}
	return nil
}

func (a *arrayReader) fault(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("the file ends before its JSON does")
	}
	return err
}

func (a *arrayReader) next() (item, error) {
	a.src.end = a.dec.InputOffset() + a.src.most
	if !a.opened {
		if err := a.open(); err != nil {
			return a.here(), err
		}
	}
	if !a.dec.More() {
		// More is also false when reading failed: the closing bracket tells.
		end, err := a.dec.Token()
		switch {
		case err != nil:
			return a.here(), a.fault(err)
		case end != json.Delim(']'):
			return a.here(), fmt.Errorf("a %v stands where the array should end", end)
		}
		if err := a.close(); err != io.EOF {
			return a.here(), err
		}
		return item{}, io.EOF
	}
	if err := a.dec.Decode(&a.raw); err != nil {
		return a.here(), a.fault(err)
	}
	offset := a.dec.InputOffset() - int64(len(a.raw))
	return item{json: a.raw, line: a.src.lineAt(offset), offset: a.before + offset}, nil
}

// here is an item without contents, to say where reading ended: at the next
// byte that is neither space nor comma.
func (a *arrayReader) here() item {
	offset := a.dec.InputOffset()
	ahead, _ := io.ReadAll(a.dec.Buffered()) // reads memory, which does not fail
	offset += int64(len(ahead) - len(bytes.TrimLeft(ahead, " \t\r\n,")))
	return item{line: a.src.lineAt(offset), offset: a.before + offset}
}

// A countingReader knows on which line each byte lies that was read ahead, and
// stops a reader that reads too far.
type countingReader struct {
	r        io.Reader
	offset   int64
	most     int64   // bytes of an entry
	end      int64   // no reading beyond it
	line     int     // of the last position asked for
	newlines []int64 // offsets of line ends behind that position
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.offset >= c.end {
		return 0, longEntry(c.most)
	}
	n, err := c.r.Read(p)
	for i := 0; i < n; i++ {
		at := bytes.IndexByte(p[i:n], '\n')
		if at < 0 {
			break
		}
		i += at
		c.newlines = append(c.newlines, c.offset+int64(i))
	}
	c.offset += int64(n)
	return n, err
}

// lineAt returns the line of an offset that is not before the last one asked
// for.
func (c *countingReader) lineAt(offset int64) int {
	passed := 0
	for passed < len(c.newlines) && c.newlines[passed] < offset {
		passed++
	}
	c.line += passed
	c.newlines = append(c.newlines[:0], c.newlines[passed:]...)
	return c.line
}
