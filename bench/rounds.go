package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// peers compares the clients: each round has every client once, so that what
// else happens on the machine falls on all of them.
func (b *bench) peers() (string, error) {
	clients, missing := b.all()
	server, err := startNginx(b.ctx, b.dir)
	if err != nil {
		return "", err
	}
	defer server.stop()
	var text strings.Builder
	if len(missing) > 0 {
		fmt.Fprintf(&text, "Left out: %s.\n\n", strings.Join(missing, ", "))
	}
	seconds := b.length.Seconds()
	for _, what := range []struct {
		part, title string
		job
	}{
		{"a", "(a) A small JSON reply, 32 connections", job{path: jsonPath, streams: 32, seconds: seconds, tokens: 1}},
		{"b", fmt.Sprintf("(b) A stream of %d chunks at once, 32 connections", chunks), job{path: ssePath, streaming: true, streams: 32, seconds: seconds, tokens: chunks}},
	} {
		if !strings.Contains(b.parts, what.part) {
			continue
		}
		what.url = server.url
		rows, err := b.rounds(clients, what.job)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "### %s\n\n%s\n", what.title, rateTable(rows))
	}
	if !strings.Contains(b.parts, "c") {
		return text.String(), nil
	}
	paced, err := b.paced(clients)
	if err != nil {
		return "", err
	}
	return text.String() + paced, nil
}

// A row is the figures of one client over the rounds.
type row struct {
	name  string
	rates []float64 // requests/s
	costs []float64 // µs of CPU per request
	err   error
}

func (b *bench) rounds(clients []peer, j job) ([]*row, error) {
	rows := make([]*row, len(clients))
	for round := range b.repeats {
		for i, p := range clients {
			if round == 0 {
				rows[i] = &row{name: p.name}
			}
			if rows[i].err != nil || p.slow && round >= 2 {
				continue
			}
			m, err := b.measure(p, j)
			if b.ctx.Err() != nil {
				return nil, b.ctx.Err()
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				rows[i].err = err
				continue
			}
			rows[i].rates = append(rows[i].rates, m.rate)
			rows[i].costs = append(rows[i].costs, float64(m.cpu)/float64(time.Microsecond)/float64(m.count))
			fmt.Fprintf(os.Stderr, "%s round %d %s: %.0f requests/s, %.1f µs CPU each\n", j.path, round+1, p.name, m.rate, rows[i].costs[round])
		}
	}
	return rows, nil
}

// rateTable compares all rows with the best of wrk, the first row being
// loadgen.
func rateTable(rows []*row) string {
	var best *row
	for _, r := range rows {
		if strings.HasPrefix(r.name, "wrk") && len(r.rates) > 0 && (best == nil || median(r.rates) > median(best.rates)) {
			best = r
		}
	}
	var text strings.Builder
	text.WriteString("| client | requests/s | lowest to highest | ÷ wrk | CPU per request | lowest to highest | ÷ wrk |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range rows {
		if len(r.rates) == 0 {
			fmt.Fprintf(&text, "| %s | failed | | | | | |\n", r.name)
			continue
		}
		rate, cpu := "", ""
		if best != nil {
			rate = fmt.Sprintf("%.3g", median(r.rates)/median(best.rates))
			cpu = fmt.Sprintf("%.3g", median(r.costs)/median(best.costs))
		}
		fmt.Fprintf(&text, "| %s | %.0f | %s | %s | %.3g µs | %s | %s |\n",
			r.name, median(r.rates), spread(r.rates, "%.0f"), rate, median(r.costs), spread(r.costs, "%.3g"), cpu)
	}
	text.WriteString("\nRequests/s of loadgen over those of")
	for _, r := range rows[1:] {
		if len(r.rates) > 0 {
			fmt.Fprintf(&text, " %s %.3g;", r.name, median(rows[0].rates)/median(r.rates))
		}
	}
	return strings.TrimSuffix(text.String(), ";") + ".\n"
}
