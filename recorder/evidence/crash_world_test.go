package evidence_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

// crashWorld is a disk with successive processes that store incidents.
type crashWorld struct {
	rng     *rand.Rand
	disk    *evidencetest.Disk
	limits  evidence.Limits
	now     time.Time
	s       *evidence.Store
	model   map[string]*modelIncident
	puts    int
	next    int
	deletes string // the incident that is being deleted by a call
	faulty  bool
	total   int64
	moved   bool // others' bytes on the disk have changed
	power   bool
	verbose bool
	log     strings.Builder
	err     error
	counts  crashCounts
}

// modelIncident is what may be of an incident.
type modelIncident struct {
	// versions are the documents that may be there, by their number; absent says that there may be none.
	versions map[int]*messages.Incident
	absent   bool
	// dropped are the files that a document may not name any more.
	dropped map[string]bool
	// whole are the sums of all files that may have been finished, by path.
	whole map[string]map[string]bool
	// files can be named: the store said so.
	files map[string]messages.EvidenceFile
	// parts is what is being fetched; torn says that a power cut may have changed what is there.
	parts map[string][]byte
	torn  map[string]bool
}

func newCrashWorld(seed uint64, verbose bool) *crashWorld {
	rng := rand.New(rand.NewPCG(seed, 0x70c))
	w := &crashWorld{rng: rng, disk: evidencetest.New(), now: begin, model: map[string]*modelIncident{}, verbose: verbose}
	w.limits.MaxCount = []int{2, 4, 8, 200}[rng.IntN(4)]
	w.limits.MaxBytes = []int64{6 << 10, 16 << 10, 64 << 10, 1 << 30}[rng.IntN(4)]
	w.limits.MaxMemory = []int64{16 << 10, 64 << 10, 1 << 30}[rng.IntN(3)]
	if rng.IntN(3) == 0 {
		total := uint64(16<<10 + rng.IntN(128<<10))
		w.limits.MinFree = []float64{0, 0.05, 0.3}[rng.IntN(3)]
		w.disk.SetSpace(total, rng.Uint64N(total/2))
	}
	return w
}

// play lets a few processes live.
func (w *crashWorld) play() error {
	for range 2 + w.rng.IntN(4) {
		w.live()
		w.crash()
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

func (w *crashWorld) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// watch checks the limits after each operation, and sees what is evicted.
func (w *crashWorld) watch(op disktest.Op, name string) {
	// A power cut brings back what was removed and not synced.
	begins := w.s == nil && w.power
	if !slices.Contains([]disktest.Op{disktest.Mkdir, disktest.Create, disktest.Write, disktest.Rename, disktest.Remove}, op) {
		return
	}
	total := w.disk.Total()
	if total > max(w.limits.MaxBytes, w.total) && !begins {
		w.fail("%d bytes after %s %s, at most %d are allowed", total, op, name, w.limits.MaxBytes)
	}
	w.total = total
	if dirs := w.disk.Dirs(); dirs > w.limits.MaxCount && !begins {
		w.fail("%d incidents after %s %s, at most %d are allowed", dirs, op, name, w.limits.MaxCount)
	}
	id, rest, _ := strings.Cut(name, "/")
	if op == disktest.Remove && rest == "incident.json" && id != w.deletes {
		m := w.of(id)
		if !m.absent && len(m.versions) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(m.versions)), func(i *messages.Incident) bool { return !i.Pinned && i.State != messages.IncidentOpen }) {
			w.fail("incident %s is removed, although it is pinned or open", id)
		}
		m.absent = true
	}
	if op == disktest.Write && w.limits.MinFree > 0 && !w.moved && !w.faulty {
		free, total := w.space()
		least := w.limits.MinFree * float64(total)
		if strings.Contains(name, "incident.json") {
			least /= 2
		}
		if float64(free) < least {
			w.fail("%d of %d bytes are free after %s %s, %v must be", free, total, op, name, least)
		}
	}
}

