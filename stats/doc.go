// Package stats is the statistics of repeated measurement: intervals of means
// and ratios, the decision whether one side is worse than the other, bounds of
// percentiles, change points, and the fit and bisection that a search for
// capacity rests on.
//
// Everything here is a pure function of numbers. The package knows nothing of
// requests, runs or files: analyze and sweep give the numbers their meaning.
// The distribution functions are gonum's. Logarithms are natural. A figure
// that the data do not define is NaN, a bound that does not exist is infinite.
// The formulas, their defaults and their error rates stand in
// docs/statistics.md.
package stats
