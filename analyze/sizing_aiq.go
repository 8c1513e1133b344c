package analyze

import (
	"errors"
	"fmt"
	"math"

	"loadgen/metrics"
)

// A SizingLine is AIQ's fit of a p95 against concurrency.
type SizingLine struct {
	Slope           float64   `json:"slope"`
	Intercept       float64   `json:"intercept"`
	RSquared        float64   `json:"r_squared"`
	OutliersRemoved []float64 `json:"outliers_removed"` // their concurrencies
}

// The constants of AIQ's FitConfig.
const (
	aiqSmallRange          = 8
	aiqExtremeOutlier      = 2.0
	aiqConservativeOutlier = 1.5
	aiqMinRSquared         = 0.7
)

// SizingFitAIQ fits a line as AIQ's sizing calculator does. Of more than four
// points it first removes outliers: for up to eight the values outside
// [Q1 − 2·IQR, Q3 + 2·IQR], then in any case those whose residual lies outside
// [Q1 − 1.5·IQR, Q3 + 1.5·IQR] of the residuals. It refuses a fit whose R² is
// below 0.7, which a flat system's always is.
//
// It exists to be compared with AIQ; [SizingOf] is the sound answer.
func SizingFitAIQ(concurrency, p95 []float64) (SizingLine, error) {
	x, y := kneePoints(concurrency, p95)
	if len(x) < 2 {
		return SizingLine{}, errors.New("fitting a line: at least two concurrencies are needed")
	}
	line := SizingLine{OutliersRemoved: []float64{}}
	if len(x) > 4 {
		if len(x) <= aiqSmallRange {
			x, y = line.dropOutliers(x, y, y, aiqExtremeOutlier)
		}
		rough := kneeLine(x, y, true).fit
		residuals := make([]float64, len(x))
		for i := range x {
			residuals[i] = y[i] - rough.At(x[i])
		}
		x, y = line.dropOutliers(x, y, residuals, aiqConservativeOutlier)
	}
	fit := kneeLine(x, y, true)
	line.Slope, line.Intercept = fit.fit.Slope, fit.fit.Intercept
	if total := kneeLine(x, y, false).rss; total > 0 {
		line.RSquared = 1 - fit.rss/total
	}
	if line.RSquared < aiqMinRSquared {
		return line, fmt.Errorf("fitting a line: poor linear fit detected (R2=%.3f)", line.RSquared)
	}
	return line, nil
}

// dropOutliers returns the points whose judged value is within k interquartile
// ranges of the quartiles and notes the others.
func (l *SizingLine) dropOutliers(x, y, judged []float64, k float64) (keptX, keptY []float64) {
	sorted := metrics.Sorted(judged)
	q1, q3 := metrics.Percentile(sorted, 25), metrics.Percentile(sorted, 75)
	// The residuals of an exact line are rounding errors: without a margin
	// one of them would always be an outlier among the others.
	margin := 0.0
	for _, v := range y {
		margin = max(margin, 1e-12*math.Abs(v))
	}
	low, high := q1-k*(q3-q1)-margin, q3+k*(q3-q1)+margin
	for i, v := range judged {
		if v < low || v > high {
			l.OutliersRemoved = append(l.OutliersRemoved, x[i])
			continue
		}
		keptX, keptY = append(keptX, x[i]), append(keptY, y[i])
	}
	return keptX, keptY
}

// GPUs estimates, as AIQ does, how many GPUs hold the p95 at the target for so
// many users, from a sweep on testGPUs of them: the concurrency at which the
// line meets the target serves that many users on them, and GPUs scale with
// users. Not rounded.
func (l SizingLine) GPUs(target, users, testGPUs float64) (float64, error) {
	if target <= l.Intercept {
		return 0, fmt.Errorf("estimating GPUs: the target %g is not above the intercept %g", target, l.Intercept)
	}
	if l.Slope <= 0 {
		return 0, fmt.Errorf("estimating GPUs: the slope %g is not positive", l.Slope)
	}
	return users / ((target - l.Intercept) / l.Slope) * testGPUs, nil
}

// SizingRoughGPUs estimates GPUs from a single concurrency, as AIQ does:
// users/concurrency · observed/target · testGPUs. ok is false where the
// observed p95 misses the target: AIQ then leaves the estimate empty.
func SizingRoughGPUs(observed, target, users, concurrency, testGPUs float64) (gpus float64, ok bool) {
	if !(concurrency > 0 && target > 0 && observed <= target) {
		return 0, false
	}
	return users / concurrency * (observed / target) * testGPUs, true
}
