package guide

import (
	"fmt"
	"slices"
	"strings"
)

// A Command is one of the program's commands, as a shell completes it.
type Command struct {
	Name, Help string
	Flags      []Flag
	words      []string // what may stand behind it; nil for files
}

// A Flag is one of a command's flags.
type Flag struct {
	Name, Help string
	Switch     bool     // has no value
	Words      []string // its values; nil for any, files first
}

// Completion returns the script by which a shell (bash, zsh or fish) completes
// the program's commands. The first command is that of a line without one.
func Completion(program, shell string, commands []Command) string {
	for i := range commands {
		switch c := &commands[i]; c.Name {
		case "explain":
			c.words = Names()
		case "completion":
			c.words = []string{"bash", "zsh", "fish"}
		case "schema", "version":
			c.words = []string{}
		}
	}
	switch shell {
	case "zsh":
		return zsh(program, commands)
	case "fish":
		return fish(program, commands)
	}
	return bash(program, commands)
}

func names(commands []Command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.Name)
	}
	return all
}

func bash(program string, commands []Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# bash completion of %s: source <(%[1]s completion bash)", program)
	line("_%s() {", program)
	line(`  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= word`)
	line(`  COMPREPLY=()`)
	line(`  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`)
	line("    case $word in %s) cmd=$word; break;; esac", strings.Join(names(commands), "|"))
	line("  done")
	line("  case ${cmd:-%s}:$prev in", commands[0].Name)
	for _, c := range commands {
		for _, f := range c.Flags {
			switch {
			case f.Switch:
			case f.Words != nil:
				line(`  %s:--%s) COMPREPLY=($(compgen -W %s -- "$cur")); return;;`, c.Name, f.Name, quoteShell(strings.Join(f.Words, " ")))
			default:
				line(`  %s:--%s) COMPREPLY=($(compgen -f -- "$cur")); return;;`, c.Name, f.Name)
			}
		}
	}
	line("  esac")
	line("  case ${cmd:-%s}:$cur in", commands[0].Name)
	for _, c := range commands {
		var flags []string
		for _, f := range c.Flags {
			flags = append(flags, "--"+f.Name)
		}
		line(`  %s:-*) COMPREPLY=($(compgen -W %s -- "$cur")); return;;`, c.Name, quoteShell(strings.Join(flags, " ")))
	}
	for _, c := range commands {
		if c.words != nil {
			line(`  %s:*) COMPREPLY=($(compgen -W %s -- "$cur")); return;;`, c.Name, quoteShell(strings.Join(c.words, " ")))
		}
	}
	line("  esac")
	line(`  [[ -n $cmd ]] || COMPREPLY=($(compgen -W %s -- "$cur"))`, quoteShell(strings.Join(names(commands), " ")))
	line(`  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$cur"))`)
	line("}")
	line("complete -o filenames -F _%s %[1]s", program)
	return b.String()
}

func zsh(program string, commands []Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("#compdef %s", program)
	line("# zsh completion of %s: source <(%[1]s completion zsh)", program)
	line("_%s() {", program)
	line("  local cmd=%s", commands[0].Name)
	line("  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then")
	line("    local -a commands=(")
	for _, c := range commands {
		line("      %s", quoteShell(c.Name+":"+c.Help))
	}
	line("    )")
	line("    _describe command commands")
	line("    return")
	line("  fi")
	line("  case $words[2] in %s) cmd=$words[2]; shift words; (( CURRENT-- ));; esac", strings.Join(names(commands), "|"))
	line("  case $cmd in")
	for _, c := range commands {
		line("  %s) _arguments \\", c.Name)
		for _, f := range c.Flags {
			help := strings.NewReplacer("[", "(", "]", ")", ":", `\:`).Replace(f.Help)
			switch {
			case f.Switch:
				line("    %s \\", quoteShell("--"+f.Name+"["+help+"]"))
			case f.Words != nil:
				line("    %s \\", quoteShell("--"+f.Name+"=["+help+"]:value:("+strings.Join(f.Words, " ")+")"))
			default:
				line("    %s \\", quoteShell("--"+f.Name+"=["+help+"]:value:_files"))
			}
		}
		rest := "_files"
		if c.words != nil {
			rest = "(" + strings.Join(c.words, " ") + ")"
		}
		line("    %s;;", quoteShell("*:argument:"+rest))
	}
	line("  esac")
	line("}")
	line("compdef _%s %[1]s", program)
	return b.String()
}

func fish(program string, commands []Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# fish completion of %s: %[1]s completion fish | source", program)
	others := slices.Delete(names(commands), 0, 1)
	for i, c := range commands {
		line("complete -c %s -n __fish_use_subcommand -a %s -d %s", program, c.Name, quoteShell(c.Help))
		condition := "__fish_seen_subcommand_from " + c.Name
		if i == 0 {
			condition = "not __fish_seen_subcommand_from " + strings.Join(others, " ")
		}
		for _, f := range c.Flags {
			value := " -r"
			switch {
			case f.Switch:
				value = ""
			case f.Words != nil:
				value = " -x -a " + quoteShell(strings.Join(f.Words, " "))
			}
			line("complete -c %s -n %s -l %s%s -d %s", program, quoteShell(condition), f.Name, value, quoteShell(f.Help))
		}
		if c.words != nil {
			line("complete -c %s -f -n %s -a %s", program, quoteShell(condition), quoteShell(strings.Join(c.words, " ")))
		}
	}
	return b.String()
}

// quoteShell quotes a text for any of the shells.
func quoteShell(text string) string {
	return "'" + strings.NewReplacer("'", `'"'"'`, "\n", " ").Replace(text) + "'"
}
