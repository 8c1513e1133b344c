package runner

import (
	"context"
	"errors"

	"loadgen/client"
	"loadgen/sweep"
)

// A Service asks the endpoints of a batch whether they can be measured.
type Service struct {
	// Mock replaces the URL of cells that ask for the simulated endpoint.
	Mock    string
	Version string // of loadgen, for the User-Agent
	// LookupEnv finds the API key and the variables of headers.
	LookupEnv func(string) (string, bool)
}

// A SettingsError is a cell whose settings make no client: the endpoint was not
// asked.
type SettingsError struct{ Err error }

func (e SettingsError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the settings.
func (e SettingsError) Unwrap() error { return e.Err }

// Check asks every service of a batch once whether it is there and serves the
// model. The error is a [SettingsError], or joins those of all that are not
// there. Once ctx is done it asks no more.
func (s Service) Check(ctx context.Context, batch *sweep.Batch) error {
	var errs []error
	asked := map[string]bool{}
	for _, cell := range batch.Cells() {
		c := &cell.Config
		key := c.URL + "\n" + c.HealthCheckEndpoint + "\n" + c.Model
		if asked[key] {
			continue
		}
		asked[key] = true
		if err := s.Ping(ctx, &cell); err != nil {
			if errors.As(err, new(SettingsError)) {
				return err
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Ping asks the service of a cell whether it is there and serves the model.
func (s Service) Ping(ctx context.Context, cell *sweep.Cell) error {
	config, err := Client(&cell.Config, s.Mock, s.Version, s.LookupEnv)
	if err != nil {
		return SettingsError{err}
	}
	c, err := client.New(config)
	if err != nil {
		return SettingsError{err}
	}
	defer c.Close()
	return c.Ping(ctx)
}
