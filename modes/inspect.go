package modes

import (
	"context"
	"fmt"
	"io"
)

// InspectConfig is what fodc journal inspect is asked for.
type InspectConfig struct {
	// Dir is the storage directory of an agent, or the directory of its segments.
	Dir string
	// Output is the format: table or json. Default table.
	Output string
	// Verify: every record is read, and its checksum compared.
	Verify bool
}

func inspectTool(run Runners) tool {
	var c InspectConfig
	return tool{
		name:        "inspect",
		usage:       "shows which segments there are, from when, of how many series, and what is damaged",
		description: journalDescription,
		options: []*option{
			choiceOption(&c.Output, "output", "table", "`FORMAT`: table or json", []string{"table", "json"}),
			boolOption(&c.Verify, "verify", false, "read every record and compare its checksum; exit code 1 if something is damaged"),
		},
		run: func(ctx context.Context, dir string, stdout io.Writer) error {
			c.Dir = dir
			return run.Inspect(ctx, c, stdout)
		},
	}
}

// RunInspect prints what is in a journal.
func RunInspect(_ context.Context, c InspectConfig, stdout io.Writer) error {
	dir, err := findJournal(c.Dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, dir)
	return err
}
