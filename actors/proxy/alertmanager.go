package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// AlertmanagerConfig says who is told about incidents.
type AlertmanagerConfig struct {
	// URLs are those of Alertmanagers, without /api/v2/alerts. They may have a user and a password.
	URLs []*url.URL
	// Pages is the URL under which people reach the proxy, without a slash at its end.
	Pages string
	// Client returns the client for the next request; nil: one that anybody may be. It must not block.
	Client func() *http.Client
	// Post sends the body; nil: over HTTP. Its error is errAlertsRefused if it is of no use to try again.
	Post func(ctx context.Context, to *url.URL, body []byte) error
}

// errAlertsRefused is the error of an Alertmanager that does not want the alerts.
var errAlertsRefused = errors.New("refused")

// Messages of the actor alertmanager.
type (
	// incidentAlert tells it of an incident as it is now. Others than openings and ends are of no matter, and may be
	// told, too.
	incidentAlert struct{ incident *messages.Incident }
	// incidentRemoved tells it of an incident that is not there any more.
	incidentRemoved struct{ id string }
	// alertsPosted is what has come of a request.
	alertsPosted struct {
		target int
		number uint64
		err    error
	}
)

// alertmanager is the actor that tells Alertmanagers of incidents. Each is sent one request at a time, in a
// goroutine.
type alertmanager struct {
	sys    *actors.System
	log    *zap.Logger
	cfg    AlertmanagerConfig
	state  *alertmanagerState
	counts *atomic.Pointer[[]messages.AlertmanagerCounts]
	ctx    context.Context
	cancel context.CancelFunc
	next   actors.Timer
	// failing are those of which the log says that they take nothing.
	failing []bool
}

// startAlertmanager spawns the actor; without a URL there is none.
func (p *Proxy) startAlertmanager(cfg AlertmanagerConfig) {
	if len(cfg.URLs) == 0 {
		return
	}
	if cfg.Post == nil {
		cfg.Post = newAlertClient(cfg.Client).post
	}
	names := make([]string, len(cfg.URLs))
	for n, u := range cfg.URLs {
		names[n] = withoutUser(u)
	}
	p.alertmanager = p.sys.Spawn("alertmanager", actors.ResumeOnFailure(), func() actors.Actor {
		a := &alertmanager{sys: p.sys, log: p.sys.Log().Named("alertmanager"), cfg: cfg, state: newAlertmanagerState(cfg.Pages, names),
			counts: &p.alertCounts, failing: make([]bool, len(names))}
		a.ctx, a.cancel = context.WithCancel(context.Background())
		return a
	})
}

// withoutUser returns the URL as logs and metrics show it.
func withoutUser(u *url.URL) string {
	shown := *u
	shown.User = nil
	return shown.String()
}

func (a *alertmanager) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		a.goOn(c)
	case *actors.Stopping, *actors.Restarting:
		a.next.Disarm()
		a.cancel()
	case *actors.Stopped:
	case incidentAlert:
		a.state.changed(m.incident, time.Now())
		a.goOn(c)
	case incidentRemoved:
		a.state.removed(m.id, time.Now())
		a.goOn(c)
	case alertsPosted:
		a.onPosted(m)
		a.goOn(c)
	case actors.Tick:
		if a.next.Fired(m) {
			a.goOn(c)
		}
	default:
		unknownMessage(a.log, m)
	}
}

// goOn sends what is to be sent now.
func (a *alertmanager) goOn(c actors.Context) {
	now := time.Now()
	// What follows a panic here is the same as what follows a failure: this is armed first.
	a.next.Arm(c, alertResend)
	for _, p := range a.state.due(now) {
		a.post(c.Self(), p)
	}
	counts := a.state.counts()
	a.counts.Store(&counts)
	a.next.Arm(c, a.state.wait(now))
}

func (a *alertmanager) post(self *actors.PID, p alertPost) {
	parent, to, post, sys := a.ctx, a.cfg.URLs[p.target], a.cfg.Post, a.sys
	go func() {
		ctx, cancel := context.WithTimeout(parent, alertTimeout)
		defer cancel()
		err := guarded(func() error {
			body, err := json.Marshal(p.alerts)
			if err != nil {
				return err
			}
			return post(ctx, to, body)
		})
		if parent.Err() == nil {
			sys.Send(self, alertsPosted{p.target, p.number, err})
		}
	}()
}

// onPosted counts, and logs the first of failures in a row, and their end.
func (a *alertmanager) onPosted(m alertsPosted) {
	name := zap.String("alertmanager", a.state.targets[m.target].counts.Alertmanager)
	switch {
	case !a.state.isUnderWay(m.target, m.number):
		return // It took too long, and has failed already.
	case m.err == nil:
		a.state.sent(m.target)
	case errors.Is(m.err, errAlertsRefused):
		a.state.refused(m.target)
	default:
		a.state.failed(m.target, time.Now())
	}
	switch failing := m.err != nil; {
	case failing && !a.failing[m.target]:
		a.log.Warn("an Alertmanager does not take alerts of incidents", name, zap.Error(m.err))
	case !failing && a.failing[m.target]:
		a.log.Info("an Alertmanager takes alerts of incidents again", name)
	}
	a.failing[m.target] = m.err != nil
}
