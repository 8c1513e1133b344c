package results_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

func TestSearchesKnowOfCellsThatWereNotBegun(t *testing.T) {
	const manifest = `{"batch_name": "b", "cells": [
		{"index": 0, "dir": "length100", "sweep_params": {"prompt_input_tokens_mean": 100}},
		{"index": 1, "dir": "length200", "sweep_params": {"prompt_input_tokens_mean": 200}}]}`
	const first = `{"capacities": [{"sweep_params": {"prompt_input_tokens_mean": 100}, "over": "concurrency", "unit": "users", "tiers": [
		{"name": "chat", "answer": "carries 4 users", "status": "found", "capacity": 4, "lower": 4, "upper": null, "limits": []}], "probes": []}]}`
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a batch without a search", map[string]string{"batch.json": manifest, "length100/run_metadata.json": "{}"}, nil},
		{"a run of a search by itself", map[string]string{"run_metadata.json": "{}"}, nil},
		{
			"one that was broken off behind its first cell",
			map[string]string{"batch.json": manifest, "capacity.json": first},
			[]string{"prompt_input_tokens_mean 100, chat: carries 4 users", "prompt_input_tokens_mean 200, chat: is not known: no probe of the search came to its end"},
		},
		{
			"one that was broken off in its first probe",
			map[string]string{"batch.json": manifest, "search/length100/concurrency1/probe_0001/run_metadata.json": "{}"},
			[]string{"prompt_input_tokens_mean 100: is not known: no probe of the search came to its end", "prompt_input_tokens_mean 200: is not known: no probe of the search came to its end"},
		},
		{"one that says nothing of its cells", map[string]string{"search/concurrency1/probe_0001/run_metadata.json": "{}"}, []string{"is not known: no probe of the search came to its end"}},
	} {
		dir := t.TempDir()
		for name, text := range tt.files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		all, err := results.Searches(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range all {
			for k := range all[i].Tiers {
				got = append(got, all[i].Sentence(&all[i].Tiers[k]))
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestOnlyAnAnswerHasNumbers(t *testing.T) {
	unknown := metrics.Bound(math.NaN())
	for _, tt := range []struct {
		name string
		tier results.CapacityTier
		want map[string]float64
	}{
		{"a capacity", results.CapacityTier{Status: "found", Capacity: 46, Lower: 44, Upper: 48}, map[string]float64{"capacity": 46, "capacity_lower": 44, "capacity_upper": 48}},
		{"an interval that is open above", results.CapacityTier{Status: "found", Capacity: 46, Lower: 44, Upper: metrics.Bound(math.Inf(1))}, map[string]float64{"capacity": 46, "capacity_lower": 44}},
		{"nothing broke", results.CapacityTier{Status: "no_fail", Capacity: 64, Lower: 64, Upper: unknown}, map[string]float64{"capacity_lower": 64}},
		{"everything broke", results.CapacityTier{Status: "no_pass", Capacity: unknown, Lower: 0, Upper: 1}, map[string]float64{}},
		{"no answer yet", results.CapacityTier{Status: "open", Capacity: 30, Lower: 30, Upper: 40}, map[string]float64{}},
	} {
		got := map[string]float64{}
		for name, v := range tt.tier.Numbers() {
			got[name] = v
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestRemarksNameTheTierOfAnOpenLoop(t *testing.T) {
	c := results.Capacity{
		Cell: loadgen.Cell{}, Notes: []string{"caches were warm"}, MeasuredFor: time.Minute.Seconds(),
		Tiers: []results.CapacityTier{{Name: "chat", OpenLoop: &results.CapacityOpenLoop{Words: "an open loop keeps the limits, too"}}, {Name: "batch"}},
	}
	if diff := cmp.Diff([]string{"caches were warm", "chat: an open loop keeps the limits, too"}, c.Remarks()); diff != "" {
		t.Error(diff)
	}
	c.Tiers[0].Name = ""
	if diff := cmp.Diff([]string{"caches were warm", "an open loop keeps the limits, too"}, c.Remarks()); diff != "" {
		t.Error(diff)
	}
}
