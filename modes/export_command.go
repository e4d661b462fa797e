package modes

import (
	"context"
	"errors"
	"io"
	"time"

	"fodc/messages"
	"fodc/modes/export"
	"fodc/modes/logsink"
)

const exportDescription = journalDescription + `

openmetrics is one page with times, to stdout or a file: promtool tsdb create-blocks-from openmetrics reads it.
tsdb is a directory of blocks: prometheus --storage.tsdb.path=DIR serves it.
Samples have the labels that they have on the metrics page of a proxy.`

func exportTool(run Runners) tool {
	var c export.Config
	return tool{
		parent:      journalCommandName,
		name:        "export",
		operand:     journalOperand,
		usage:       "writes the samples for Prometheus, promtool and what else reads OpenMetrics",
		description: exportDescription,
		options: []*option{
			choiceOption(&c.Format, "format", export.FormatOpenMetrics, "`FORMAT`: openmetrics or tsdb", []string{export.FormatOpenMetrics, export.FormatTSDB}),
			timeOption(&c.Window.Start, "start", "only samples of `TIME` and later: RFC 3339, or unix seconds"),
			timeOption(&c.Window.End, "end", "only samples of `TIME` and before"),
			matchOption(&c.Match, "match", "only series that `SELECTOR` matches, as in PromQL; may be given several times, one must match"),
			textOption(&c.Output, "output", "", "write to `PATH`, which must not exist: a file, or with --format=tsdb a directory (default: stdout, tsdb has none)"),
		},
		finish: func() error { return checkExport(c) },
		run: func(ctx context.Context, dir string, stdout, stderr io.Writer) error {
			c.Dir = dir
			return run.Export(ctx, c, stdout, stderr)
		},
	}
}

func checkExport(c export.Config) error {
	switch w := c.Window; {
	case !w.Start.IsZero() && !w.End.IsZero() && w.Start.After(w.End):
		return invalid("start", w.Start.Format(time.RFC3339Nano), "must not be after --end, which is %s", w.End.Format(time.RFC3339Nano))
	case c.Format == export.FormatTSDB && c.Output == "":
		return absent("output", "with --format=tsdb it is the directory of the blocks")
	}
	return nil
}

// timeOption is a time as the windows of a proxy's HTTP API have it.
func timeOption(dst *time.Time, name, usage string) *option {
	return &option{name: name, usage: usage, parse: func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		at, err := messages.ParseTime(texts[0])
		if err != nil {
			return invalid(name, texts[0], "%v", err)
		}
		*dst = at
		return nil
	}}
}

func matchOption(dst *export.Matchers, name, usage string) *option {
	return &option{name: name, usage: usage, repeatable: true, parse: func(texts []string) error {
		*dst = nil
		for _, text := range texts {
			all, err := dst.ParseMatcher(text)
			if err != nil {
				return invalid(name, text, "%v", err)
			}
			*dst = all
		}
		return nil
	}}
}

// RunExport writes what a journal has in another format: at a terminal without what controls it, which labels may have.
func RunExport(ctx context.Context, c export.Config, stdout, stderr io.Writer) error {
	_, files, err := openJournal(c.Dir)
	if err != nil {
		return err
	}
	if isTerminal(stdout) {
		shown := logsink.NewWriter(stdout)
		return errors.Join(export.Run(ctx, c, files, shown, stderr), shown.Close())
	}
	return export.Run(ctx, c, files, stdout, stderr)
}
