package loadgen

// A Portion is the part of a run that one of several workers makes. Which part that
// is follows from numbers alone, so that workers need not ask each other: what
// all of them make together is what one would make. The zero value is the whole.
type Portion struct {
	Worker  int `json:"worker"`  // from 0
	Workers int `json:"workers"` // in all; 0 is as good as 1
}

// Whole reports whether the worker makes all of the run.
func (p Portion) Whole() bool { return p.Workers <= 1 }

// Part returns how many of n things are the worker's that are dealt out one by
// one, such as users, or slots under a ceiling.
func (p Portion) Part(n int) int {
	if p.Whole() {
		return n
	}
	return max(n-p.Worker+p.Workers-1, 0) / p.Workers
}

// Nth returns the number, among all, of the worker's j-th such thing.
func (p Portion) Nth(j int) int {
	if p.Whole() {
		return j
	}
	return p.Worker + j*p.Workers
}

// A Deal says which sessions and requests of a run are a worker's. They are dealt
// out in rounds, each of which begins anew with the first worker.
//
// A round is as long as there are users where users take the sessions, since ten
// users on three workers are four, three and three: sessions in thirds would run
// out for the first while others still have some. Where a schedule starts them a
// round is one session for each worker.
type Deal struct {
	Portion
	Round int // 0 for one of each worker
}

func (d Deal) round() int {
	if d.Round > 0 {
		return d.Round
	}
	return d.Workers
}

// Empty reports whether nothing is the worker's: there are fewer users than
// workers.
func (d Deal) Empty() bool { return !d.Whole() && d.Part(d.round()) == 0 }

// Owns reports whether the i-th of all is the worker's.
func (d Deal) Owns(i int) bool {
	return d.Whole() || d.Owner(i) == d.Worker
}

// Nth returns the number, among all, of the worker's j-th, where the deal is not
// empty.
func (d Deal) Nth(j int) int {
	if d.Whole() {
		return j
	}
	each := d.Part(d.round())
	return j/each*d.round() + d.Portion.Nth(j%each)
}

// Owner returns whose the i-th of all is.
func (d Deal) Owner(i int) int {
	if d.Whole() {
		return 0
	}
	return i % d.round() % d.Workers
}

// Count returns how many of the first n are the worker's.
func (d Deal) Count(n int) int {
	if d.Whole() {
		return n
	}
	return n/d.round()*d.Part(d.round()) + d.Part(n%d.round())
}
