package proxy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Limits of fetching evidence.
const (
	// maxFetchedNodes bounds the nodes that are fetched from at once.
	maxFetchedNodes = 4
	// evidenceRetry is the wait for the next try, which doubles up to maxEvidenceRetry.
	evidenceRetry    = 5 * time.Second
	maxEvidenceRetry = time.Minute
	// maxFileFailures is how often a file, or a node, is tried before it is given up: about seven minutes.
	// When the node is back it is tried again.
	maxFileFailures = 10
	// maxWrongFiles is how often a file may come with another length or sum than was said.
	maxWrongFiles = 2
	// evidenceJobTime bounds the fetching of a node in one go: then others have their turn.
	evidenceJobTime = 5 * time.Minute
	// evidenceJobGrace is how much longer the goroutine may take until it counts as lost.
	evidenceJobGrace = 5 * time.Minute
	// streamedGrace is how long after the end of a time its samples are collected.
	streamedGrace = 15 * time.Second
	// maxFinishedWorks bounds what is remembered of evidence that has come.
	maxFinishedWorks = 4096
	// maxEvidenceFile bounds a file of an agent, maxNodeEvidence all files of a node, in bytes.
	maxEvidenceFile = 256 << 20
	maxNodeEvidence = 512 << 20
)

type evidenceKey struct{ incidentID, nodeID string }

// evidenceState decides which node's evidence is fetched when, and what there is of it.
type evidenceState struct {
	works map[evidenceKey]*evidenceWork
	seq   uint64 // of jobs
	// hung are the jobs that should have ended long ago.
	hung  map[uint64]bool
	asked uint64 // counts what was asked
}

func newEvidenceState() *evidenceState {
	return &evidenceState{works: make(map[evidenceKey]*evidenceWork), hung: make(map[uint64]bool)}
}

// evidenceWork is the evidence of a node in an incident.
type evidenceWork struct {
	want  fetchEvidence
	files []messages.EvidenceFile // that are wanted
	// has are the files in the store, by the path of that which was wanted: a segment becomes several.
	has      map[string][]messages.EvidenceFile
	problems map[string]*fileProblem
	waits    string // why nothing was tried last
	failures int    // one after the other, without anything that has come
	order    uint64
	due      time.Time // of the next try; zero: none
	// job is the number of the one under way, 0 if there is none.
	job   uint64
	since time.Time
	again bool // it was asked again while a job was under way
	done  bool
}

// fileProblem is why a file has not come.
type fileProblem struct {
	reason          string
	failures, wrong int
	gaveUp          bool
}

// evidenceJob is what a goroutine is to fetch.
type evidenceJob struct {
	number uint64
	key    evidenceKey
	want   fetchEvidence
	files  []messages.EvidenceFile
}

// fileEnd is how the fetching of a file has ended.
type fileEnd struct {
	file messages.EvidenceFile
	// files are what is in the store now, if reason is empty.
	files  []messages.EvidenceFile
	reason string
	// came says that much of it has come, although not all.
	came bool
	// wrong says that the bytes were not those that were announced, final that there is no use in another try.
	wrong, final bool
}

// evidenceEnded is the end of a job. Files that are in none of ends were not tried.
type evidenceEnded struct {
	number uint64
	key    evidenceKey
	ends   []fileEnd
	// waits is why the node cannot be fetched from now, empty if it can.
	waits string
}

// ask records what is wanted.
func (s *evidenceState) ask(m fetchEvidence, now time.Time) {
	k := evidenceKey{m.incidentID, m.node.NodeID}
	w := s.works[k]
	if w == nil {
		w = &evidenceWork{has: map[string][]messages.EvidenceFile{}, problems: map[string]*fileProblem{}}
		s.works[k] = w
		s.forgetFinished()
	}
	before := w.files
	w.want, w.done, w.failures = m, false, 0
	w.files = w.wanted()
	for _, f := range before {
		if i := slices.IndexFunc(w.files, func(g messages.EvidenceFile) bool { return g.Path == f.Path }); i < 0 || !sameFile(w.files[i], f) {
			delete(w.has, f.Path)
			delete(w.problems, f.Path)
		}
	}
	for _, p := range w.problems {
		if p.failures = 0; p.wrong < maxWrongFiles {
			p.gaveUp = false
		}
	}
	w.check()
	s.asked++
	w.order, w.again = s.asked, w.job != 0
	w.due = w.begin(now)
}

