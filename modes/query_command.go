package modes

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"fodc/messages"
)

// QueryCommandConfig is what fodc query is asked for.
type QueryCommandConfig struct {
	// Expr is the expression.
	Expr string
	// Time is when it is evaluated. Default: now. Start, End and Step make it a range of time
	// instead, if one of them is given.
	Time, Start, End When
	Step             time.Duration
	// ProxyURL is the proxy or agent that is asked. Default http://localhost:17901.
	ProxyURL string
	// HTTPConfigFile says how it is asked. Default "": as anybody may.
	HTTPConfigFile string
	// Dir is the directory that is asked instead: a journal, or blocks of a database.
	Dir string
	// Strict makes it an error if a part of the data is missing.
	Strict bool
	// Timeout bounds the query. Default 30 s.
	Timeout time.Duration
	// Output is table, json or csv. Default table.
	Output string
}

const outputCSV = "csv"

// When is a time that is given as such, or as how long before now it is. The zero value is none.
type When struct {
	At  time.Time
	Ago time.Duration
}

// maxAgo bounds how long before now a time may be.
const maxAgo = 10 * year

func parseWhen(text string) (When, error) {
	ago, isRelative := strings.CutPrefix(text, "-")
	if !isRelative {
		at, err := messages.ParseTime(text)
		if errors.Is(err, messages.ErrNoTime) {
			err = errNotWhen
		}
		return When{At: at}, err
	}
	d, err := parseDuration(ago)
	if err != nil || d <= 0 || d > maxAgo {
		return When{}, errNotAgo
	}
	return When{Ago: d}, nil
}

type constantError string

func (e constantError) Error() string { return string(e) }

const (
	errNotAgo  constantError = "not how long ago, up to 10 years, such as -15m"
	errNotWhen constantError = "neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds, nor how long ago (-15m)"
)

// IsZero reports whether no time is given.
func (w When) IsZero() bool { return w == When{} }

// Of returns the time; or the default if none is given.
func (w When) Of(now, byDefault time.Time) time.Time {
	switch {
	case w.Ago > 0:
		return now.Add(-w.Ago)
	case w.At.IsZero():
		return byDefault
	}
	return w.At
}

// IsRange reports whether a range of time is asked for.
func (c QueryCommandConfig) IsRange() bool {
	return !c.Start.IsZero() || !c.End.IsZero() || c.Step != 0
}

const queryDescription = `EXPR is an expression of PromQL. It is evaluated by the proxy, over the samples of all nodes, or by an agent: --proxy-url.
With --dir it is evaluated in this process, over the storage directory of an agent, or over blocks of a Prometheus
database, such as fodc journal export writes: no other process is needed, and "now" is the time of the newest sample.

A TIME is RFC 3339 (2006-01-02T15:04:05Z), unix seconds, or how long ago: -15m. With --start, --end or --step the
expression is evaluated for each step of a range, and a chart is drawn; else it is evaluated once.
What is missing, such as a node without an answer, is said on stderr. An expression that begins with - stands behind --.

   fodc query 'sum by (node_id) (rate(node_cpu_seconds_total{mode="user"}[1m]))' --start -1h
   fodc query fodc_agent_up --output csv --dir /var/lib/fodc`

// queryOperand is the expression.
var queryOperand = operand{"EXPR", "an expression of PromQL, such as fodc_agent_up", "must be an expression of PromQL",
	"one EXPR is allowed; quote one that has spaces", "an EXPR that begins with - stands behind --"}

// stepRange is how much time there may be between the steps of a range.
var stepRange = durationRange{time.Millisecond, year, "such as 15s or 1m"}

func queryTool(run Runners) tool {
	var c QueryCommandConfig
	proxy := textOption(&c.ProxyURL, "proxy-url", "http://localhost:17901", "`URL` of the proxy, or of an agent, that is asked")
	proxy.variable = envPrefix + "QUERY_PROXY_URL"
	step := stepRange.option(&c.Step, "step", "", "`DURATION` between the steps of the range")
	step.defaultText = "for about 250 steps, at least 1s"
	parseStep := step.parse
	step.parse = func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		return parseStep(texts)
	}
	return tool{
		name:        "query",
		usage:       "evaluates an expression of PromQL over the nodes, or over what a node has left on disk",
		description: queryDescription,
		operand:     queryOperand,
		options: []*option{
			whenOption(&c.Time, "time", "now", "`TIME` for which the expression is evaluated"),
			whenOption(&c.Start, "start", "1h before the end", "first `TIME` of a range"),
			whenOption(&c.End, "end", "now", "last `TIME` of a range"),
			step,
			proxy,
			httpConfigOption(&c.HTTPConfigFile),
			textOption(&c.Dir, "dir", "", "`DIRECTORY` that is asked instead of a proxy: of an agent's storage, or of blocks"),
			boolOption(&c.Strict, "strict", false, "fail if a node, or a part of the data, is missing"),
			durationOption(&c.Timeout, "timeout", "30s", "`DURATION` that the query may take"),
			choiceOption(&c.Output, "output", outputTable, "`FORMAT`: table, json or csv", []string{outputTable, outputJSON, outputCSV}),
		},
		finish: func() error {
			if c.Dir != "" && len(proxy.given) > 0 {
				return invalid("proxy-url", c.ProxyURL, "must not be given with --dir")
			}
			if c.Dir != "" && c.HTTPConfigFile != "" {
				return invalid(httpConfigFlag, c.HTTPConfigFile, "must not be given with --dir")
			}
			return c.Validate()
		},
		run: func(ctx context.Context, expr string, stdout, stderr io.Writer) error {
			c.Expr = expr
			return run.Query(ctx, c, stdout, stderr)
		},
	}
}

// Validate returns an error of one line unless the query can be made.
func (c QueryCommandConfig) Validate() error {
	return cmp.Or(c.checkTimes(), checkProxyURL("proxy-url", c.ProxyURL), checkSettingsFile(httpConfigFlag, c.HTTPConfigFile))
}

func (c QueryCommandConfig) checkTimes() error {
	switch start, end := c.Start, c.End; {
	case !c.Time.IsZero() && c.IsRange():
		return invalid("time", c.Time.text(), "must not be given with --start, --end or --step")
	case !start.At.IsZero() && !end.At.IsZero() && start.At.After(end.At), start.Ago > 0 && end.Ago > start.Ago:
		return invalid("start", start.text(), "must not be after --end, which is %s", end.text())
	}
	return nil
}

func (w When) text() string {
	if w.Ago > 0 {
		return "-" + w.Ago.String()
	}
	return w.At.Format(time.RFC3339Nano)
}

// checkProxyURL accepts http://HOST[:PORT][/PATH], and https, with a user if need be.
func checkProxyURL(flag, text string) error {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && isHost(u.Host) && isPortOrNone(u.Port()) &&
		u.RawQuery == "" && u.Fragment == "" {
		return nil
	}
	return invalid(flag, text, "must be http://HOST or https://HOST, with a port and a path if need be")
}

// whenOption is a time, as the windows of a proxy's HTTP API have it, or how long ago that is.
func whenOption(dst *When, name, def, usage string) *option {
	return &option{name: name, usage: usage, defaultText: def, parse: func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		w, err := parseWhen(texts[0])
		if err != nil {
			return invalid(name, texts[0], "%v", err)
		}
		*dst = w
		return nil
	}}
}
