package results

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// appendNumber appends the shortest text that reads back as v; an integer
// stays one.
func appendNumber(b []byte, v float64, integer bool) []byte {
	if integer && v == math.Trunc(v) && math.Abs(v) < 1<<63 {
		return appendInt(b, int64(v))
	}
	if n, ok := millionths(v); ok {
		return appendMillionths(b, n)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// millionths returns the whole number of millionths that reads as v, which
// there is for all times in milliseconds. Its text is then the shortest one:
// two different decimals of at most 15 digits are never the same float64, so
// none that is as short or shorter reads as v. A search for the shortest text,
// which strconv makes, takes many times as long.
func millionths(v float64) (n int64, ok bool) {
	scaled := v * 1e6
	if math.Abs(scaled) >= 1e15 {
		return 0, false
	}
	n = int64(math.RoundToEven(scaled))
	return n, float64(n)/1e6 == v && (n != 0 || !math.Signbit(v))
}

// appendMillis appends a time in milliseconds, exact to the nanosecond.
func appendMillis(b []byte, d time.Duration) []byte { return appendMillionths(b, int64(d)) }

// appendMillionths appends n/10⁶ without trailing zeros.
func appendMillionths(b []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	if u < 1e8 { // as most are, in milliseconds: all digits at once
		digits := eightDigits(uint32(u))
		if u < 1e7 {
			b = append(b, byte(digits>>8))
		} else {
			b = append(b, byte(digits), byte(digits>>8))
		}
		return appendFraction(b, digits>>16|(eightZeros&0xffff)<<48)
	}
	b = appendUint(b, u/1e6)
	return appendFraction(b, eightDigits(uint32(u%1e6)*100))
}

// appendFraction appends digits behind a point without trailing zeros; nothing
// where all are zeros.
func appendFraction(b []byte, digits uint64) []byte {
	if digits == eightZeros {
		return b
	}
	b = append(b, '.')
	return appendBytes(b, digits, 8-bits.LeadingZeros64(digits-eightZeros)/8)
}

func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return appendUint(append(b, '-'), -uint64(v))
	}
	return appendUint(b, uint64(v))
}

func appendUint(b []byte, u uint64) []byte {
	const e8, e16 = 1e8, 1e16
	if u < e8 {
		return appendLeading(b, uint32(u))
	}
	if u < e16 {
		b = appendLeading(b, uint32(u/e8))
	} else {
		b = appendLeading(b, uint32(u/e16))
		b = appendBytes(b, eightDigits(uint32(u/e8%e8)), 8)
	}
	return appendBytes(b, eightDigits(uint32(u%e8)), 8)
}

// appendLeading appends a number below 10⁸. Up to three digits, as most numbers
// have, are found sooner one by one.
func appendLeading(b []byte, u uint32) []byte {
	switch {
	case u < 10:
		return append(b, byte('0'+u))
	case u < 100:
		return append(b, byte('0'+u/10), byte('0'+u%10))
	case u < 1000:
		return append(b, byte('0'+u/100), byte('0'+u/10%10), byte('0'+u%10))
	}
	digits := eightDigits(u)
	zeros := bits.TrailingZeros64(digits-eightZeros) &^ 7
	return appendBytes(b, digits>>zeros, 8-zeros/8)
}

// appendBytes appends the first n of eight bytes, the lowest first.
func appendBytes(b []byte, eight uint64, n int) []byte {
	if cap(b)-len(b) < 8 {
		b = slices.Grow(b, 8)
	}
	binary.LittleEndian.PutUint64(b[len(b):len(b)+8], eight)
	return b[:len(b)+n]
}

const eightZeros = 0x3030303030303030 // "00000000"

// eightDigits returns the digits of a number below 10⁸, with leading zeros,
// the first in the lowest byte. All are found at once: halves of four digits
// in lanes of 32 bits, then pairs in lanes of 16, then digits in bytes. In
// each step a lane x becomes x/k and, in the upper half, x%k; x·⌈2ᵐ/k⌉/2ᵐ is
// x/k for all x of that many digits.
func eightDigits(u uint32) uint64 {
	halves := uint64(u/10_000) | uint64(u%10_000)<<32
	hundreds := halves * 10_486 >> 20 & 0x0000007f_0000007f
	pairs := hundreds | (halves-100*hundreds)<<16
	tens := pairs * 103 >> 10 & 0x000f_000f_000f_000f
	return eightZeros + (tens | (pairs-10*tens)<<8)
}