// space reads the free space without counting as an operation.
func (w *crashWorld) space() (free, total uint64) {
	return w.disk.Free()
}

func (w *crashWorld) of(id string) *modelIncident {
	m := w.model[id]
	if m == nil {
		m = &modelIncident{absent: true, versions: map[int]*messages.Incident{}, dropped: map[string]bool{}, whole: map[string]map[string]bool{},
			files: map[string]messages.EvidenceFile{}, parts: map[string][]byte{}, torn: map[string]bool{}}
		w.model[id] = m
	}
	return m
}

// accept checks the error of an operation: only what the disk does, and limits, are a reason.
func (w *crashWorld) accept(what string, err error) bool {
	w.note("%s: %v", what, err)
	if err == nil {
		return true
	}
	if errors.Is(err, evidence.ErrFull) {
		w.counts.Full++
		return false
	}
	if !errors.Is(err, disktest.ErrStopped) && !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
		w.fail("%s: %w", what, err)
	}
	return false
}

// live lets one process work until it ends.
func (w *crashWorld) live() {
	w.s = nil
	w.disk.Watch(w.watch)
	if !w.open() {
		return
	}
	if w.rng.IntN(3) == 0 {
		w.counts.Faults++
		w.faulty = true
		for range 1 + w.rng.IntN(3) {
			w.disk.Break(disktest.Fault{Op: evidencetest.Ops[w.rng.IntN(len(evidencetest.Ops))], Skip: w.rng.IntN(20), Times: 1 + w.rng.IntN(3), Err: syscall.EIO, Written: w.rng.IntN(500)})
		}
	}
	if w.rng.IntN(4) > 0 {
		w.disk.StopAfter(1+w.rng.IntN(150), w.rng)
	}
	for range 1 + w.rng.IntN(30) {
		if w.disk.Stopped() || w.err != nil {
			return
		}
		w.act()
	}
	if !w.disk.Stopped() {
		w.checkQuiet()
	}
}

// open opens the store, now and then on a disk that fails, and checks what it has.
func (w *crashWorld) open() bool {
	w.faulty = false
	if w.rng.IntN(8) == 0 {
		// What it removes in the attempt, it may remove.
		w.disk.Break(disktest.Fault{Op: evidencetest.Ops[w.rng.IntN(len(evidencetest.Ops))], Skip: w.rng.IntN(10), Times: 1, Err: syscall.EIO})
		_, r, err := evidence.Open(w.disk, w.limits, w.now)
		w.note("open on a disk that fails: %+v %v", r, err)
		w.disk.Heal()
	}
	s, r, err := evidence.Open(w.disk, w.limits, w.now)
	w.note("open: %+v %v", r, err)
	if err != nil || len(r.Problems) > 0 {
		w.fail("open: %v %v", err, r.Problems)
		return false
	}
	w.s = s
	w.counts.Undone += len(r.Removed)
	w.counts.Halves += r.RemovedFiles
	w.check()
	return w.err == nil
}

// crash ends the process.
func (w *crashWorld) crash() {
	c := disktest.Kill
	w.power = w.rng.IntN(2) == 0
	if w.power {
		c = disktest.PowerCut
		w.counts.PowerCuts++
	} else {
		w.counts.Kills++
	}
	w.note("--- %v", c)
	w.disk = w.disk.After(c, w.rng)
	for _, m := range w.model {
		for p := range m.parts {
			m.torn[p] = m.torn[p] || w.power
		}
	}
}

// check compares what a new process finds with the model.
func (w *crashWorld) check() {
	listed := map[string]bool{}
	for i := range w.s.All() {
		listed[i.ID] = true
		w.checkIncident(i)
	}
	for id, m := range w.model {
		if listed[id] {
			continue
		}
		if !m.absent {
			w.fail("incident %s is lost", id)
		}
		if w.power || len(m.versions) == 0 {
			delete(w.model, id)
			continue
		}
		m.files = map[string]messages.EvidenceFile{}
	}
	w.checkFiles()
}

