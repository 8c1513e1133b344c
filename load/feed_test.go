package load_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"loadgen"
	"loadgen/load"
)

func numbered(n int, last error) func() (*loadgen.Session, error) {
	i := 0
	return func() (*loadgen.Session, error) {
		if i == n {
			return nil, last
		}
		i++
		return &loadgen.Session{Index: i - 1}, nil
	}
}

func TestFeedMakesNoMoreThanMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		f := load.StartFeed(t.Context(), func() (*loadgen.Session, error) {
			made++
			return &loadgen.Session{Index: made - 1}, nil
		}, 5)
		if err := f.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if made != 6 { // five wait and one is in hand
			t.Errorf("made %d, want 6", made)
		}
		for i := range 20 {
			if s, _ := f.Take(t.Context()); s.Index != i {
				t.Fatalf("session %d came as number %d", s.Index, i)
			}
		}
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestFeedRestsUntilHalfIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		f := load.StartFeed(t.Context(), func() (*loadgen.Session, error) {
			made++
			return &loadgen.Session{Index: made - 1}, nil
		}, 8)
		if err := f.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		for taken, want := range []int{9, 9, 9, 9, 13, 13, 13, 13, 17} { // made, with the one in hand
			synctest.Wait()
			if made != want {
				t.Errorf("made %d when %d were taken, want %d", made, taken, want)
			}
			if s, waited := f.Take(t.Context()); s.Index != taken || waited {
				t.Errorf("session %d came as number %d, waited %t", s.Index, taken, waited)
			}
		}
		if err := f.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestFeedEnds(t *testing.T) {
	broken := errors.New("line 3 is no JSON")
	for _, tt := range []struct {
		name string
		last error
		want error
	}{
		{"with the dataset", io.EOF, nil},
		{"with an error", broken, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := load.StartFeed(t.Context(), numbered(3, tt.last), 10)
			if err := f.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			n := 0
			for s, _ := f.Take(t.Context()); s != nil; s, _ = f.Take(t.Context()) {
				n++
			}
			if err := f.Stop(); n != 3 || !errors.Is(err, tt.want) {
				t.Errorf("got %d sessions and %v, want 3 and %v", n, err, tt.want)
			}
		})
	}
}
