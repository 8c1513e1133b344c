package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"loadgen/internal/secret"
	"loadgen/metrics"
	"loadgen/runner"
	"loadgen/sweep"
)

// Flags say on the command line that workers make the runs of a batch.
type Flags struct {
	Workers     int           `placeholder:"N" help:"Make each run with N workers, each its own portion: processes on this machine, or with --listen or --nats on others."`
	Listen      string        `placeholder:"HOST:PORT" help:"With --workers: wait here for loadgen worker --join; beyond loopback with a certificate and LOADGEN_JOIN_TOKEN."`
	TLSCert     string        `name:"tls-cert" type:"path" placeholder:"FILE" help:"With --listen: the certificate, in PEM."`
	TLSKey      string        `name:"tls-key" type:"path" placeholder:"FILE" help:"With --listen: its key."`
	NATS        string        `name:"nats" placeholder:"URL" help:"With --workers: meet them at this NATS server, such as tls://nats:4222/NAME."`
	Creds       string        `type:"path" placeholder:"FILE" help:"Credentials for --nats."`
	NKey        string        `name:"nkey" type:"path" placeholder:"FILE" help:"Seed of an NKey for --nats."`
	CA          string        `name:"ca" type:"path" placeholder:"FILE" help:"Certificates that --nats is checked against; default: the system's."`
	JoinTimeout time.Duration `default:"5m" help:"How long to wait for workers that are not there."`
}

// Check reports flags that do not go together.
func (f *Flags) Check() error {
	switch {
	case f.Workers < 0 || f.Workers > 1000:
		return fmt.Errorf("--workers %d is not between 1 and 1000", f.Workers)
	case f.Workers == 0 && (f.Listen != "" || f.NATS != ""):
		return errors.New("--listen and --nats say where workers come: add --workers N")
	case f.Listen != "" && f.NATS != "":
		return errors.New("--listen and --nats exclude each other")
	case (f.TLSCert == "") != (f.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key only work together")
	case f.TLSCert != "" && f.Listen == "":
		return errors.New("--tls-cert is the certificate of --listen, which is missing")
	case f.NATS == "" && (f.Creds != "" || f.NKey != "" || f.CA != ""):
		return errors.New("--creds, --nkey and --ca are for --nats, which is missing")
	}
	return nil
}

// Secrets are what lets workers in: no file of a batch may hold it.
func (f *Flags) Secrets() *secret.Set {
	secrets := &secret.Set{}
	secrets.AddURL(f.NATS)
	secrets.AddKey(os.Getenv(TokenVariable))
	return secrets
}

// ErrNotServed is a server for workers that cannot be had as it was asked for.
var ErrNotServed = errors.New("meeting the workers")

// ErrInterrupted is a wait for workers that the user has ended.
var ErrInterrupted = errors.New("interrupted while waiting for workers")

// A Meeting is what workers are brought together for.
type Meeting struct {
	Batch       *sweep.Batch
	Resumed     string // directory of a batch that goes on; empty for one that begins
	Endpoint    string // of mock://; empty where none is asked for
	Version     string
	Calibration string // what was found of this machine; empty for where that is kept
	Offline     bool
	Tee         io.Writer // takes what workers on this machine log
	Log         *slog.Logger
}

// Assemble brings the workers together, and returns what lets them go; nil where
// they were not asked for.
func (f *Flags) Assemble(ctx context.Context, m *Meeting) (runner.Crew, func(), error) {
	if f.Workers == 0 {
		return nil, func() {}, nil
	}
	files, err := Digests(m.Batch)
	if err != nil {
		return nil, nil, err
	}
	from, log := m.Batch.Source(), m.Log
	c := Config{
		Dial: Dial{URL: f.NATS, Creds: f.Creds, NKey: f.NKey, CA: f.CA, Token: os.Getenv(TokenVariable)},
		Script: Script{
			Name: from.Name, Text: from.Text, Overrides: from.Options.Overrides, Only: from.Options.Only, Skip: from.Options.Skip,
			Salt: from.Options.Salt, OutputBaseDir: from.Options.OutputBaseDir, Endpoint: m.Endpoint, Offline: m.Offline, Files: files,
		},
		Version: m.Version, Resumed: slashed(m.Resumed), Workers: f.Workers, Patience: f.JoinTimeout, Log: log,
	}
	if elsewhere := f.Listen+f.NATS != ""; elsewhere && m.Endpoint != "" {
		log.Warn(fmt.Sprintf("The simulated endpoint of mock:// is at %s: workers on other machines do not reach it. Start loadgen mock --listen where they do, and name that as url", m.Endpoint))
	} else if elsewhere && m.Calibration != "" {
		log.Warn("--calibration is of this machine, which sends nothing: give each worker its own")
	}
	stop := func() {}
	if f.NATS == "" {
		if c.Server, err = f.serve(); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrNotServed, err)
		}
		stop = c.Server.Stop
		if f.Listen == "" {
			c.Spawn = Local(c.Server, m.Calibration, m.Tee)
		} else {
			log.Info(fmt.Sprintf("Waiting for %d workers at %s", f.Workers, c.Server.URL))
		}
	}
	k, err := Coordinate(c)
	if err != nil {
		stop()
		return nil, nil, err
	}
	dismiss := sync.OnceFunc(func() {
		k.Close()
		stop()
	})
	if err := k.Muster(ctx, f.Workers); err != nil {
		dismiss()
		if ctx.Err() != nil {
			err = ErrInterrupted
		}
		return nil, nil, err
	}
	log.Info(fmt.Sprintf("%d workers are there", f.Workers))
	return k, dismiss, nil
}

