package loadgen_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
)

func TestPortionsByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		deal  loadgen.Deal
		first []int // of the worker's
		of20  int
	}{
		{"alone", loadgen.Deal{}, []int{0, 1, 2, 3, 4}, 20},
		{"one of one", loadgen.Deal{Portion: loadgen.Portion{Workers: 1}, Round: 7}, []int{0, 1, 2, 3, 4}, 20},
		{"a schedule, the last of three", loadgen.Deal{Portion: loadgen.Portion{Worker: 2, Workers: 3}}, []int{2, 5, 8, 11, 14}, 6},
		{"ten users, the first of three has four", loadgen.Deal{Portion: loadgen.Portion{Worker: 0, Workers: 3}, Round: 10}, []int{0, 3, 6, 9, 10, 13}, 8},
		{"ten users, the second of three has three", loadgen.Deal{Portion: loadgen.Portion{Worker: 1, Workers: 3}, Round: 10}, []int{1, 4, 7, 11, 14}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			var first []int
			for j := range c.first {
				first = append(first, c.deal.Nth(j))
			}
			if diff := cmp.Diff(c.first, first); diff != "" {
				t.Error(diff)
			}
			if n := c.deal.Count(20); n != c.of20 {
				t.Errorf("%d of the first 20, want %d", n, c.of20)
			}
		})
	}
}

// Whatever the numbers, each thing is exactly one worker's, and all ways to ask
// for it agree.
func TestPortionsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		of, round, n := 1+rng.IntN(9), 0, rng.IntN(300)
		if rng.IntN(2) == 0 {
			round = of + rng.IntN(20)
		}
		owner, count, parts := make([]int, n), 0, 0
		for w := range of {
			d := loadgen.Deal{Portion: loadgen.Portion{Worker: w, Workers: of}, Round: round}
			count += d.Count(n)
			parts += d.Part(n)
			for j := range d.Count(n) {
				i := d.Nth(j)
				if i >= n || !d.Owns(i) {
					t.Fatalf("%+v: its %d-th is %d of %d, owned: %v", d, j, i, n, d.Owns(i))
				}
				owner[i]++
			}
		}
		if count != n || parts != n {
			t.Fatalf("%d workers, rounds of %d: counts add up to %d and parts to %d, want %d", of, round, count, parts, n)
		}
		for i, owners := range owner {
			if owners != 1 {
				t.Fatalf("%d workers, rounds of %d: %d has %d owners", of, round, i, owners)
			}
		}
	}
}
