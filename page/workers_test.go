package page_test

import (
	"strings"
	"testing"
	"time"

	"loadgen"
)

func TestWhoMadeARunTogetherStandsBesideIt(t *testing.T) {
	dir := batch(t, made{workers: []loadgen.Worker{
		{Host: "left", Issued: 12, OK: 12, Late: 30 * time.Microsecond, Bound: 50 * time.Microsecond, Verdict: "VALID"},
		{Portion: loadgen.Portion{Worker: 1, Workers: 2}, Host: "<b>right", Issued: 8, OK: 6, Lost: 2, Gone: "its process <i>ended"},
	}})
	text := html(t, dir)
	for _, want := range []string{
		"Made by 2 workers on 2 hosts, 8 to 12 requests each.", "<caption>Workers</caption>",
		`<th scope="row">1</th><td>lost</td><td>&lt;b&gt;right</td><td>8</td><td>6</td><td>0</td><td>0</td><td>2</td>`, "its process &lt;i&gt;ended",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if alone := html(t, batch(t, made{})); strings.Contains(alone, "Workers") {
		t.Error("a run of one process has workers")
	}
}