func (w *crashWorld) checkIncident(i *messages.Incident) {
	m := w.of(i.ID)
	var number int
	_, _ = fmt.Sscanf(i.Summary, "put %d", &number)
	version := m.versions[number]
	if version == nil {
		w.fail("incident %s: %s is none of %v", i.ID, i.Summary, slices.Sorted(maps.Keys(m.versions)))
		return
	}
	m.files = map[string]messages.EvidenceFile{}
	for _, f := range i.Nodes[0].Files {
		m.files[f.Path] = f
	}
	for _, f := range version.Nodes[0].Files {
		if has, is := m.files[f.Path]; !is && !m.dropped[f.Path] || is && has.SHA256 != f.SHA256 {
			w.fail("incident %s: %s: the file %s is %+v, and was %+v", i.ID, i.Summary, f.Path, has, f)
		}
	}
	if len(m.files) > len(version.Nodes[0].Files) {
		w.fail("incident %s: %s names files that it did not: %v", i.ID, i.Summary, m.files)
	}
	if err := w.s.Verify(i.ID); err != nil {
		w.fail("incident %s: %w", i.ID, err)
	}
	if w.power {
		m.versions, m.absent = map[int]*messages.Incident{number: version}, false
	}
}

// checkFiles looks at what else is on the disk.
func (w *crashWorld) checkFiles() {
	for name := range w.disk.Files() {
		id, rest, _ := strings.Cut(name, "/")
		m := w.model[id]
		switch {
		case m == nil:
			w.fail("%s is of no incident", name)
		case rest == "incident.json" || strings.HasSuffix(rest, ".part~"):
		case m.files[rest].Path != "":
		case strings.HasSuffix(rest, "~"):
			w.fail("%s is left", name)
		default:
			if _, err := w.s.OpenFile(id, rest); err == nil {
				w.fail("%s is served, although no document names it", name)
			}
			f, err := w.s.Stat(id, rest)
			if err != nil || !m.whole[rest][f.SHA256] {
				w.fail("%s was never whole: %+v %v", name, f, err)
				return
			}
			w.counts.Unnamed++
			f.What = messages.EvidenceConfig
			m.files[rest] = f
		}
	}
	if u := w.s.Usage(); u.Bytes != w.disk.Total() || u.Incidents != w.disk.Dirs() {
		w.fail("the usage is %+v, the disk has %d bytes in %d incidents", u, w.disk.Total(), w.disk.Dirs())
	}
}

// checkQuiet checks that nothing is left of failures, when the disk is in order again.
func (w *crashWorld) checkQuiet() {
	w.disk.Heal()
	if err := w.s.MakeRoom(0, w.now); err != nil && !errors.Is(err, evidence.ErrFull) && !errors.Is(err, disktest.ErrStopped) {
		w.fail("make room: %w", err)
	}
	if w.disk.Stopped() {
		return
	}
	for name := range w.disk.Files() {
		if strings.HasSuffix(name, ".tmp~") {
			w.fail("%s is left", name)
		}
	}
	if n := w.disk.Handles(); n != 0 {
		w.fail("%d files are left open", n)
	}
	if u := w.s.Usage(); u.Bytes != w.disk.Total() || u.Incidents != w.disk.Dirs() {
		w.fail("the usage is %+v, the disk has %d bytes in %d incidents: %v", u, w.disk.Total(), w.disk.Dirs(), w.disk.Files())
	}
}

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// refresh asks the store for a file after something was done to it.
func (w *crashWorld) refresh(id, p string) {
	m := w.of(id)
	f, err := w.s.Stat(id, p)
	if err != nil {
		delete(m.files, p)
		return
	}
	if !m.whole[p][f.SHA256] {
		w.fail("%s: %s was never whole", id, p)
	}
	f.What = messages.EvidenceConfig
	m.files[p] = f
}
