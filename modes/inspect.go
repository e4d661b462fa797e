package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"fodc/modes/inspect"
	"fodc/recorder/journal"
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

const (
	outputTable = "table"
	outputJSON  = "json"
)

func inspectTool(run Runners) tool {
	var c InspectConfig
	return tool{
		parent:      journalCommandName,
		name:        "inspect",
		operand:     journalOperand,
		usage:       "shows which segments there are, from when, of how many series, and what is damaged",
		description: journalDescription,
		options: []*option{
			choiceOption(&c.Output, "output", outputTable, "`FORMAT`: table or json", []string{outputTable, outputJSON}),
			boolOption(&c.Verify, "verify", false, "read every record and compare its checksum; exit code 1 if something is damaged"),
		},
		run: func(ctx context.Context, dir string, stdout, _ io.Writer) error {
			c.Dir = dir
			return run.Inspect(ctx, c, stdout)
		},
	}
}

// RunInspect prints what is in a journal. With Verify, the error says how much is damaged, if
// anything is.
func RunInspect(ctx context.Context, c InspectConfig, stdout io.Writer) error {
	dir, files, err := openJournal(c.Dir)
	if err != nil {
		return err
	}
	view, err := openView(ctx, files)
	if err == nil && c.Verify {
		view, err = verify(ctx, files, view)
	}
	if err != nil {
		return err
	}
	report := inspect.New(dir, view)
	report.Verified = c.Verify
	write := report.WriteTable
	if c.Output == outputJSON {
		write = report.WriteJSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	if c.Verify && len(report.Damage) > 0 {
		return fmt.Errorf("damaged: %d of %d files in %s", len(report.Damage), len(report.Segments)+len(view.Unreadable), dir)
	}
	return nil
}

// A record that an agent is writing at the moment looks as if it was cut off. So the end of the
// newest segment is read again, a few times, before it counts as damaged.
const (
	tornReads    = 5
	tornReadWait = 50 * time.Millisecond
)

// openView returns the segments that are there now.
func openView(ctx context.Context, files journal.FS) (*journal.View, error) {
	for reads := 1; ; reads++ {
		view, err := journal.OpenView(files)
		if err != nil || len(view.Segments) == 0 || reads == tornReads {
			return view, err
		}
		if newest := &view.Segments[len(view.Segments)-1]; newest.Damage == nil || !newest.Damage.Torn {
			return view, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(tornReadWait):
		}
	}
}

// verify returns the segments with the damage that a reader of all their records finds. Those that
// retention removes meanwhile are left out.
func verify(ctx context.Context, files journal.FS, found *journal.View) (*journal.View, error) {
	v := &journal.View{Unreadable: slices.Clone(found.Unreadable)}
	for _, s := range found.Segments {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if s.Damage == nil {
			damage, err := journal.Verify(files, s)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				v.Unreadable = append(v.Unreadable, journal.Unreadable{Name: s.Name, Size: s.Size, Err: err})
				continue
			}
			s.Damage = damage
		}
		v.Segments = append(v.Segments, s)
	}
	return v, nil
}
