package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/alecthomas/kong"
	"github.com/charmbracelet/x/term"

	"loadgen/guide"
)

// guideCommands are those by which a batch file comes to be.
type guideCommands struct {
	Init       initCommand       `cmd:"" help:"Write a first batch file, also from a configuration of AIPerf."`
	Explain    explainCommand    `cmd:"" help:"Say what a key of the batch file means, and what it may hold."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON Schema of the batch file, for editors."`
	Completion completionCommand `cmd:"" help:"Print the script by which a shell completes commands and flags."`
}

type schemaCommand struct{}

func (schemaCommand) Run(std streams) error {
	text, err := guide.Schema()
	if err != nil {
		return err
	}
	_, err = std.out.Write(text)
	return err
}

type explainCommand struct {
	Key string `arg:"" optional:"" help:"A key by its path, or the end of one, such as base_config.concurrency or concurrency; without it all are listed."`
}

func (c *explainCommand) Run(std streams) error {
	if c.Key == "" {
		fmt.Fprint(std.out, guide.Overview())
		return nil
	}
	text, err := guide.Explain(c.Key)
	if err != nil {
		return usageError{err}
	}
	fmt.Fprint(std.out, text)
	return nil
}

type initCommand struct {
	File         string `arg:"" optional:"" default:"batch.yaml" help:"The batch file to write; - prints it."`
	URL          string `name:"url" help:"The service's base, such as http://localhost:8000; mock:// for the simulated endpoint."`
	Model        string `help:"The model, as the service calls it."`
	Users        string `placeholder:"N,N,…" help:"Numbers of users to try."`
	Tokenizer    string `help:"A Hugging Face name or a local path; by default the model's."`
	APIKeyEnvVar string `name:"api-key-env-var" placeholder:"NAME" help:"The environment variable that holds the API key."`
	FromAIPerf   string `name:"from-aiperf" placeholder:"FILE" help:"Make it of AIPerf's YAML file, or of a script with its command line; - reads standard input."`
	Schema       bool   `help:"Also write the JSON Schema beside it, by which an editor completes and checks keys."`
	Force        bool   `help:"Write over a file that is there."`
}

func (c *initCommand) Run(std streams) error {
	draft, err := c.draft(std)
	if err != nil {
		return usageError{err}
	}
	if c.Schema {
		draft.Schema = guide.SchemaName
	}
	text, err := draft.Write()
	if err != nil {
		return usageError{err}
	}
	if c.File == "-" {
		_, err := std.out.Write(text)
		return err
	}
	if err := draft.Create(c.File, text, c.Force); errors.Is(err, os.ErrExist) {
		return usageError{fmt.Errorf("%s is there already: name another file, or add --force", c.File)}
	} else if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s is written. Check it:  loadgen --config-file %[1]s --dry-run\nRun it:                  loadgen --config-file %[1]s\n", c.File)
	return nil
}

func (c *initCommand) draft(std streams) (*guide.Draft, error) {
	if c.FromAIPerf != "" {
		if c.URL+c.Model+c.Users+c.Tokenizer+c.APIKeyEnvVar != "" {
			return nil, errors.New("--from-aiperf takes everything from the file: change the batch file that comes of it, or leave the other flags out")
		}
		return guide.Convert(c.FromAIPerf, std.in, std.err)
	}
	first := guide.First{URL: c.URL, Model: c.Model, Tokenizer: c.Tokenizer, APIKeyEnvVar: c.APIKeyEnvVar}
	var err error
	if c.Users != "" {
		if first.Users, err = guide.ParseUsers(c.Users); err != nil {
			return nil, err
		}
	}
	if in, ok := std.in.(terminal); ok && term.IsTerminal(in.Fd()) {
		if err := first.Ask(std.in, std.err); err != nil {
			return nil, err
		}
	}
	return first.Draft()
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"${enum}."`
}

func (c *completionCommand) Run(std streams, app *kong.Kong) error {
	var commands []guide.Command
	for _, node := range app.Model.Children {
		if node.Hidden {
			continue
		}
		command := guide.Command{Name: node.Name, Help: node.Help}
		for _, flag := range node.Flags {
			if flag.Hidden {
				continue
			}
			f := guide.Flag{Name: flag.Name, Help: flag.Help, Switch: flag.IsBool()}
			if flag.Enum != "" {
				f.Words = flag.EnumSlice()
			}
			command.Flags = append(command.Flags, f)
		}
		commands = append(commands, command)
	}
	fmt.Fprint(std.out, guide.Completion(app.Model.Name, c.Shell, commands))
	return nil
}
