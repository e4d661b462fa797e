package modes

import (
	"io"

	"github.com/urfave/cli/v2"
)

// checkCommandName is the command whose subcommands try out what a process would do, without starting one.
const checkCommandName = "check"

const checkDescription = "A check starts nothing and changes nothing."

// checkTools are the subcommands of fodc check but for config, which has subcommands of its own.
func checkTools(run Runners) []tool {
	return []tool{checkMaskTool(run), checkProxyTool(run), checkRulesTool(run)}
}

// checkCommand is fodc check, with its subcommands.
func checkCommand(stderr io.Writer, run Runners) *cli.Command {
	return parentCommand(checkCommandName, "shows what a process would make of what it is given, without starting one", "", checkDescription,
		checkTools(run), stderr, checkConfigCommand(stderr, run))
}
