package proxy

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

const (
	// alertTimeout bounds the time of an Alertmanager to take alerts.
	alertTimeout = 10 * time.Second
	// alertResend is how often the alert of an open incident is sent again, and alertValid how long an
	// Alertmanager takes it for firing when nothing comes any more.
	alertResend = time.Minute
	alertValid  = 5 * time.Minute
	// maxAlertBatch bounds the alerts of one request, maxQueuedAlerts those that wait for one Alertmanager, and
	// maxOpenAlerts those that fire.
	maxAlertBatch   = 64
	maxQueuedAlerts = 1000
	maxOpenAlerts   = 1000
	// A request that has failed is tried again after a time that doubles.
	minAlertRetry = time.Second
	maxAlertRetry = time.Minute
)

// alert is an alert as Alertmanager's API has it.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL"`
}

// alertKey tells alerts apart: of one incident those that differ in another label have another severity.
type alertKey struct{ incident, severity string }

func (a *alert) key() alertKey { return alertKey{a.Labels["incident"], a.Labels["severity"]} }

// alertmanagerState decides what is sent to which Alertmanager, and when.
type alertmanagerState struct {
	// pages is the URL under which people reach the proxy.
	pages   string
	open    map[string]alert // by incident
	targets []alertTarget
}

// alertTarget is one Alertmanager. None waits for another one.
type alertTarget struct {
	// queue is what waits, the oldest first, with one alert of each key. An alert without an end fires.
	queue []alert
	// underWay is being sent since then, as the request of this number; nil: nothing is.
	underWay []alert
	since    time.Time
	number   uint64
	// resend is when the open alerts are sent again, retry when one may try again after failures in a row.
	resend, retry time.Time
	failures      int
	counts        messages.AlertmanagerCounts
}

// alertPost is what is to be sent to one Alertmanager now.
type alertPost struct {
	target int
	number uint64
	alerts []alert
}

func newAlertmanagerState(pages string, names []string) *alertmanagerState {
	s := &alertmanagerState{pages: pages, open: map[string]alert{}, targets: make([]alertTarget, len(names))}
	for n, name := range names {
		s.targets[n].counts.Alertmanager = name
	}
	return s
}

// changed takes an incident as it is now. One that was asked for is no alert: whoever asked knows of it.
func (s *alertmanagerState) changed(i *messages.Incident, now time.Time) {
	before, isKnown := s.open[i.ID]
	isOpen := i.State == messages.IncidentOpen && i.Kind == messages.IncidentRule
	if !isOpen && !isKnown || isOpen && !isKnown && len(s.open) >= maxOpenAlerts {
		return
	}
	if !isOpen {
		end := i.FrozenAt
		if end.IsZero() || end.After(now) {
			end = now
		}
		s.end(i.ID, before, end)
		return
	}
	a := s.alertOf(i)
	if isKnown && a.key() != before.key() {
		s.end(i.ID, before, now)
	} else if isKnown {
		a.Labels = before.Labels // An alert with other labels were another alert.
	}
	s.open[i.ID] = a
	if !isKnown || a.key() != before.key() || !maps.Equal(a.Annotations, before.Annotations) {
		s.enqueue(a)
	}
}

// removed takes the id of an incident that is not there any more.
func (s *alertmanagerState) removed(id string, now time.Time) {
	if a, ok := s.open[id]; ok {
		s.end(id, a, now)
	}
}

func (s *alertmanagerState) end(id string, a alert, at time.Time) {
	delete(s.open, id)
	a.EndsAt = at
	if at.Before(a.StartsAt) {
		a.EndsAt = a.StartsAt
	}
	s.enqueue(a)
}

func (s *alertmanagerState) enqueue(a alert) {
	for n := range s.targets {
		s.targets[n].enqueue(a)
	}
}

