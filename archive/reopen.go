package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"loadgen/internal/secret"
	"loadgen/results"
	"loadgen/sweep"
)

// A Reopened is a batch that was broken off, read again to go on.
type Reopened struct {
	Batch      *sweep.Batch
	ConfigFile string         // that its file was read from
	Root       *results.Batch // which the caller closes
	Resume
}

// Reopen reads the batch of a directory again, or of the "latest" one of a batch
// file. It has everything that was said when it began; what is said again, by
// another file or by options, goes before that, and must be the same.
func Reopen(dir, configFile string, o sweep.Options) (again *Reopened, err error) {
	if dir == "latest" {
		var seen bytes.Buffer // of standard input, which a file may be read from twice
		first := o
		first.Stdin = io.TeeReader(o.Stdin, &seen)
		if dir, err = latestOf(configFile, first); err != nil {
			return nil, err
		}
		o.Stdin = io.MultiReader(&seen, o.Stdin)
	}
	root, manifest, text, err := results.Continue(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			root.Close()
		}
	}()
	o.Salt = manifest.Salt // the same prompts
	if o.Overrides == nil {
		o.Overrides = manifest.Overrides
		if slices.ContainsFunc(o.Overrides, func(s string) bool { return strings.HasSuffix(s, secret.Mask) }) {
			return nil, fmt.Errorf("%s was begun with a secret in --set, which is not kept: give --set again", dir)
		}
	}
	if o.Only == nil && o.Skip == nil {
		o.Only, o.Skip = manifest.Only, manifest.Skip
	}
	again = &Reopened{ConfigFile: configFile, Root: root, Resume: Resume{Manifest: manifest, Text: text}}
	if configFile != "" {
		again.Batch, err = sweep.Load(configFile, o)
		return again, err
	}
	if strings.Contains(string(text), secret.Mask) {
		return nil, fmt.Errorf("the batch file of %s held a secret, which is not kept: name the file again with --config-file", dir)
	}
	again.ConfigFile = filepath.Join(dir, results.SourceName)
	again.Batch, err = sweep.Parse(again.ConfigFile, text, o)
	return again, err
}

// latestOf returns the directory of the newest batch of a file.
func latestOf(configFile string, o sweep.Options) (string, error) {
	if configFile == "" {
		return "", errors.New("--resume latest looks for the newest batch of a file: add --config-file FILE, or name the directory")
	}
	named, err := sweep.Load(configFile, o)
	if err != nil {
		return "", err
	}
	return results.Latest(named.OutputBaseDir, named.BatchName)
}
