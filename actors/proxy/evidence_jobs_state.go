package proxy

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"fodc/messages"
)

var errJobHangs = errors.New("fetching it hangs")

// next returns the jobs that are to be started now: of one incident of a node at a time, those first that were
// asked for first.
func (s *evidenceState) next(now time.Time) (jobs []evidenceJob) {
	var ready []*evidenceWork
	running := map[string]bool{} // by node id
	for k, w := range s.works {
		switch {
		case w.job != 0:
			running[k.nodeID] = true
		case !w.due.IsZero() && !w.due.After(now):
			ready = append(ready, w)
		}
	}
	slices.SortFunc(ready, func(a, b *evidenceWork) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.order, b.order)) })
	for _, w := range ready {
		if len(running)+len(s.hung) >= maxFetchedNodes {
			break
		}
		node := w.want.node.NodeID
		if running[node] {
			continue
		}
		running[node] = true
		s.seq++
		w.job, w.since, w.due, w.again = s.seq, now, time.Time{}, false
		jobs = append(jobs, evidenceJob{number: s.seq, key: evidenceKey{w.want.incidentID, node}, want: w.want, files: w.left()})
	}
	return jobs
}

// nextDue returns when next or lost has something to do, zero if never. It is in the past while all places are
// taken: then the end of a job comes first.
func (s *evidenceState) nextDue() (due time.Time) {
	earlier := func(at time.Time) {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	running := map[string]bool{}
	for k, w := range s.works {
		if w.job != 0 {
			running[k.nodeID] = true
			earlier(w.since.Add(evidenceJobTime + evidenceJobGrace))
		}
	}
	if len(running)+len(s.hung) >= maxFetchedNodes {
		return due
	}
	for k, w := range s.works {
		if w.job == 0 && !running[k.nodeID] {
			earlier(w.due)
		}
	}
	return due
}

// lost returns the ends of jobs that should have ended long ago. Until they end, each takes a place: so there are never
// more goroutines that hang than places.
func (s *evidenceState) lost(now time.Time) (ends []evidenceEnded) {
	for k, w := range s.works {
		if w.job != 0 && !now.Before(w.since.Add(evidenceJobTime+evidenceJobGrace)) {
			s.hung[w.job] = true
			ends = append(ends, evidenceEnded{number: w.job, key: k, waits: errJobHangs.Error()})
		}
	}
	return ends
}

// ended records the end of a job, and returns what there is of the node now. It is not ok if nobody wants to know
// that any more.
func (s *evidenceState) ended(m evidenceEnded, now time.Time) (report nodeFetched, ok bool) {
	if m.waits != errJobHangs.Error() {
		delete(s.hung, m.number)
	}
	w := s.works[m.key]
	if w == nil || w.job != m.number {
		return report, false
	}
	w.job, w.waits = 0, m.waits
	came := false
	for _, e := range m.ends {
		came = w.fileEnded(e) || came
	}
	if w.failures++; came {
		w.failures = 0
	}
	switch w.done = len(w.left()) == 0 || w.failures >= maxFileFailures && !w.again; {
	case w.done:
		w.due = time.Time{}
	case w.again:
		w.due = w.begin(now)
	case came && m.waits == "":
		w.due = now
	default:
		w.due = now.Add(min(evidenceRetry<<max(w.failures-1, 0), maxEvidenceRetry))
	}
	w.again = false
	return w.report(), true
}

// fileEnded records the end of a file. It returns true if it, or much of it, has come.
func (w *evidenceWork) fileEnded(e fileEnd) (came bool) {
	if !slices.ContainsFunc(w.files, func(f messages.EvidenceFile) bool { return f.Path == e.file.Path && sameFile(f, e.file) }) {
		return false // Another one is wanted meanwhile.
	}
	if e.reason == "" {
		w.has[e.file.Path] = e.files
		delete(w.problems, e.file.Path)
		return true
	}
	p := w.problems[e.file.Path]
	if p == nil {
		p = &fileProblem{}
		w.problems[e.file.Path] = p
	}
	p.reason = e.reason
	if p.failures++; e.came {
		p.failures = 0
	}
	if e.wrong {
		p.wrong++
	}
	p.gaveUp = e.final || p.wrong >= maxWrongFiles || p.failures >= maxFileFailures
	return e.came
}

// report returns what there is of the node.
func (w *evidenceWork) report() nodeFetched {
	r := nodeFetched{incidentID: w.want.incidentID, nodeID: w.want.node.NodeID, number: w.want.number, done: w.done}
	said := map[messages.EvidenceMissing]bool{}
	for _, f := range w.files {
		if has := w.has[f.Path]; has != nil {
			r.files = append(r.files, has...)
			continue
		}
		reason := cmp.Or(w.waits, "it was not fetched yet")
		if p := w.problems[f.Path]; p != nil {
			reason = p.reason
		}
		if m := (messages.EvidenceMissing{What: f.What, Reason: reason}); !said[m] && len(r.missing) < messages.MaxEvidenceMissing {
			said[m] = true
			r.missing = append(r.missing, m)
		}
	}
	slices.SortFunc(r.files, func(a, b messages.EvidenceFile) int { return cmp.Compare(a.Path, b.Path) })
	return r
}
