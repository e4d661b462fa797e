package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"fodc/messages"

	"github.com/prometheus/common/model"
	"go.uber.org/zap"
)

// Limits of an order.
const (
	maxOrderBytes = 64 << 10
	maxBefore     = 24 * time.Hour
	maxAfter      = time.Hour
)

// actionCreate is the action of POST /incidents, for the log.
const actionCreate = messages.IncidentAction("create")

// incidentOrder is the body of POST /incidents.
type incidentOrder struct {
	Reason   string   `json:"reason"`
	Nodes    []string `json:"nodes"`
	Before   *string  `json:"before"`
	After    *string  `json:"after"`
	Profiles *bool    `json:"profiles"`
}

// create opens an incident, and responds with it.
func (i *Incidents) create(w http.ResponseWriter, r *http.Request) error {
	var incident *messages.Incident
	var order messages.IncidentOrder
	err := i.acting(r, func(ctx context.Context) (err error) {
		if order, err = i.readOrder(r); err != nil {
			return err
		}
		unknown, err := i.unknownNodes(ctx, order.Nodes)
		if err != nil {
			return err
		}
		if len(unknown) > 0 {
			return messages.Errorf(messages.ErrNotFound, "nodes: not known here are %s", quotedList(unknown))
		}
		incident, err = i.Create(ctx, order)
		return err
	})
	id := ""
	if incident != nil {
		id = incident.ID
	}
	i.logAction(r, actionCreate, id, err, zap.String("reason", order.Reason), zap.Strings("nodes", order.Nodes))
	if err != nil {
		return err
	}
	body, err := messages.EncodeIncident(incident)
	if err != nil {
		return err
	}
	w.Header().Set("Location", i.prefix+"/incidents/"+incident.ID)
	return writeBody(w, http.StatusCreated, contentJSON, body)
}

// servePin keeps an incident, or lets it go.
func (i *Incidents) servePin(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPut {
		return i.act(w, r, messages.IncidentPin)
	}
	return i.act(w, r, messages.IncidentUnpin)
}

// act does something to the incident of a request.
func (i *Incidents) act(w http.ResponseWriter, r *http.Request, action messages.IncidentAction) error {
	id := truncated(r.PathValue("incident_id"))
	err := i.acting(r, func(ctx context.Context) (err error) { // Who may not act learns no more.
		if id, err = incidentID(r); err != nil {
			return err
		}
		return i.actOn(ctx, id, action)
	})
	i.logAction(r, action, id, err)
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// actOn does something to an incident. One that is pinned is not deleted: somebody wants it to stay.
func (i *Incidents) actOn(ctx context.Context, id string, action messages.IncidentAction) error {
	if action == messages.IncidentDelete {
		if incident, err := i.Get(ctx, id); err == nil && incident.Pinned {
			return messages.Errorf(messages.ErrConflict, "incident %s is pinned, so that it stays: unpin it first", id)
		}
	}
	err := i.Act(ctx, id, action)
	if errors.Is(err, messages.ErrIncidentOpen) {
		return messages.Errorf(messages.ErrConflict, "incident %s is open: wait until it is frozen", id)
	}
	return err
}

// acting calls do if the client may change something.
func (i *Incidents) acting(r *http.Request, do func(context.Context) error) error {
	if err := i.checkActor(r); err != nil {
		return err
	}
	release, err := acquire(i.limits.actions, "actions on incidents")
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), actionTimeout)
	defer cancel()
	return do(ctx)
}

// logAction writes who has done what, or was not allowed to.
func (i *Incidents) logAction(r *http.Request, action messages.IncidentAction, id string, err error, more ...zap.Field) {
	fields := append([]zap.Field{zap.String("action", string(action)), zap.String("incident", id), zap.String("by", actorOf(r)),
		zap.String("client", r.RemoteAddr)}, more...)
	if err != nil {
		i.log.Warn("an action on incidents was refused or has failed", append(fields, zap.Error(err))...)
		return
	}
	i.log.Info("an action on incidents", fields...)
}

func (i *Incidents) readOrder(r *http.Request) (messages.IncidentOrder, error) {
	o := messages.IncidentOrder{Before: i.Before, Profiles: true, By: actorOf(r)}
	body, err := readOrderBody(r)
	if err != nil {
		return o, err
	}
	switch {
	case strings.TrimSpace(body.Reason) == "":
		return o, messages.Errorf(messages.ErrBadData, "reason: it is missing, and says to others why there is this incident")
	case len(body.Reason) > messages.MaxIncidentText:
		return o, messages.Errorf(messages.ErrBadData, "reason: it has %d bytes, at most %d are allowed", len(body.Reason), messages.MaxIncidentText)
	case len(body.Nodes) > messages.MaxIncidentNodes:
		return o, messages.Errorf(messages.ErrBadData, "nodes: there are %d, at most %d are allowed", len(body.Nodes), messages.MaxIncidentNodes)
	}
	o.Reason, o.Nodes = body.Reason, body.Nodes
	if o.Before, err = orderDuration("before", body.Before, i.Before, maxBefore); err != nil {
		return o, err
	}
	if o.After, err = orderDuration("after", body.After, 0, maxAfter); err != nil {
		return o, err
	}
	if body.Profiles != nil {
		o.Profiles = *body.Profiles
	}
	return o, nil
}

func orderDuration(name string, text *string, absent, most time.Duration) (time.Duration, error) {
	if text == nil {
		return absent, nil
	}
	d, err := model.ParseDuration(*text)
	if err != nil || time.Duration(d) > most {
		return 0, messages.Errorf(messages.ErrBadData, "%s %q: a duration such as 10m is allowed, up to %dh", name, truncated(*text), int(most.Hours()))
	}
	return time.Duration(d), nil
}

// readOrderBody reads the body. Web pages of other sites cannot send its type without asking.
func readOrderBody(r *http.Request) (body incidentOrder, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != contentJSON {
		return body, messages.Errorf(messages.ErrBadData, "Content-Type %q: allowed is %s", truncated(r.Header.Get("Content-Type")), contentJSON)
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxOrderBytes+1))
	switch {
	case err != nil:
		return body, messages.Errorf(messages.ErrBadData, "the body cannot be read: %v", err)
	case len(text) > maxOrderBytes:
		return body, messages.Errorf(messages.ErrTooLarge, "the body has more than %d bytes", maxOrderBytes)
	case !utf8.Valid(text):
		return body, messages.Errorf(messages.ErrBadData, "the body is not valid UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err = d.Decode(&body); err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind the object")
		}
	}
	if err != nil {
		return body, messages.Errorf(messages.ErrBadData, "the body is not what is allowed, such as %s: %s",
			`{"reason":"slow queries","nodes":["data-0"],"before":"10m","after":"0s","profiles":true}`, truncated(bodyFault(err)))
	}
	return body, nil
}

// bodyFault says what is wrong with a body, in words of JSON and not of this program.
func bodyFault(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends within the object"
	case !errors.As(err, &wrong):
		return strings.TrimPrefix(err.Error(), "json: ")
	case wrong.Field == "":
		return "an object is allowed, not a JSON " + wrong.Value
	}
	allowed := "a string"
	switch wrong.Type.Kind() {
	case reflect.Slice:
		allowed = "an array of strings"
	case reflect.Bool:
		allowed = "true or false"
	}
	return fmt.Sprintf("%s: %s is allowed, not a JSON %s", wrong.Field, allowed, wrong.Value)
}
