package results_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"loadgen/results"
)

// shortest is the text of a number by the standard library's search.
func shortest(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func TestANumberIsTheShortestTextThatReadsBack(t *testing.T) {
	check := func(v float64) {
		for _, v := range []float64{v, -v, math.Nextafter(v, math.Inf(1)), math.Nextafter(v, 0)} {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				continue
			}
			if got := string(results.AppendNumber(nil, v, false)); got != shortest(v) {
				t.Fatalf("%b is %s, not %s", v, shortest(v), got)
			}
		}
	}
	for _, v := range []float64{0, 0.1, 0.3, 1. / 3, 1e-6, 1.5e-6, 0.999999, 0.9999995, 99.999999, 123.456789, 1 << 53, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		check(v)
	}
	for e := -25; e < 25; e++ {
		for _, m := range []float64{1, 9, 1.5, 9.99999, 9.99999999999999} {
			check(m * math.Pow10(e))
		}
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 50_000 {
		n := rng.Uint64() >> rng.IntN(64)
		check(float64(int64(n>>1)) / 1e6)           // whole nanoseconds in ms
		check(float64(n%1e15+5)/1e6 - 1e-6)         // and what is next to them
		check(float64(n%100_000) / 1e3)             // few digits
		check(float64(n%1000) / float64(n%997+1))   // quotients
		check(math.Float64frombits(rng.Uint64()))   // anything
		check(rng.ExpFloat64() * 100)               // what metrics look like
		check(math.Round(rng.Float64()*1e15) / 1e6) // up to the limit of 15 digits
	}
}

func TestAnIntegerIsItsDigits(t *testing.T) {
	check := func(v int64) {
		for _, v := range []int64{v - 1, v, v + 1, -v} {
			if got := string(results.AppendInt([]byte("x"), v)); got != "x"+strconv.FormatInt(v, 10) {
				t.Fatalf("%d is written %s", v, got)
			}
			if got := string(results.AppendNumber(nil, float64(v), true)); math.Abs(float64(v)) < 1<<53 && got != strconv.FormatInt(v, 10) {
				t.Fatalf("%d as a float is written %s", v, got)
			}
		}
	}
	for p := int64(1); p <= 1e18 && p > 0; p *= 10 {
		for d := range int64(10) {
			check(p * d)
		}
	}
	check(math.MaxInt64)
	check(math.MinInt64)
	for i := range int64(10_000) { // every value of both halves of eight digits
		check(i*10_000 + i)
		check(i*10_000 + 9999 - i)
	}
	rng := rand.New(rand.NewPCG(9, 10))
	for range 50_000 {
		check(int64(rng.Uint64() >> rng.IntN(64)))
	}
}

func TestMillisecondsAreExactToTheNanosecond(t *testing.T) {
	check := func(d time.Duration) {
		want := fmt.Sprintf("%d.%06d", d.Abs()/time.Millisecond, d.Abs()%time.Millisecond)
		want = strings.TrimRight(strings.TrimRight(want, "0"), ".")
		if d < 0 {
			want = "-" + want
		}
		if got := string(results.AppendMillis(nil, d)); got != want {
			t.Fatalf("%d ns are %s ms, not %s", d, want, got)
		}
	}
	for _, d := range []time.Duration{0, 1, 10, 999_999, 1e6, 1e6 + 1, 9_999_999, 1e7, 1e7 + 10, 99_999_999, 1e8, 1e8 + 100, math.MaxInt64} {
		check(d)
		check(-d)
	}
	rng := rand.New(rand.NewPCG(11, 12))
	for range 50_000 {
		check(time.Duration(rng.Uint64() >> rng.IntN(64)))
	}
}
