package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/runner"
	"loadgen/sweep"
)

// SecretsOf returns what no file of a batch may hold: what its clients send of
// secrets. command is what loadgen was called with, as it is shown.
func SecretsOf(batch *sweep.Batch, command []string) (*secret.Set, error) {
	secrets := &secret.Set{}
	secrets.AddKey(batch.Mock.APIKey)
	shown := []any{batch.BatchName, batch.OutputBaseDir, batch.Base.Effective(), command, DescribeHost()}
	for _, cell := range batch.Cells() {
		settings, err := runner.Client(&cell.Config, "", "", os.LookupEnv)
		if err != nil {
			return nil, err
		}
		secrets.Join(settings.Secrets())
		for _, place := range slices.Concat(cell.Config.ServerMetrics, cell.Config.GPUMetrics) {
			secrets.AddURL(place)
		}
		shown = append(shown, cell.Config.Effective())
	}
	// A header may repeat what is none of its own: a user's name, which paths
	// hold too, or the model's.
	for _, dir := range []func() (string, error){os.Getwd, os.UserHomeDir} {
		if name, err := dir(); err == nil {
			shown = append(shown, name)
		}
	}
	text, err := json.Marshal(shown)
	if err != nil {
		return nil, fmt.Errorf("looking for secrets: %w", err)
	}
	secrets.Shown(string(text))
	return secrets, nil
}

// hide takes secrets out of texts that an endpoint may have sent back.
func hide(tr *loadgen.Trace, secrets *secret.Set) {
	for i := range tr.Calls {
		c := &tr.Calls[i]
		c.Input, c.Output = secrets.Hide(c.Input), secrets.Hide(c.Output)
	}
}
