package modes

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/urfave/cli/v2"
)

// incidentsCommandName is the command whose subcommands show and change incidents.
const incidentsCommandName = "incidents"

// IncidentsDo is one of the subcommands of fodc incidents.
type IncidentsDo string

// The subcommands.
const (
	IncidentsList    IncidentsDo = "list"
	IncidentsShow    IncidentsDo = "show"
	IncidentsExport  IncidentsDo = "export"
	IncidentsCapture IncidentsDo = "capture"
	IncidentsPin     IncidentsDo = "pin"
	IncidentsUnpin   IncidentsDo = "unpin"
	IncidentsDelete  IncidentsDo = "delete"
)

// IncidentsConfig is what fodc incidents is asked for.
type IncidentsConfig struct {
	Do IncidentsDo
	// ID is the id, the beginning of one, or "last".
	ID string
	// ProxyURL is the proxy or agent that is asked. Default http://localhost:17901.
	ProxyURL string
	// HTTPConfigFile says how it is asked. Default "": as anybody may.
	HTTPConfigFile string
	// Output is table or json. Default table.
	Output string
	// Timeout bounds the wait for an answer; of an export, that for its next bytes.
	Timeout time.Duration
	// Nodes are those that the list, the export or the capture is about; none = all.
	Nodes []string
	// Roles, Rules, States, Since, Until and Limit are of the list. Limit 0: all.
	Roles, Rules, States []string
	Since, Until         When
	Limit                int
	// File is where the export goes; "-" is stdout. Default: fodc-incident-ID.tar.gz. Lite makes it small.
	File string
	Lite bool
	// Reason, Before, After and Profiles are of a capture. An empty duration is left to the server.
	Reason, Before, After string
	Profiles              bool
}

const incidentsDescription = `They are those of the proxy, or of the agent, at --proxy-url. An ID may be the beginning of one, or "last", which is the newest.
capture, pin, unpin and delete must run on the machine of the proxy, unless that has --allow-remote-actions.`

var incidentOperand = operand{"ID", "the id of an incident, the beginning of one, or last (see fodc incidents list)", "must be the id of an incident, or last", "one ID is allowed", ""}

// incidentsTools are the subcommands of fodc incidents.
func incidentsTools(run Runners) []tool {
	simple := func(do IncidentsDo, usage string) tool {
		return incidentsTool(run, do, usage, incidentOperand, func(*IncidentsConfig) []*option { return nil })
	}
	return []tool{
		incidentsTool(run, IncidentsList, "lists what has gone wrong, the newest first", operand{}, listOptions),
		incidentsTool(run, IncidentsShow, "shows one incident: its timeline, what changed first, what evidence there is", incidentOperand, showOptions),
		incidentsTool(run, IncidentsExport, "writes all of the evidence to one file", incidentOperand, exportIncidentOptions),
		incidentsTool(run, IncidentsCapture, "keeps the evidence of this moment, with profiles", operand{}, captureOptions),
		simple(IncidentsPin, "keeps an incident for good"),
		simple(IncidentsUnpin, "lets an incident go when there is no room for it any more"),
		simple(IncidentsDelete, "removes an incident with its evidence"),
	}
}

// incidentsCommand is fodc incidents, with its subcommands.
func incidentsCommand(stderr io.Writer, run Runners) *cli.Command {
	return parentCommand(incidentsCommandName, "shows what has gone wrong, and keeps, exports or removes the evidence", "", incidentsDescription,
		incidentsTools(run), stderr)
}

func incidentsTool(run Runners, do IncidentsDo, usage string, o operand, options func(*IncidentsConfig) []*option) tool {
	c := IncidentsConfig{Do: do}
	proxy := textOption(&c.ProxyURL, "proxy-url", "http://localhost:17901", "`URL` of the proxy, or of an agent, that is asked")
	proxy.variable = envPrefix + "INCIDENTS_PROXY_URL"
	timeout := durationOption(&c.Timeout, "timeout", "30s", "`DURATION` to wait for an answer")
	if do == IncidentsExport {
		timeout = durationOption(&c.Timeout, "timeout", "2m", "`DURATION` to wait for the next bytes")
	}
	return tool{parent: incidentsCommandName, name: string(do), usage: usage, description: incidentsDescription, operand: o,
		options: append(options(&c), proxy, httpConfigOption(&c.HTTPConfigFile), timeout),
		finish:  func() error { return c.Validate() },
		run: func(ctx context.Context, id string, stdout, stderr io.Writer) error {
			c.ID = id
			return run.Incidents(ctx, c, stdout, stderr)
		}}
}

