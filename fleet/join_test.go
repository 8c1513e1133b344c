package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/runner"
)

func TestWhoMayJoin(t *testing.T) {
	there := hello{Protocol: protocol, Version: "1.0", Index: 1, Host: "there", Key: newKey()}
	for name, c := range map[string]struct {
		hello
		index   int
		refused string
	}{
		"any":                         {hello{Protocol: protocol, Version: "1.0", Index: -1, Key: newKey()}, 0, ""},
		"of an index":                 {hello{Protocol: protocol, Version: "1.0", Index: 2, Key: newKey()}, 2, ""},
		"who did not hear the answer": {there, 1, ""},
		"of an index that is there":   {hello{Protocol: protocol, Version: "1.0", Index: 1, Key: newKey()}, 0, "worker 1 is there already, on there"},
		"of an index that is none":    {hello{Protocol: protocol, Version: "1.0", Index: 3, Key: newKey()}, 0, "worker 3 of 3, counted from 0"},
		"of another version":          {hello{Protocol: protocol, Version: "1.1", Index: -1, Key: newKey()}, 0, "it is loadgen 1.1, the coordinator is 1.0"},
		"of another protocol":         {hello{Protocol: protocol + 1, Version: "1.0", Index: -1, Key: newKey()}, 0, "all must be the same"},
	} {
		t.Run(name, func(t *testing.T) {
			k := &Coordinator{Config: Config{Version: "1.0", Workers: 3, Log: slog.New(slog.DiscardHandler)}}
			for i := range 3 {
				k.members = append(k.members, &member{index: i})
			}
			k.admit(there)
			w := k.admit(c.hello)
			if !strings.Contains(w.Refused, c.refused) || (w.Refused == "") != (c.refused == "") || w.Index != c.index {
				t.Errorf("worker %d, refused: %q; want %d, %q", w.Index, w.Refused, c.index, c.refused)
			}
		})
	}
}

// TestWhoWasStartedAgainWaitsForItsPlace: it is taken until it is sure that nobody
// has it any more.
func TestWhoWasStartedAgainWaitsForItsPlace(t *testing.T) {
	k := &Coordinator{Config: Config{Version: "1.0", Workers: 1, Log: slog.New(slog.DiscardHandler)}, members: []*member{{}}}
	h := func(index int) hello { return hello{Protocol: protocol, Version: "1.0", Index: index, Key: newKey()} }
	k.admit(h(0))
	k.members[0].seen = time.Now().Add(-time.Second)
	for _, index := range []int{0, -1} {
		if w := k.admit(h(index)); w.Refused == "" || w.Final {
			t.Errorf("asked for %d, after a second of silence: %+v, want to ask again", index, w)
		}
	}
	k.members[0].seen = time.Now().Add(-silent - time.Second)
	k.present()
	if w := k.admit(h(0)); w.Refused != "" {
		t.Errorf("after %v: refused, %s", silent, w.Refused)
	}
}

func TestAServerForOtherMachinesIsLocked(t *testing.T) {
	pair, _ := certificate(t)
	secure := &tls.Config{Certificates: []tls.Certificate{pair}}
	for name, c := range map[string]struct {
		ServerConfig
		refused bool
	}{
		"here, with nothing":         {ServerConfig{}, false},
		"on a port of this machine":  {ServerConfig{Listen: "127.0.0.1:0"}, false},
		"everywhere, with nothing":   {ServerConfig{Listen: ":0"}, true},
		"everywhere, without TLS":    {ServerConfig{Listen: ":0", Token: "t"}, true},
		"everywhere, without token":  {ServerConfig{Listen: "0.0.0.0:0", TLS: secure}, true},
		"everywhere, with both":      {ServerConfig{Listen: "127.0.0.1:0", Token: "t", TLS: secure}, false},
		"at what is no address":      {ServerConfig{Listen: "4222"}, true},
		"by a name that may be more": {ServerConfig{Listen: "example.org:0"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := StartServer(c.ServerConfig)
			if (err != nil) != c.refused {
				t.Errorf("%v, want refused: %v", err, c.refused)
			}
			if s != nil {
				s.Stop()
			}
		})
	}
}

// TestJoiningOverTLS lets one worker in that knows the token and the certificate,
// and none that lacks one of them.
func TestJoiningOverTLS(t *testing.T) {
	pair, ca := certificate(t)
	s, err := StartServer(ServerConfig{Listen: "127.0.0.1:0", Token: "right", TLS: &tls.Config{Certificates: []tls.Certificate{pair}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	k, err := Coordinate(Config{
		Server: s, Version: "1.0", Workers: 1, Patience: 20 * time.Second, Log: slog.New(slog.DiscardHandler),
		Script: Script{Name: "b.yaml", Text: []byte(strings.Replace(known, "  random_seed", "  concurrency: 1\n  request_count: 1\n  random_seed", 1))},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	join := func(token, ca, version string, patience time.Duration) error {
		return Work(t.Context(), t.Context(), WorkerConfig{
			Dial: Dial{URL: s.URL, Token: token, CA: ca}, Index: -1, Patience: patience, Spools: t.TempDir(), Log: slog.New(slog.DiscardHandler),
			Runner:       &runner.Runner{Version: version, LookupEnv: func(string) (string, bool) { return "", false }, Log: slog.New(slog.DiscardHandler)},
			Vocabularies: func(bool) *runner.Vocabularies { return runner.NewVocabularies(false, slog.New(slog.DiscardHandler)) },
		})
	}
	for name, err := range map[string]error{
		"another token":  join("wrong", ca, "1.0", 10*time.Millisecond),
		"no certificate": join("right", "", "1.0", 10*time.Millisecond),
	} {
		if err == nil {
			t.Errorf("%s: it was let in", name)
		}
	}
	if err := join("right", ca, "0.9", 20*time.Second); !errors.Is(err, ErrRefused) {
		t.Errorf("another version: %v, want refused", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- join("right", ca, "1.0", 20*time.Second) }()
	if err := k.Muster(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := k.tell(t.Context(), 0, command{}); err != nil { // once it listens
		t.Fatal(err)
	}
	if c, err := k.clockOf(t.Context(), 0); err != nil || c.offset.Abs() > c.bound {
		t.Errorf("its clock, which is this one, is ahead by %v, give or take %v: %v", c.offset, c.bound, err)
	}
	k.Close()
	if err := <-ended; err != nil {
		t.Errorf("at the end of the batch: %v", err)
	}
}

// certificate makes one for this machine, and the file by which it is known.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}
