package fleet

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"loadgen"
)

// TestWhatWasKeptComesHome has a worker join a batch that goes on: the spool of a
// run of it is put beside that, and any other stays where it is.
func TestWhatWasKeptComesHome(t *testing.T) {
	k := coordinated(t, 1)
	batch, spools := t.TempDir(), t.TempDir()
	k.Resumed = slashed(batch)
	if err := os.Mkdir(filepath.Join(batch, "run"), 0o777); err != nil {
		t.Fatal(err)
	}
	var want []byte
	for name, dir := range map[string]string{
		"worker-3-ABC-1.spool": filepath.Join(batch, "run"),
		"worker-4-DEF-1.spool": t.TempDir(),
		"worker-5-GHI-1.spool": filepath.Join(batch, "gone"),
		"worker-6-JKL-1.spool": batch + "/..",
	} {
		s, err := newSpool(filepath.Join(spools, name), slashed(dir))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1500 {
			if i == 100 { // by now these are home
				s.flush(i)
				s.shed.marks = []shedMark{{s.size, time.Now().Add(-shedAfter)}}
				s.ack(s.size)
			}
			s.add(&loadgen.Record{Index: i, Start: time.Now(), Request: &loadgen.Request{ID: "id", Session: "session_000001"}, Chunks: make([]loadgen.Chunk, 200)})
		}
		s.flush(1500)
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if name == "worker-3-ABC-1.spool" {
			want, _ = os.ReadFile(filepath.Join(spools, name))
		}
	}
	w := &worker{WorkerConfig: WorkerConfig{Spools: spools, Log: slog.New(slog.DiscardHandler)}, began: time.Now(), conn: k.conn, seat: k.seat(0)}
	w.bringLeft(t.Context(), k.Resumed)
	got, err := os.ReadFile(filepath.Join(batch, "run", SpoolDir, "worker-3.spool"))
	if err != nil || !bytes.Equal(got, want) || len(want) < 2*pieceSize {
		t.Errorf("%d bytes came home, want %d: %v", len(got), len(want), err)
	}
	kept, _ := filepath.Glob(filepath.Join(spools, "*"))
	for i := range kept {
		kept[i] = filepath.Base(kept[i])
	}
	if !slices.Equal(kept, []string{"worker-4-DEF-1.spool", "worker-5-GHI-1.spool", "worker-6-JKL-1.spool"}) {
		t.Errorf("%v stay, want all but that of worker 3", kept)
	}
	// The answer to the last piece may get lost.
	if err := k.write(piece{Run: "run", Worker: 3, At: 2 * pieceSize, Data: []byte("again"), Last: true}); err != nil {
		t.Errorf("the last piece again: %v", err)
	}
	if again, _ := os.ReadFile(filepath.Join(batch, "run", SpoolDir, "worker-3.spool")); !bytes.Equal(again, want) {
		t.Error("the last piece, told again, has changed what was there")
	}
	k.mustered = true
	if err := k.write(piece{Run: "run", Worker: 7}); err == nil {
		t.Error("a piece was taken when the batch had gone on")
	}
}
