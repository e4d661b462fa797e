package modes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
	"fodc/modes/incidents"
	"fodc/modes/logsink"
)

// RunIncidents shows incidents, or does something to one.
func RunIncidents(ctx context.Context, c IncidentsConfig, stdout, stderr io.Writer) error {
	client, err := newIncidentsClient(c)
	if err != nil {
		return err
	}
	defer client.close()
	r := incidentsRun{c, client, stdout, stderr}
	switch c.Do {
	case IncidentsList:
		return r.list(ctx)
	case IncidentsCapture:
		return r.capture(ctx)
	}
	id, err := r.choose(ctx)
	if err != nil {
		return err
	}
	switch c.Do {
	case IncidentsShow:
		return r.show(ctx, id)
	case IncidentsExport:
		return r.export(ctx, id)
	}
	return r.act(ctx, id)
}

// incidentsRun is one run of the command.
type incidentsRun struct {
	IncidentsConfig
	client         *incidentsClient
	stdout, stderr io.Writer
}

const incidentsPath = "/incidents"

// get asks for a value.
func (r *incidentsRun) get(ctx context.Context, path string, params url.Values, value any) (incidents.Answer, error) {
	a, err := r.client.ask(ctx, http.MethodGet, path, params, nil)
	if err != nil {
		return a, err
	}
	return a, r.named(a.Decode(value))
}

// named adds the name of the server to an error, unless that is about what was asked for.
func (r *incidentsRun) named(err error) error {
	var said *incidents.ServerError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return fmt.Errorf("%s: %w", r.client.name(), err)
}

func (r *incidentsRun) list(ctx context.Context) error {
	now := time.Now()
	p := url.Values{"node_id": r.Nodes, "role": r.Roles, "rule": r.Rules, "state": r.States}
	for name, when := range map[string]When{"since": r.Since, "until": r.Until} {
		if at := when.Of(now, time.Time{}); !at.IsZero() {
			p.Set(name, unixSeconds(at))
		}
	}
	if r.Limit > 0 {
		p.Set("limit", strconv.Itoa(r.Limit))
	}
	var list []incidents.Summary
	a, err := r.get(ctx, incidentsPath, p, &list)
	if err != nil {
		return err
	}
	if r.Output == outputJSON {
		return writeIndented(r.stdout, a.Body)
	}
	return incidents.WriteList(r.stdout, list, time.Local)
}

// writeIndented writes JSON as it was answered, for people who look at it: without what controls a terminal.
func writeIndented(w io.Writer, text []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := logsink.NewWriter(w).Write(b.Bytes())
	return err
}

// choose returns the id of the incident that is meant.
func (r *incidentsRun) choose(ctx context.Context) (string, error) {
	if id := strings.ToUpper(r.ID); messages.ValidIncidentID(id) {
		return id, nil
	}
	p := url.Values{}
	if strings.EqualFold(r.ID, incidents.Last) {
		p.Set("limit", "1")
	}
	var list []incidents.Summary
	if _, err := r.get(ctx, incidentsPath, p, &list); err != nil {
		return "", err
	}
	id, err := incidents.Choose(list, r.ID)
	if err == nil && !messages.ValidIncidentID(id) {
		err = fmt.Errorf("the server has answered the id %.40q, which is no ULID", id)
	}
	return id, r.named(err)
}

func (r *incidentsRun) show(ctx context.Context, id string) error {
	path := incidentsPath + "/" + id
	var i messages.Incident
	a, err := r.get(ctx, path, nil, &i)
	if err != nil {
		return err
	}
	if r.Output == outputJSON {
		return writeIndented(r.stdout, a.Body)
	}
	changes := new(incidents.Changes)
	if _, err := r.get(ctx, path+"/changes", nil, changes); err != nil {
		r.warn("what has changed is not known: " + err.Error())
		changes = nil
	}
	return incidents.Write(r.stdout, &i, changes, time.Local)
}

func (r *incidentsRun) warn(text string) {
	fmt.Fprintln(r.stderr, logsink.Printable(programName+" "+incidentsCommandName+" "+string(r.Do)+": "+text))
}

func (r *incidentsRun) capture(ctx context.Context) error {
	order := map[string]any{"reason": r.Reason, "profiles": r.Profiles}
	if len(r.Nodes) > 0 {
		order["nodes"] = r.Nodes
	}
	for name, d := range map[string]string{"before": r.Before, "after": r.After} {
		if d != "" {
			order[name] = d
		}
	}
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	a, err := r.client.ask(ctx, http.MethodPost, incidentsPath, nil, body)
	if err != nil {
		return err
	}
	var i messages.Incident
	if err := a.Decode(&i); err != nil {
		return r.named(err)
	}
	if r.Output == outputJSON {
		return writeIndented(r.stdout, a.Body)
	}
	_, err = fmt.Fprintf(r.stdout, "incident %s is open; see %s %s %s %[1]s\n", logsink.Printable(i.ID), programName, incidentsCommandName, IncidentsShow)
	return err
}

// act pins, lets go or removes an incident.
func (r *incidentsRun) act(ctx context.Context, id string) error {
	method, path, done := http.MethodPut, incidentsPath+"/"+id+"/pin", "pinned"
	switch r.Do {
	case IncidentsUnpin:
		method, done = http.MethodDelete, "not pinned any more"
	case IncidentsDelete:
		method, path, done = http.MethodDelete, incidentsPath+"/"+id, "deleted"
	}
	a, err := r.client.ask(ctx, method, path, nil, nil)
	if err == nil {
		err = r.named(a.Err())
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.stdout, "incident %s is %s\n", id, done)
	return err
}
