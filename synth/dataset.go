package synth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxFaults is how many bad entries are reported before a file is given up.
const maxFaults = 20

// A dataset reads the entries of a file, one after another.
type dataset struct {
	name  string
	spec  Spec
	file  *os.File
	items itemReader

	entries int             // in the file
	times   []time.Duration // when each is due since the first, empty where the file does not say
	offsets []int64         // of the entries of a random pool
	line    *bufio.Reader   // for one of those
	unread  unread          // keys

	taken int
}

// openDataset opens a file and reads it through: every bad entry is reported,
// up to a number.
func openDataset(spec Spec) (*dataset, error) {
	file, err := openRegular(spec.File)
	if err != nil {
		return nil, fmt.Errorf("opening the dataset: %w", err)
	}
	d := &dataset{name: spec.File, spec: spec, file: file, line: bufio.NewReader(file), unread: unread{}}
	if err := d.survey(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the dataset: %w", err), file.Close())
	}
	return d, nil
}

// survey reads the whole file for its faults, the number of its entries and
// their times, and goes back to its beginning.
func (d *dataset) survey() error {
	if err := d.rewind(); err != nil {
		return err
	}
	var faults []error
	var due time.Duration
	for len(faults) < maxFaults {
		it, err := d.items.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			// The reader cannot go on behind it.
			return errors.Join(append(faults, d.fault(it, err))...)
		}
		e, err := d.parse(it)
		if errors.Is(err, errUnusable) {
			continue
		}
		timed := false
		if err == nil {
			if due, timed, err = e.due(due); err != nil {
				err = d.fault(it, err)
			}
		}
		if errors.Is(err, errCutLine) && d.entries == 0 && len(faults) == 0 {
			// All lines of a file that is spread out would say the same.
			return errors.Join(append(faults, err)...)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		d.unread.add(d.spec.Format, it)
		d.entries++
		if timed {
			d.times = append(d.times, due)
		}
		if d.spec.Format == RandomPool {
			d.offsets = append(d.offsets, it.offset)
		}
	}
	switch {
	case len(faults) == maxFaults:
		faults = append(faults, fmt.Errorf("%s: reading stopped here, there may be more faults", d.name))
	case len(faults) > 0:
	case d.entries == 0:
		faults = append(faults, fmt.Errorf("%s: there is no entry of type %s in it", d.name, d.spec.Format))
	case len(d.times) > 0 && len(d.times) < d.entries:
		faults = append(faults, fmt.Errorf("%s: %d of %d entries say when they are due; let all of them, or none", d.name, len(d.times), d.entries))
	}
	if len(d.times) > 0 {
		for first, i := d.times[0], 0; i < len(d.times); i++ {
			d.times[i] -= first
		}
	}
	return errors.Join(append(faults, d.rewind())...)
}

func (d *dataset) parse(it item) (entry, error) {
	if at, err := checkText(it.json); err != nil {
		it.line += bytes.Count(it.json[:at], []byte("\n"))
		return entry{}, d.fault(it, err)
	}
	e, err := d.spec.parse(it.json)
	if err != nil {
		err = d.fault(it, err)
	}
	return e, err
}

func (d *dataset) fault(it item, err error) error {
	return fmt.Errorf("%s:%d: %w", d.name, it.line, err)
}

func (d *dataset) rewind() error {
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var err error
	if d.items, err = newItemReader(d.spec.Format, d.file, maxEntry); err != nil {
		return d.fault(item{line: 1}, err)
	}
	return nil
}

// next returns the next entry and whether it was taken before; io.EOF where
// there is none.
func (d *dataset) next() (e entry, reused bool, err error) {
	round, position := d.taken/d.entries, d.taken%d.entries
	if round > 0 && !d.spec.Wrap {
		return entry{}, false, io.EOF
	}
	if d.offsets != nil {
		e, err = d.pick(round, position)
	} else {
		e, err = d.read(round > 0 && position == 0)
	}
	if err != nil {
		return entry{}, false, fmt.Errorf("reading the dataset: %w", err)
	}
	d.taken++
	return e, round > 0, nil
}

// read returns the next usable entry of the file.
func (d *dataset) read(again bool) (entry, error) {
	if again {
		if err := d.rewind(); err != nil {
			return entry{}, err
		}
	}
	for {
		it, err := d.items.next()
		if err == io.EOF {
			err = errors.New("the file has become shorter since it was checked")
		}
		if err != nil {
			return entry{}, d.fault(it, err)
		}
		e, err := d.parse(it)
		if !errors.Is(err, errUnusable) {
			return e, err
		}
	}
}

// pick reads the entry of a random pool whose turn it is. Each round takes all
// of them, in another order.
func (d *dataset) pick(round, position int) (entry, error) {
	if position == 0 {
		rng := d.spec.Seed.Stream("dataset.order").At(round)
		shuffle(&rng, d.offsets)
	}
	at := d.offsets[position]
	if _, err := d.file.Seek(at, io.SeekStart); err != nil {
		return entry{}, err
	}
	d.line.Reset(d.file)
	var raw json.RawMessage // on a line, or of an array
	err := json.NewDecoder(io.LimitReader(d.line, maxEntry)).Decode(&raw)
	var e entry
	if err == nil {
		e, err = d.spec.parse(raw)
	}
	if err != nil {
		err = fmt.Errorf("%s: the entry at byte %d: %w", d.name, at, err)
	}
	return e, err
}

func (d *dataset) close() error { return d.file.Close() }
