package agent

import (
	"slices"

	"fodc/messages"
)

// announce begins a new revision, which is that of all that has changed since the last one.
func (s *incidentsState) announce() incidentEffect {
	s.revision++
	for _, e := range s.entries {
		if e.doc != e.announced {
			e.announced, e.revision = e.doc, s.revision
		}
	}
	return announceIncidents{s.revision}
}

// list returns all incidents, newest first, with the timelines of those that are open.
func (s *incidentsState) list() []*messages.Incident { return s.since(0) }

// since returns the documents that whoever has those of a revision does not have, the newest first: all, if it is none of this
// process.
func (s *incidentsState) since(known uint64) []*messages.Incident {
	all := s.sorted()
	slices.Reverse(all)
	isOurs := s.begun < known && known <= s.revision
	docs := make([]*messages.Incident, 0, len(all))
	for _, e := range all {
		if isOurs && e.phase == incidentIsFrozen && e.doc == e.announced && e.revision <= known {
			continue
		}
		docs = append(docs, s.view(e))
	}
	return docs
}
