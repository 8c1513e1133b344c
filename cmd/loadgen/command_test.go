package main

import (
	"errors"
	"slices"
	"testing"

	"loadgen/fleet"
)

func TestTheCommandIsShownWithoutSecrets(t *testing.T) {
	workers := fleet.Flags{NATS: "nats://joe:sk-12345678@nats:4222"}
	const header = "base_config.headers.X-Key=sk-1"
	for _, c := range []struct{ args, overrides, want []string }{
		{[]string{"loadgen", "--set", header}, []string{header}, []string{"loadgen", "--set", "base_config.headers.X-Key=<redacted>"}},
		{[]string{"loadgen", "--set=" + header}, []string{header}, []string{"loadgen", "--set=base_config.headers.X-Key=<redacted>"}},
		{[]string{"loadgen"}, []string{header}, []string{"loadgen"}}, // from the environment
		{
			[]string{"loadgen", "--set", "base_config.concurrency=1"},
			[]string{"base_config.concurrency=1"},
			[]string{"loadgen", "--set", "base_config.concurrency=1"},
		},
		{[]string{"loadgen", "--nats", workers.NATS}, nil, []string{"loadgen", "--nats", "nats://<redacted>@nats:4222"}},
		{[]string{"loadgen", "--nats=" + workers.NATS}, nil, []string{"loadgen", "--nats=nats://<redacted>@nats:4222"}},
		{[]string{"loadgen", "--set", "mock.api_key=k"}, []string{"mock.api_key=k"}, []string{"loadgen", "--set", "mock.api_key=<redacted>"}},
	} {
		if got := shownCommand(c.args, c.overrides, workers.Secrets()); !slices.Equal(got, c.want) {
			t.Errorf("%q is shown as %q, want %q", c.args, got, c.want)
		}
	}
}

func TestAStrayArgumentMayBeASecret(t *testing.T) {
	err := withoutStray(errors.New("unexpected argument sk-12345"), []string{"--set", "base_config.headers.X-Key", "sk-12345"})
	if want := "unexpected argument <redacted>"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