// enqueue adds an alert in the place of an earlier one of its key. If there are too many, the oldest is dropped.
func (t *alertTarget) enqueue(a alert) {
	if at := slices.IndexFunc(t.queue, func(q alert) bool { return q.key() == a.key() }); at >= 0 {
		t.queue[at] = a
		return
	}
	if len(t.queue) >= maxQueuedAlerts {
		t.queue = slices.Delete(t.queue, 0, 1)
		t.counts.Dropped++
	}
	t.queue = append(t.queue, a)
}

// due returns what is to be sent now.
func (s *alertmanagerState) due(now time.Time) (posts []alertPost) {
	for n := range s.targets {
		t := &s.targets[n]
		if t.underWay != nil && now.Sub(t.since) > 2*alertTimeout {
			s.failed(n, now) // Nobody has said what came of it.
		}
		if !now.Before(t.resend) {
			t.resend = now.Add(alertResend)
			for _, a := range s.open {
				t.enqueue(a)
			}
		}
		if t.underWay != nil || len(t.queue) == 0 || now.Before(t.retry) {
			continue
		}
		size := min(len(t.queue), maxAlertBatch)
		t.underWay, t.since, t.number = slices.Clone(t.queue[:size]), now, t.number+1
		t.queue = slices.Delete(t.queue, 0, size)
		alerts := slices.Clone(t.underWay)
		for i := range alerts {
			if alerts[i].EndsAt.IsZero() {
				alerts[i].EndsAt = now.Add(alertValid)
			}
		}
		posts = append(posts, alertPost{n, t.number, alerts})
	}
	return posts
}

// isUnderWay reports whether the request of that number is.
func (s *alertmanagerState) isUnderWay(target int, number uint64) bool {
	t := &s.targets[target]
	return t.underWay != nil && t.number == number
}

// sent takes that an Alertmanager has taken what was under way.
func (s *alertmanagerState) sent(target int) {
	t := &s.targets[target]
	t.counts.Notifications += uint64(len(t.underWay))
	t.underWay, t.failures, t.retry = nil, 0, time.Time{}
}

// refused takes that an Alertmanager does not want what was under way: it would not the next time.
func (s *alertmanagerState) refused(target int) {
	t := &s.targets[target]
	t.counts.Failed += uint64(len(t.underWay))
	t.counts.Dropped += uint64(len(t.underWay))
	t.underWay, t.failures, t.retry = nil, 0, time.Time{}
}

// failed takes that what was under way did not arrive. It is tried again, before what came meanwhile, unless
// that has newer alerts of the same keys.
func (s *alertmanagerState) failed(target int, now time.Time) {
	t := &s.targets[target]
	t.counts.Failed += uint64(len(t.underWay))
	back := slices.DeleteFunc(t.underWay, func(a alert) bool {
		return slices.ContainsFunc(t.queue, func(q alert) bool { return q.key() == a.key() })
	})
	t.underWay = nil
	t.queue = append(back, t.queue...)
	if over := len(t.queue) - maxQueuedAlerts; over > 0 {
		t.queue = slices.Delete(t.queue, 0, over)
		t.counts.Dropped += uint64(over)
	}
	t.retry = now.Add(min(maxAlertRetry, minAlertRetry<<min(t.failures, 10)))
	t.failures++
}

// wait returns for how long there is nothing to do, unless something happens.
func (s *alertmanagerState) wait(now time.Time) time.Duration {
	wait := alertResend
	for n := range s.targets {
		t := &s.targets[n]
		switch {
		case t.underWay != nil:
			wait = min(wait, t.since.Add(2*alertTimeout+time.Second).Sub(now))
		case len(t.queue) > 0:
			wait = min(wait, t.retry.Sub(now))
		}
		wait = min(wait, t.resend.Sub(now))
	}
	return max(wait, 0)
}

// counts returns what was sent to each Alertmanager.
func (s *alertmanagerState) counts() []messages.AlertmanagerCounts {
	counts := make([]messages.AlertmanagerCounts, len(s.targets))
	for n := range s.targets {
		counts[n] = s.targets[n].counts
	}
	return counts
}
