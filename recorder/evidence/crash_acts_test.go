package evidence_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder/evidence"
)

var crashPaths = []string{"nodes/data-0/window.journal", "nodes/data-0/profiles/heap.pb.gz", "nodes/data-0/profiles/goroutine.pb.gz", "nodes/data-0/logs/node.log", "nodes/data-0/config.json"}

// act does one thing.
func (w *crashWorld) act() {
	if w.rng.IntN(20) == 0 {
		w.now = w.now.Add(time.Duration(w.rng.IntN(20*24)) * time.Hour)
	}
	w.forgetEvicted()
	switch n := w.rng.IntN(20); {
	case n < 3 || len(w.model) == 0:
		w.next++
		w.put(idOf(w.next), messages.IncidentState([]messages.IncidentState{messages.IncidentOpen, messages.IncidentFrozen}[w.rng.IntN(2)]))
	case n < 8:
		w.write(w.anyID())
	case n < 12:
		w.put(w.anyID(), []messages.IncidentState{messages.IncidentOpen, messages.IncidentFrozen, messages.IncidentFrozen, messages.IncidentCollected}[w.rng.IntN(4)])
	case n < 15:
		w.part(w.anyID())
	case n < 16:
		w.delete(w.anyID())
	case n < 17:
		w.remove(w.anyID())
	case n < 18:
		_ = w.accept("make room", w.s.MakeRoom(int64(w.rng.IntN(8<<10)), w.now))
	default:
		w.read(w.anyID())
	}
}

func (w *crashWorld) anyID() string {
	ids := slices.Sorted(maps.Keys(w.model))
	return ids[w.rng.IntN(len(ids))]
}

// forgetEvicted takes files from the model that went with their incident.
func (w *crashWorld) forgetEvicted() {
	for _, id := range w.s.Evicted() {
		w.note("evicted: %s", id)
		w.counts.Evicted++
		w.gone(id)
	}
}

func (w *crashWorld) gone(id string) {
	m := w.of(id)
	m.absent, m.files, m.parts = true, map[string]messages.EvidenceFile{}, map[string][]byte{}
}

// put stores a document with all files that can be named.
func (w *crashWorld) put(id string, state messages.IncidentState) {
	m := w.of(id)
	w.puts++
	i := incident(1, state)
	i.ID, i.Summary = id, fmt.Sprintf("put %d", w.puts)
	i.FirstOccurrence = begin.Add(time.Duration(w.next) * time.Minute)
	i.Rules[0].Rule, i.Pinned = fmt.Sprint("rule", w.rng.IntN(3)), w.rng.IntN(8) == 0
	if w.rng.IntN(2) == 0 {
		i.SeenAt = w.now
	}
	for _, p := range slices.Sorted(maps.Keys(m.files)) {
		if w.rng.IntN(4) > 0 {
			i.Nodes[0].Files = append(i.Nodes[0].Files, m.files[p])
		}
	}
	m.versions[w.puts] = i
	if !w.accept(fmt.Sprintf("put %s %d %s pinned %v files %d", id, w.puts, state, i.Pinned, len(i.Nodes[0].Files)), w.s.Put(i)) {
		return
	}
	w.counts.Puts++
	m.versions, m.absent = map[int]*messages.Incident{w.puts: i}, false
	clear(m.dropped)
}

// random returns bytes that compress to nothing else.
func (w *crashWorld) random(most int) []byte {
	b := make([]byte, w.rng.IntN(most))
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return b
}

func (m *modelIncident) mayBeWhole(p string, b []byte) {
	if m.whole[p] == nil {
		m.whole[p] = map[string]bool{}
	}
	m.whole[p][sum(b)] = true
}

