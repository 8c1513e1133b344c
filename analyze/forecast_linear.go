package analyze

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"loadgen/metrics"
)

// A forecastLinear is a linear model over the features as they come.
type forecastLinear struct {
	Intercept float64       `json:"intercept"`
	Weights   forecastInput `json:"weights"`
}

func (l *forecastLinear) predict(x forecastInput) float64 {
	v := l.Intercept
	for i, w := range l.Weights {
		v += w * x[i]
	}
	return v
}

// fitForecastLinear fits a ridge regression on standardized features. The
// penalty of a thousandth of the rows is there for features that say the same;
// it hardly shrinks those that do not.
func fitForecastLinear(x []forecastInput, y []float64) forecastLinear {
	const features = len(forecastInput{})
	var means, scales forecastInput
	for i := range features {
		for _, row := range x {
			means[i] += row[i] / float64(len(x))
		}
		for _, row := range x {
			scales[i] += (row[i] - means[i]) * (row[i] - means[i]) / float64(len(x))
		}
		scales[i] = math.Sqrt(scales[i])
	}
	my := metrics.Mean(y)
	constant := func(i int) bool { return scales[i] <= 1e-9*math.Abs(means[i]) || scales[i] == 0 }

	gram, moment := mat.NewSymDense(features, nil), mat.NewVecDense(features, nil)
	var z forecastInput
	for r, row := range x {
		for i := range features {
			z[i] = 0
			if !constant(i) {
				z[i] = (row[i] - means[i]) / scales[i]
			}
		}
		for i := range features {
			moment.SetVec(i, moment.AtVec(i)+z[i]*(y[r]-my))
			for j := i; j < features; j++ {
				gram.SetSym(i, j, gram.At(i, j)+z[i]*z[j])
			}
		}
	}
	for i := range features {
		gram.SetSym(i, i, gram.At(i, i)+1e-3*float64(len(x)))
	}
	model := forecastLinear{Intercept: my}
	var chol mat.Cholesky
	var weights mat.VecDense
	if !chol.Factorize(gram) || chol.SolveVecTo(&weights, moment) != nil {
		return model // the mean: nothing better can be computed
	}
	for i := range features {
		if !constant(i) {
			model.Weights[i] = weights.AtVec(i) / scales[i]
			model.Intercept -= model.Weights[i] * means[i]
		}
	}
	return model
}
