package export

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"fodc/messages"
)

// The formats.
const (
	FormatOpenMetrics = "openmetrics"
	FormatTSDB        = "tsdb"
)

// Config is what fodc journal export is asked for.
type Config struct {
	// Dir is the storage directory of an agent, or the directory of its segments.
	Dir string
	// Format is FormatOpenMetrics or FormatTSDB.
	Format string
	// Window bounds the samples. An end that is zero is open.
	Window messages.Window
	Match  Matchers
	// Output is the file or, for blocks, the directory that is written. It is empty for stdout.
	Output string
}

// exporter is an export under way.
type exporter struct {
	Config
	nodes []*node
	// from and to are the window in unix milliseconds, both included.
	from, to int64
	report   *report
	// passValues is the constant, or less in tests.
	passValues int64
}

// written is what was exported.
type written struct {
	samples, series int64
	blocks          int
	overlapping     int
}

func newExporter(c Config, nodes []*node, r *report) *exporter {
	e := &exporter{Config: c, nodes: nodes, from: math.MinInt64, to: math.MaxInt64, report: r, passValues: passValues}
	if !c.Window.Start.IsZero() {
		e.from = c.Window.Start.UnixMilli()
		if time.UnixMilli(e.from).Before(c.Window.Start) {
			e.from++ // A sample of that millisecond was before the start.
		}
	}
	if !c.Window.End.IsZero() {
		e.to = c.Window.End.UnixMilli()
	}
	return e
}

// run writes to the output, or to stdout if there is none. What was written to a file or a directory
// is said on stdout.
func (e *exporter) run(ctx context.Context, stdout io.Writer) (err error) {
	defer e.report.end()
	if err := e.checkRange(); err != nil {
		return err
	}
	var all written
	switch {
	case e.Format == FormatTSDB:
		err = intoDir(e.Output, func(dir string) (err error) { all, err = e.writeBlocks(ctx, dir); return err })
	case e.Output == "":
		_, err = e.writeOpenMetrics(ctx, stdout)
		return err
	default:
		err = intoFile(e.Output, func(f *os.File) (err error) { all, err = e.writeOpenMetrics(ctx, f); return err })
	}
	if err != nil {
		return err
	}
	e.report.end()
	return e.say(stdout, all)
}

// say prints what was written.
func (e *exporter) say(stdout io.Writer, all written) error {
	w := bufio.NewWriter(stdout)
	fmt.Fprintf(w, "%s: %d samples", e.Output, all.samples)
	if all.series > 0 {
		fmt.Fprintf(w, " of %d series", all.series)
	}
	if all.blocks > 0 {
		fmt.Fprintf(w, " in %d blocks", all.blocks)
	}
	if all.overlapping > 0 {
		fmt.Fprintf(w, ", %d of them for samples that are not in the order of time", all.overlapping)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// bounds returns the times of the oldest and the newest sample of all nodes.
func (e *exporter) bounds() (from, to int64, ok bool) {
	from, to = math.MaxInt64, math.MinInt64
	for _, n := range e.nodes {
		from, to = min(from, n.from), max(to, n.to)
	}
	return from, to, len(e.nodes) > 0
}

// checkRange returns an error if the journal has nothing of the window.
func (e *exporter) checkRange() error {
	from, to, ok := e.bounds()
	switch {
	case !ok:
		return errors.New("the journal has no samples")
	case e.to < from || to < e.from:
		return e.nothing(0)
	}
	return nil
}

// nothing is the error of an export without samples. found counts those of the window.
func (e *exporter) nothing(found int64) error {
	from, to, _ := e.bounds()
	has := fmt.Sprintf("the journal has samples from %s to %s", textOf(from), textOf(to))
	if found > 0 && len(e.Match) > 0 {
		return fmt.Errorf("no series is selected by --match: %s", has)
	}
	return fmt.Errorf("no samples from %s to %s: %s", boundText(e.Window.Start), boundText(e.Window.End), has)
}

func boundText(t time.Time) string {
	if t.IsZero() {
		return "..."
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func textOf(at int64) string { return boundText(time.UnixMilli(at)) }