// write writes a file at one go, to an incident with or without a document.
func (w *crashWorld) write(id string) {
	if w.rng.IntN(10) == 0 {
		w.next++
		id = idOf(w.next)
	}
	m, p, text := w.of(id), crashPaths[w.rng.IntN(len(crashPaths))], w.random(3<<10)
	file, err := w.s.CreateWhole(id, p, messages.EvidenceConfig, 0)
	if !w.accept("create "+id+" "+p, err) {
		return
	}
	for rest := text; len(rest) > 0; {
		n := min(len(rest), 1+w.rng.IntN(2<<10))
		if _, err := file.Write(rest[:n]); !w.accept(fmt.Sprintf("write %d", n), err) {
			file.Abort()
			w.refresh(id, p)
			return
		}
		rest = rest[n:]
	}
	if w.rng.IntN(6) == 0 {
		file.Abort()
		return
	}
	m.mayBeWhole(p, text)
	m.dropped[p] = true
	f, err := file.Commit()
	if !w.accept("commit", err) {
		w.refresh(id, p)
		return
	}
	if f.SHA256 != sum(text) || f.Bytes != int64(len(text)) || f.Truncated {
		w.fail("commit: %+v", f)
	}
	m.files[p] = f
}

// part goes on with a file.
func (w *crashWorld) part(id string) {
	m, p := w.of(id), crashPaths[w.rng.IntN(len(crashPaths))]
	file, err := w.s.OpenPart(id, p)
	if !w.accept("open part "+id+" "+p, err) {
		return
	}
	want := m.parts[p]
	if want == nil || file.Size() == 0 {
		want = w.random(3 << 10)
		m.parts[p], m.torn[p] = want, false
	} else {
		w.counts.Resumed++
	}
	if file.Size() > int64(len(want)) {
		if !m.torn[p] {
			w.fail("part %s %s has %d bytes, at most %d were written", id, p, file.Size(), len(want))
		}
		file.Discard()
		return
	}
	for w.rng.IntN(3) > 0 && file.Size() < int64(len(want)) {
		n := min(len(want)-int(file.Size()), 1+w.rng.IntN(1<<10))
		if _, err := file.Write(want[file.Size():][:n]); !w.accept(fmt.Sprintf("write %d", n), err) {
			_ = w.accept("close", file.Close())
			return
		}
	}
	if file.Size() < int64(len(want)) {
		_ = w.accept("close", file.Close())
		return
	}
	m.mayBeWhole(p, want)
	m.dropped[p] = true
	err = file.Finish(messages.EvidenceFile{Path: p, Bytes: int64(len(want)), SHA256: sum(want)})
	if errors.Is(err, evidence.ErrMismatch) && m.torn[p] {
		w.note("finish: %v", err)
		return
	}
	_ = w.accept("finish", err)
	w.refresh(id, p)
}

func (w *crashWorld) delete(id string) {
	m := w.of(id)
	w.deletes = id
	err := w.s.Delete(id)
	w.deletes = ""
	switch {
	case errors.Is(err, messages.ErrIncidentOpen):
		if slices.ContainsFunc(slices.Collect(maps.Values(m.versions)), func(i *messages.Incident) bool { return i.State == messages.IncidentOpen }) {
			return
		}
	case errors.Is(err, fs.ErrNotExist) && m.absent:
		return
	}
	if w.accept("delete "+id, err) {
		w.counts.Deleted++
		clear(m.versions)
	}
	if _, has := w.s.Get(id); !has {
		w.gone(id)
	}
	m.absent = true
}

func (w *crashWorld) remove(id string) {
	m, p := w.of(id), crashPaths[w.rng.IntN(len(crashPaths))]
	m.dropped[p] = true
	err := w.s.Remove(id, p)
	if _, has := m.files[p]; !has && errors.Is(err, fs.ErrNotExist) {
		return
	}
	_ = w.accept("remove "+id+" "+p, err)
	w.refresh(id, p)
}

// read reads a file that is there.
func (w *crashWorld) read(id string) {
	for _, p := range slices.Sorted(maps.Keys(w.of(id).files)) {
		want := w.of(id).files[p]
		f, err := w.s.OpenFile(id, p)
		if !w.accept("open "+id+" "+p, err) {
			return
		}
		text := make([]byte, f.Size())
		if _, err := f.ReadAt(text, 0); err == nil && sum(text) != want.SHA256 {
			w.fail("%s %s: other bytes", id, p)
		}
		_ = w.accept("close", f.Close())
	}
}