func incidentOutput(c *IncidentsConfig) *option {
	return choiceOption(&c.Output, "output", outputTable, "`FORMAT`: table or json", []string{outputTable, outputJSON})
}

func listOptions(c *IncidentsConfig) []*option {
	limit := intOption(&c.Limit, "limit", "", "`NUMBER` of incidents that are shown at most", incidentLimitRange)
	limit.defaultText = "all"
	parseLimit := limit.parse
	limit.parse = func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		return parseLimit(texts)
	}
	return []*option{
		listOption(&c.Nodes, "node", "only incidents with this `NODE_ID`; may be given several times"),
		listOption(&c.Roles, "role", "only incidents with a node of this `ROLE`; may be given several times"),
		listOption(&c.Rules, "rule", "only incidents in which this `RULE` has fired; may be given several times"),
		listOption(&c.States, "state", "only incidents in this `STATE`: open, frozen or collected; may be given several times"),
		whenOption(&c.Since, "since", "", "only incidents since `TIME`: RFC 3339, unix seconds, or how long ago (-24h)"),
		whenOption(&c.Until, "until", "", "only incidents until `TIME`"),
		limit, incidentOutput(c),
	}
}

var incidentLimitRange = intRange{1, 1_000_000}

func showOptions(c *IncidentsConfig) []*option { return []*option{incidentOutput(c)} }

func exportIncidentOptions(c *IncidentsConfig) []*option {
	file := textOption(&c.File, "o", "", "`FILE` to write, or - for stdout")
	file.defaultText = "fodc-incident-ID.tar.gz"
	return []*option{file,
		listOption(&c.Nodes, "node", "only the evidence of this `NODE_ID`; may be given several times"),
		boolOption(&c.Lite, "lite", false, "no profiles, of the metrics only those that have changed, and of logs the last 256 KiB"),
	}
}

func captureOptions(c *IncidentsConfig) []*option {
	before := captureDuration(&c.Before, "before", "how much time before now is evidence, as `DURATION`")
	before.defaultText = "what the server has as --incident-before"
	after := captureDuration(&c.After, "after", "how much time from now on is evidence, as `DURATION`")
	after.defaultText = "0s"
	return []*option{
		textOption(&c.Reason, "reason", "", "`TEXT` that says to others why; required"),
		listOption(&c.Nodes, "node", "only this `NODE_ID`; may be given several times"),
		before, after,
		boolOption(&c.Profiles, "profiles", true, "ask the nodes for profiles"),
		incidentOutput(c),
	}
}

// captureDuration is a duration as Prometheus has it, which the server bounds.
func captureDuration(dst *string, name, usage string) *option {
	return &option{name: name, usage: usage, parse: func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		if _, err := model.ParseDuration(texts[0]); err != nil {
			return invalid(name, texts[0], "must be a duration such as 10m")
		}
		*dst = texts[0]
		return nil
	}}
}

// incidentStates are those that the list may be asked for.
var incidentStates = []string{string(messages.IncidentOpen), string(messages.IncidentFrozen), string(messages.IncidentCollected)}

// Validate returns an error of one line unless that can be asked for.
func (c IncidentsConfig) Validate() error {
	return cmp.Or(checkProxyURL("proxy-url", c.ProxyURL), checkSettingsFile(httpConfigFlag, c.HTTPConfigFile), c.checkStates(), c.checkReason(), c.checkSince())
}

func (c IncidentsConfig) checkStates() error {
	for _, s := range c.States {
		if !slices.Contains(incidentStates, s) {
			return invalid("state", s, "must be %s", oneOf(incidentStates))
		}
	}
	return nil
}

func (c IncidentsConfig) checkReason() error {
	switch {
	case c.Do != IncidentsCapture:
		return nil
	case strings.TrimSpace(c.Reason) == "":
		return absent("reason", "it says to others why the evidence is kept")
	case len(c.Reason) > messages.MaxIncidentText:
		return invalid("reason", c.Reason[:20]+"...", "must have at most %s bytes", strconv.Itoa(messages.MaxIncidentText))
	}
	return nil
}

func (c IncidentsConfig) checkSince() error {
	if s, u := c.Since, c.Until; !s.At.IsZero() && !u.At.IsZero() && s.At.After(u.At) || s.Ago > 0 && u.Ago > s.Ago {
		return invalid("since", s.text(), "must not be after --until, which is %s", u.text())
	}
	return nil
}
