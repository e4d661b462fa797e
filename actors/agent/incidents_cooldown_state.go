package agent

import (
	"time"

	"fodc/messages"
)

// ruleCoolDown is the time in which a rule opens no incident, because it has had one.
type ruleCoolDown struct {
	// began is when the incident was over, or when the rule fired last since. It is a time of this process.
	began, closed time.Time
	length        time.Duration
}

// isCooling reports whether a rule is in its cool-down.
func (s *incidentsState) isCooling(rule string, now time.Time) bool {
	c := s.cooling[rule]
	if c == nil {
		return false
	}
	if since(&c.began, now) < c.length && since(&c.closed, now) < maxCoolDown {
		return true
	}
	delete(s.cooling, rule)
	return false
}

// cool begins the cool-down of a rule. It doubles with each of its incidents of the last day.
func (s *incidentsState) cool(rule string, began, now time.Time) {
	length := s.times.coolDown
	for n := s.incidentsOf(rule, now); n > 1 && length < maxCoolDown; n-- {
		length *= 2
	}
	s.cooling[rule] = &ruleCoolDown{began: began, closed: began, length: min(length, maxCoolDown)}
}

// countCooling counts what has begun to fire in its rule's cool-down: in the incident of that rule. The cool-down
// begins again.
func (s *incidentsState) countCooling(fresh map[*firingAlert]bool, now time.Time) {
	for _, f := range s.firing {
		if !fresh[f] || f.spent || !s.isCooling(f.alert.rule, now) {
			continue
		}
		s.cooling[f.alert.rule].began = now
		if e := s.lastOf(f.alert.rule); e != nil {
			key := f.alert.key()
			e.change(now, false, func(doc *messages.Incident) {
				for i := range doc.Rules {
					if r := &doc.Rules[i]; alertKey(r.Rule, r.Labels) == key {
						r.Firings++
						r.LastFiring = documentTime(now)
						return
					}
				}
			})
		}
	}
}

// repeat counts an alert that opens no incident in the last one, once for each rule.
func (s *incidentsState) repeat(last *incidentEntry, f *firingAlert, counted map[string]bool, now time.Time) {
	f.spent = true
	if counted[f.alert.rule] {
		return
	}
	counted[f.alert.rule] = true
	last.change(now, false, func(doc *messages.Incident) { doc.Repeated, doc.RepeatedAt = doc.Repeated+1, documentTime(now) })
	s.events.add(now, "incident", f.alert.rule+" is counted in incident "+last.doc.ID)
	s.cool(f.alert.rule, now, now)
}

// lastOf returns the newest incident that a rule has opened, or is in if it has opened none; nil if there is none. With an empty
// name it is that of all rules.
func (s *incidentsState) lastOf(rule string) (last *incidentEntry) {
	opened := false
	for _, e := range s.sorted() {
		if e.doc.Kind != messages.IncidentRule || len(e.doc.Rules) == 0 {
			continue
		}
		switch is := rule == "" || e.doc.Rules[0].Rule == rule; {
		case is:
			last, opened = e, true
		case !opened && hasRule(e.doc, rule):
			last = e
		}
	}
	return last
}

func hasRule(doc *messages.Incident, rule string) bool {
	for i := range doc.Rules {
		if doc.Rules[i].Rule == rule {
			return true
		}
	}
	return false
}

// within reports whether a time of a document is less than so long ago. One that is a little in the future counts: the
// clock was set back. One far in the future does not, or the limits would hold until then.
func within(at, now time.Time, d time.Duration) bool {
	ago := now.Sub(at)
	return ago < d && ago > -time.Hour
}

// countOf counts the incidents of the last day that a rule has opened.
func (s *incidentsState) countOf(rule string, now time.Time) (n int) {
	for _, e := range s.entries {
		if isOpenedBy(e.doc, rule) && within(e.doc.OpenedAt, now, 24*time.Hour) {
			n++
		}
	}
	return n
}

// incidentsOf counts them with those of which there is only a count.
func (s *incidentsState) incidentsOf(rule string, now time.Time) (n int) {
	for _, e := range s.entries {
		if isOpenedBy(e.doc, rule) && within(e.doc.OpenedAt, now, 24*time.Hour) {
			n += 1 + e.doc.Repeated
		}
	}
	return n
}

func isOpenedBy(doc *messages.Incident, rule string) bool {
	return doc.Kind == messages.IncidentRule && len(doc.Rules) > 0 && doc.Rules[0].Rule == rule
}

// ofLastHour counts the incidents that rules have opened within an hour.
func (s *incidentsState) ofLastHour(now time.Time) (n int) {
	for _, e := range s.entries {
		if e.doc.Kind == messages.IncidentRule && within(e.doc.OpenedAt, now, time.Hour) {
			n++
		}
	}
	return n
}
