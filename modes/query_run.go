package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"fodc/modes/logsink"
	"fodc/modes/query"

	"github.com/prometheus/common/model"
	"golang.org/x/term"
)

// querySource answers requests as the HTTP API of a proxy does.
type querySource interface {
	// name is how errors call it.
	name() string
	// now is the time that is meant where none is given; zero for the time at the server.
	now(ctx context.Context) (time.Time, error)
	// ask asks a path of the API.
	ask(ctx context.Context, path string, params url.Values) (query.Answer, error)
	close()
}

// RunQuery evaluates an expression and prints the result. What is missing of it is said on stderr.
func RunQuery(ctx context.Context, c QueryCommandConfig, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("no answer within %s (--timeout)", c.Timeout))
	defer cancel()
	source, err := openSource(ctx, c, stderr)
	if err != nil {
		return err
	}
	defer source.close()
	now, err := source.now(ctx)
	if err != nil {
		return err
	}
	r, err := newQueryRequest(c, now, time.Now())
	if err != nil {
		return err
	}
	answer, err := source.ask(ctx, r.path, r.params)
	if err != nil {
		return err
	}
	response, err := query.Parse(answer)
	var said *query.ServerError
	switch {
	case errors.As(err, &said): // It needs no name: it is about the expression.
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", source.name(), err)
	}
	sayNotes(stderr, "warning", response.Warnings)
	sayNotes(stderr, "info", response.Infos)
	switch c.Output {
	case outputJSON:
		return response.WriteJSON(stdout)
	case outputCSV:
		return response.WriteCSV(stdout)
	}
	return response.WriteTable(stdout, r.window, screenOf(stdout))
}

func openSource(ctx context.Context, c QueryCommandConfig, stderr io.Writer) (querySource, error) {
	if c.Dir != "" {
		return openQueryDir(ctx, c, stderr)
	}
	return newQueryClient(c)
}

// queryRequest is what the API is asked for.
type queryRequest struct {
	path   string
	params url.Values
	// window is the range of time, nil for an expression that is evaluated once.
	window *query.Range
}

// defaultRange is how long before its end a range begins.
const defaultRange = time.Hour

// newQueryRequest returns the request. now is what the source says; if that is zero, clock is what
// times are relative to.
func newQueryRequest(c QueryCommandConfig, now, clock time.Time) (queryRequest, error) {
	base := now
	if base.IsZero() {
		base = clock
	}
	p := url.Values{"query": {c.Expr}, "timeout": {seconds(serverTimeout(c.Timeout))}}
	if c.Strict {
		p.Set("strict", "1")
	}
	if !c.IsRange() {
		if at := c.Time.Of(base, now); !at.IsZero() {
			p.Set("time", unixSeconds(at))
		}
		return queryRequest{path: "/api/v1/query", params: p}, nil
	}
	end := c.End.Of(base, base).Truncate(time.Millisecond)
	start := c.Start.Of(base, end.Add(-defaultRange)).Truncate(time.Millisecond)
	if start.After(end) {
		return queryRequest{}, fmt.Errorf("the range begins at %s, after its end at %s", start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	}
	step := c.Step
	if step == 0 {
		step = defaultStep(end.Sub(start))
	}
	if err := checkSteps(end.Sub(start), step); err != nil {
		return queryRequest{}, err
	}
	p.Set("start", unixSeconds(start))
	p.Set("end", unixSeconds(end))
	p.Set("step", seconds(step))
	return queryRequest{path: "/api/v1/query_range", params: p, window: &query.Range{Start: start, End: end, Step: step}}, nil
}

// maxSteps is how many steps servers allow.
const maxSteps = 11_000

// checkSteps returns an error if a range of the length has too many steps.
func checkSteps(length, step time.Duration) error {
	steps := length / step
	if steps <= maxSteps {
		return nil
	}
	unit := time.Second
	if length < maxSteps*time.Second {
		unit = time.Millisecond
	}
	least := ((length+maxSteps-1)/maxSteps + unit - 1) / unit * unit
	return fmt.Errorf("--step %s: %s has %d steps, and %d are allowed: take %s at least",
		model.Duration(step), model.Duration(length), steps, maxSteps, model.Duration(least))
}

// serverTimeout leaves a server time to say that the query takes too long.
func serverTimeout(d time.Duration) time.Duration { return d - min(d/10, time.Second) }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func unixSeconds(t time.Time) string {
	return fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond))
}

// wantedSteps is about how many steps a range has where none is given.
const wantedSteps = 250

// niceSteps are those that are chosen; from a day on, whole days.
var niceSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

func defaultStep(length time.Duration) time.Duration {
	wanted := length / wantedSteps
	if i := slices.IndexFunc(niceSteps, func(d time.Duration) bool { return d >= wanted }); i >= 0 {
		return niceSteps[i]
	}
	const day = 24 * time.Hour
	return (wanted + day - 1) / day * day
}

// Limits of what a server says beside the result.
const (
	maxNotes     = 100
	maxNoteRunes = 1000
)

// sayNotes prints a line for each of the texts.
func sayNotes(stderr io.Writer, kind string, texts []string) {
	for _, text := range texts[:min(len(texts), maxNotes)] {
		if r := []rune(text); len(r) > maxNoteRunes {
			text = string(r[:maxNoteRunes]) + "..."
		}
		fmt.Fprintln(stderr, logsink.Printable(programName+" query: "+kind+": "+text))
	}
	if more := len(texts) - maxNotes; more > 0 {
		fmt.Fprintf(stderr, "%s query: %s: and %d more\n", programName, kind, more)
	}
}

// defaultWidth is how many columns a line has where there is no terminal.
const defaultWidth = 80

// screenOf returns what is known of where the output goes.
func screenOf(stdout io.Writer) query.Screen {
	s := query.Screen{Width: defaultWidth}
	f, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		s.Width = columns
	}
	// https://no-color.org; older consoles of Windows show colors as text.
	s.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && (runtime.GOOS != "windows" || os.Getenv("WT_SESSION") != "")
	return s
}