// serve starts the server that is part of this process.
func (f *Flags) serve() (*Server, error) {
	s := ServerConfig{Workers: f.Workers}
	if f.Listen != "" {
		s.Listen, s.Token = f.Listen, os.Getenv(TokenVariable)
	}
	if f.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(f.TLSCert, f.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate of --listen: %w", err)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return StartServer(s)
}

// JoinFlags say on the command line which batch a worker joins: they are the whole
// of that command.
type JoinFlags struct {
	Join        string        `required:"" placeholder:"URL" help:"Where the batch was started with --listen or --nats: tls://host:4222, perhaps with /NAME behind it. LOADGEN_JOIN_TOKEN has the token."`
	Index       int           `default:"-1" env:"LOADGEN_INDEX,JOB_COMPLETION_INDEX" placeholder:"N" help:"Which worker to be, from 0; default: any that is missing."`
	CA          string        `name:"ca" type:"path" placeholder:"FILE" help:"Certificates that the server is checked against; default: the system's."`
	Creds       string        `type:"path" placeholder:"FILE" help:"Credentials for a server that has accounts."`
	NKey        string        `name:"nkey" type:"path" placeholder:"FILE" help:"Seed of an NKey that the server knows."`
	Spools      string        `type:"path" placeholder:"DIR" help:"Where records wait until they are taken in; default: a directory below the system's for temporary files."`
	AllowHost   []string      `placeholder:"HOST" help:"Send to these hosts only, whatever the batch says (repeatable)."`
	Calibration string        `type:"path" placeholder:"FILE" help:"What loadgen calibrate found of this machine; by default where it keeps that."`
	JoinTimeout time.Duration `default:"5m" help:"How long to look for the batch."`
	Leash       bool          `hidden:"" help:"End when standard input does."`
}

// A Machine is what a worker has from the program that it is part of.
type Machine struct {
	In  io.Reader
	Log *slog.Logger
	// Interruptible returns contexts that are done when the user stops the
	// program, and when he cancels what is in flight.
	Interruptible func(context.Context, *slog.Logger) (stopping, cancelled context.Context, release func())
	// Runner is what this machine adds to a batch, and Ceiling finds what it was
	// calibrated to.
	Runner  runner.Runner
	Ceiling func(file string, log *slog.Logger) metrics.Ceiling
}

// Run makes a worker of this process until the batch is over. One beside its
// coordinator ends when that does, and leaves it to it to say what becomes of a
// run: else each would say it of its portion.
func (f *JoinFlags) Run(ctx context.Context, m *Machine) error {
	log := m.Log
	if f.Leash {
		log = slog.New(slog.DiscardHandler)
	}
	stopping, ctx, release := m.Interruptible(ctx, log)
	defer release()
	m.Runner.Log, m.Runner.Ceiling = log, m.Ceiling(f.Calibration, log)
	return f.work(ctx, stopping, m.In, &m.Runner)
}

// work is [Work] as the flags say. On a leash it lives no longer than in has
// something to say.
func (f *JoinFlags) work(ctx, stopping context.Context, in io.Reader, with *runner.Runner) error {
	if f.Leash {
		var gone, stop context.CancelFunc
		ctx, gone = context.WithCancel(ctx)
		defer gone()
		stopping, stop = context.WithCancel(stopping)
		defer stop()
		go func() {
			_, _ = io.Copy(io.Discard, in)
			stop()
			gone()
		}()
	}
	return Work(ctx, stopping, WorkerConfig{
		Dial:  Dial{URL: f.Join, Token: os.Getenv(TokenVariable), Creds: f.Creds, NKey: f.NKey, CA: f.CA},
		Index: f.Index, Patience: f.JoinTimeout, Spools: f.Spools, Hosts: f.AllowHost, Runner: with, Log: with.Log,
		Vocabularies: func(download bool) *runner.Vocabularies { return runner.NewVocabularies(download, with.Log) },
	})
}
