package modes

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"fodc/modes/clidoc"

	"github.com/urfave/cli/v2"
)

const (
	completionName = "completion"
	manName        = "man"
)

const completionDescription = `It prints a script that completes commands, flags, and what they may have:

   source <(fodc completion bash)
   fodc completion zsh > "${fpath[1]}/_fodc"
   fodc completion fish > ~/.config/fish/completions/fodc.fish`

const manDescription = `It prints the manual page of all commands and flags, in roff:

   fodc man | man -l -
   fodc man > /usr/local/share/man/man1/fodc.1`

// completionCommand is fodc completion, with a subcommand for each shell.
func completionCommand(stderr io.Writer) *cli.Command {
	var tools []tool
	for shell, script := range map[string]func(clidoc.Command) string{"bash": clidoc.Bash, "zsh": clidoc.Zsh, "fish": clidoc.Fish} {
		tools = append(tools, tool{parent: completionName, name: shell, usage: "prints completions for " + shell, description: completionDescription,
			run: func(_ context.Context, _ string, stdout, _ io.Writer) error {
				_, err := io.WriteString(stdout, script(describedProgram()))
				return err
			}})
	}
	slices.SortFunc(tools, func(a, b tool) int { return strings.Compare(a.name, b.name) })
	return parentCommand(completionName, "prints completions for a shell", "", completionDescription, tools, stderr)
}

// manTool is fodc man.
func manTool() tool {
	return tool{name: manName, usage: "prints the manual page", description: manDescription,
		run: func(_ context.Context, _ string, stdout, _ io.Writer) error {
			_, err := io.WriteString(stdout, clidoc.Man(describedProgram(), clidoc.Page{Version: thisBuild().version, Sections: manSections}))
			return err
		}}
}

var manSections = []clidoc.Section{
	{Title: "CONFIGURATION", Texts: []string{precedence,
		"The file of --config is YAML. Its keys are the names of the flags of the mode without the dashes; a flag that may be given several times is a list. " +
			"fodc check config says what a mode would do with its flags, its variables and its file, and what is wrong with them."}},
	{Title: "EXIT STATUS", Texts: []string{"0 after a clean stop or a success, 1 after a failure, 2 for wrong usage. fodc healthcheck has only 0 and 1."}},
	{Title: "SIGNALS", Texts: []string{"SIGTERM and SIGINT stop a mode cleanly within 2 s. At SIGHUP files of rules, certificates, keys and tokens are read again."}},
}

// describedProgram returns the command line of the program.
func describedProgram() clidoc.Command {
	app := newApp(io.Discard, io.Discard, Runners{})
	program := clidoc.Command{Name: programName, Usage: app.Usage, Flags: describedFlags(app.Flags)}
	for _, cmd := range app.Commands {
		program.Commands = append(program.Commands, describedCommand(programName, cmd))
	}
	return program
}

// describedCommand returns a command and those below it; place is the command line up to it.
func describedCommand(place string, cmd *cli.Command) clidoc.Command {
	place += " " + cmd.Name
	c := clidoc.Command{Name: cmd.Name, Usage: cmd.Usage, Description: cmd.Description, Flags: describedFlags(cmd.Flags)}
	if cmd.Name == "agent" || cmd.Name == "proxy" || cmd.Name == standaloneRole {
		c.Description = "" // It is a section of its own.
		if mode := programName + " " + cmd.Name; place != mode {
			c.Like = mode
		}
	}
	if len(cmd.Subcommands) == 0 {
		c.Operand = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(cmd.UsageText, place), "[flags]")) + cmd.ArgsUsage
	}
	for _, sub := range cmd.Subcommands {
		c.Commands = append(c.Commands, describedCommand(place, sub))
	}
	return c
}

// helpFlag is what every command has.
var helpFlag = clidoc.Flag{Name: "help", Usage: "show help"}

var backquoted = regexp.MustCompile("`([^`]+)`")

func describedFlags(flags []cli.Flag) (all []clidoc.Flag) {
	for _, f := range flags {
		one := clidoc.Flag{Name: f.Names()[0], Usage: fmt.Sprint(f)}
		switch f := f.(type) {
		case cliFlag:
			one.Usage, one.Default, one.Choices = backquoted.ReplaceAllString(f.usage, "$1"), f.GetDefaultText(), f.choices
			if value := backquoted.FindStringSubmatch(f.usage); value != nil {
				one.Value = value[1]
			} else if !f.isBool && f.choices == nil {
				one.Value = "VALUE"
			}
			if !f.noEnv {
				one.Variable = f.envVar()
			}
		case *cli.BoolFlag:
			one.Usage = f.Usage
		}
		if !slices.ContainsFunc(all, func(other clidoc.Flag) bool { return other.Name == one.Name }) {
			all = append(all, one)
		}
	}
	if !slices.ContainsFunc(all, func(f clidoc.Flag) bool { return f.Name == helpFlag.Name }) {
		all = append(all, helpFlag)
	}
	return all
}
