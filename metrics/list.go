package metrics

import "iter"

// blockLen is how many values a list takes memory for at a time: a page of
// numbers.
const blockLen = 512

// A list grows by blocks, so that what it holds is never copied and no more
// memory is touched than it needs: a run adds to many lists with every request
// and cannot wait for one of them to move. The zero value is empty.
type list[T any] struct {
	full [][]T // blocks
	tail []T   // the last block
}

// add appends a value and reports whether it filled a block.
func (l *list[T]) add(v T) bool {
	if len(l.tail) == cap(l.tail) {
		if l.tail != nil {
			l.full = append(l.full, l.tail)
		}
		l.tail = make([]T, 0, blockLen)
	}
	l.tail = append(l.tail, v)
	return len(l.tail) == blockLen
}

func (l *list[T]) len() int { return len(l.full)*blockLen + len(l.tail) }

// all yields the values in order.
func (l *list[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, b := range l.full {
			for _, v := range b {
				if !yield(v) {
					return
				}
			}
		}
		for _, v := range l.tail {
			if !yield(v) {
				return
			}
		}
	}
}