func sameFile(a, b messages.EvidenceFile) bool {
	return a.Bytes == b.Bytes && strings.EqualFold(a.SHA256, b.SHA256)
}

// wanted returns the files that are wanted: of what the proxy itself collects, the segment that it becomes.
func (w *evidenceWork) wanted() []messages.EvidenceFile {
	files, window := w.want.node.Files, windowPath(w.want.node.NodeID)
	if w.want.from == evidenceOfAgent || slices.ContainsFunc(files, func(f messages.EvidenceFile) bool { return f.Path == window }) {
		return files
	}
	return append(slices.Clip(files), messages.EvidenceFile{Path: window, What: messages.EvidenceWindow})
}

// windowName is the file of a node's directory that has its samples.
const windowName = "window.journal"

func windowPath(nodeID string) string { return messages.EvidenceDir(nodeID) + "/" + windowName }

// blockDir is the directory of the blocks that the samples of a node become.
func blockDir(nodeID string) string { return messages.EvidenceDir(nodeID) + "/block/" }

// check gives up the files that are not fetched whatever the agent sends.
func (w *evidenceWork) check() {
	all := int64(0)
	for _, f := range w.files {
		reason := ""
		switch all += f.Bytes; {
		case !strings.HasPrefix(f.Path, messages.EvidenceDir(w.want.node.NodeID)+"/") || strings.HasPrefix(f.Path, blockDir(w.want.node.NodeID)):
			reason = fmt.Sprintf("the agent may have no file %s", quote(f.Path))
		case f.Bytes > maxEvidenceFile:
			reason = fmt.Sprintf("the file has %d MiB, at most %d are fetched", f.Bytes>>20, maxEvidenceFile>>20)
		case all > maxNodeEvidence:
			reason = fmt.Sprintf("the files of the node have more than %d MiB, which is as much as is fetched", maxNodeEvidence>>20)
		default:
			continue
		}
		all -= f.Bytes
		w.problems[f.Path] = &fileProblem{reason: reason, wrong: maxWrongFiles, gaveUp: true}
	}
}

// begin returns when the first try is due.
func (w *evidenceWork) begin(now time.Time) time.Time {
	if w.want.from != evidenceOfStream {
		return now
	}
	if w.want.node.To.IsZero() {
		return time.Time{}
	}
	if at := w.want.node.To.Add(streamedGrace); at.After(now) {
		return at
	}
	return now
}

// left returns the files that are still to be fetched: those first that have failed less often, then the small ones.
func (w *evidenceWork) left() (files []messages.EvidenceFile) {
	for _, f := range w.files {
		if p := w.problems[f.Path]; w.has[f.Path] == nil && (p == nil || !p.gaveUp) {
			files = append(files, f)
		}
	}
	failures := func(f messages.EvidenceFile) int {
		if p := w.problems[f.Path]; p != nil {
			return p.failures + p.wrong
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b messages.EvidenceFile) int {
		return cmp.Or(cmp.Compare(failures(a), failures(b)), cmp.Compare(a.Bytes, b.Bytes))
	})
	return files
}

// forget removes an incident, and returns the jobs that are to be ended.
func (s *evidenceState) forget(incidentID string) (jobs []uint64) {
	for k, w := range s.works {
		if k.incidentID == incidentID {
			if w.job != 0 {
				jobs = append(jobs, w.job)
			}
			delete(s.works, k)
		}
	}
	return jobs
}

// forgetFinished bounds what is remembered.
func (s *evidenceState) forgetFinished() {
	for len(s.works) > maxFinishedWorks {
		var oldest *evidenceWork
		var key evidenceKey
		for k, w := range s.works {
			if w.done && (oldest == nil || w.order < oldest.order) {
				oldest, key = w, k
			}
		}
		if oldest == nil {
			return
		}
		delete(s.works, key)
	}
}
