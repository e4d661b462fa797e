package agent

import (
	"slices"
	"time"

	"fodc/messages"
)

// maxEarlyDeaths bounds what has happened before the incidents of former processes are known.
const maxEarlyDeaths = 16

// happened takes something that happens at one moment, such as the end of the node's process. It opens an incident, joins the one
// that is open, or is only counted, as an alert of a rule that fires for a moment.
func (s *incidentsState) happened(a ruleAlert, now time.Time) (effects []incidentEffect) {
	a = a.bounded()
	if !s.ready {
		if len(s.early) < maxEarlyDeaths {
			s.early = append(s.early, a)
		}
		return nil
	}
	f, key := &firingAlert{alert: a}, a.key()
	s.events.add(now, "rule", a.rule+": "+a.summary)
	if _, is := s.firing[key]; !is { // A rule of the same name and labels goes on.
		defer delete(s.firing, key)
		s.firing[key] = f
	}
	if s.open == nil {
		if s.open, effects = s.openByRule([]*firingAlert{f}, now); s.open == nil {
			s.countCooling(map[*firingAlert]bool{f: true}, now)
		}
	}
	if e := s.open; e != nil {
		from := e.doc.From
		s.join(e, []*firingAlert{f}, now)
		e.change(now, true, func(doc *messages.Incident) {
			if s.firing[key] != f {
				return
			}
			if at := slices.IndexFunc(doc.Rules, func(r messages.IncidentAlert) bool { return alertKey(r.Rule, r.Labels) == key }); at >= 0 {
				doc.Rules[at].Firing = false
			}
		})
		if !e.doc.From.Equal(from) {
			effects = append(effects, keepJournal{})
		}
	}
	return append(effects, s.due(now)...)
}
