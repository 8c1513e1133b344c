package runner_test

import (
	"testing"

	"loadgen/runner"
)

func TestATemplateIsMeasuredWhereThePromptsAgree(t *testing.T) {
	for name, row := range map[string]struct {
		beyond []int
		want   int
		known  bool
	}{
		"all the same":                     {[]int{7, 7, 7}, 7, true},
		"nothing is added":                 {[]int{0, 0, 0}, 0, true},
		"a token apart":                    {[]int{7, 8, 7, 6}, 7, true},
		"one of ten far off":               {[]int{7, 7, 7, 7, 40, 7, 7, 7, 7, 7}, 7, true},
		"two of ten far off":               {[]int{7, 7, 7, 7, 40, 7, 40, 7, 7, 7}, 0, false},
		"too few":                          {[]int{7, 7}, 0, false},
		"none":                             {nil, 0, false},
		"fewer than the text has":          {[]int{-3, -3, -3}, 0, false},
		"another tokenizer at all lengths": {[]int{5, 12, 31, 18}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, known := runner.Measured(row.beyond...); got != row.want || known != row.known {
				t.Errorf("%d tokens, known %v; want %d, %v", got, known, row.want, row.known)
			}
		})
	}
}
