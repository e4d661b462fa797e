package journal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// crashModel is what may be on the disk, and what must be.
type crashModel struct {
	scrapes map[int64][]*modelScrape // by number in files
	// unsynced are the scrapes of a segment that were not synced yet.
	unsynced []*modelScrape
	segment  int64
	syncs    uint64
	// removed are segments that retention has removed, or somebody else. damaged have a bit that
	// was flipped.
	removed, damaged map[int64]bool
	// events are by their details, which differ. Those of a segment with the newest scrapes that were not synced are in newEvents.
	events, newEvents map[string]*modelEvent
}

type modelEvent struct {
	event recorder.Event
	// segment is the one in which it was written; 0: it was not, as far as is known.
	segment      int64
	synced, gone bool
}

type modelScrape struct {
	number  int64
	batch   *recorder.Batch
	segment int64
	// accepted: Append returned nil. synced: it survives a power cut. gone: it was missing once,
	// as it may.
	accepted, synced, gone bool
}

func newCrashModel() *crashModel {
	return &crashModel{scrapes: map[int64][]*modelScrape{}, removed: map[int64]bool{}, damaged: map[int64]bool{},
		events: map[string]*modelEvent{}, newEvents: map[string]*modelEvent{}}
}

// appended takes the result of an Append. A sync in it was before the scrape was written.
func (m *crashModel) appended(w *journal.Writer, b *recorder.Batch, err error) {
	m.synced(w)
	stats := w.Stats()
	s := &modelScrape{number: stats.Base + b.Number, batch: b, accepted: err == nil}
	if err == nil {
		segments := w.View().Segments
		s.segment = segments[len(segments)-1].Number
		if s.segment != m.segment {
			m.unsynced, m.segment = nil, s.segment
			maps.DeleteFunc(m.newEvents, func(_ string, e *modelEvent) bool { return e.segment != s.segment })
		}
		m.unsynced = append(m.unsynced, s)
	}
	m.scrapes[s.number] = append(m.scrapes[s.number], s)
}

// appendedEvent takes the result of an AppendEvent.
func (m *crashModel) appendedEvent(w *journal.Writer, e recorder.Event, err error) {
	m.synced(w)
	event := &modelEvent{event: e}
	m.events[e.Detail] = event
	if err == nil {
		segments := w.View().Segments
		event.segment = segments[len(segments)-1].Number
		m.newEvents[e.Detail] = event
	}
}

// checkEvents compares the events that can be read with those that were written. Those of a segment without a scrape may be gone
// with it.
func (m *crashModel) checkEvents(disk *journaltest.Disk, view *journal.View, powerCut bool) error {
	found, whole := map[string]bool{}, map[int64]bool{}
	for _, segment := range view.Segments {
		read, err := journal.ReadEvents(disk, segment.Name, segment.Size)
		if err != nil {
			continue // The disk failed when it was to be read.
		}
		whole[segment.Number] = segment.LastNumber > 0
		for _, e := range read {
			event := m.events[e.Detail]
			if event == nil || e.Kind != event.event.Kind || e.Target != event.event.Target || !e.At.Equal(event.event.At) || found[e.Detail] {
				return fmt.Errorf("%s: event %q was never recorded so, or only once", segment.Name, e.Detail)
			}
			found[e.Detail] = true
		}
	}
	for detail, event := range m.events {
		mayBeGone := event.gone || m.removed[event.segment] || m.damaged[event.segment] || !whole[event.segment] || powerCut && !event.synced
		if event.segment != 0 && !found[detail] && !mayBeGone {
			return fmt.Errorf("event %q of segment %d is missing (synced: %v, power cut: %v)", detail, event.segment, event.synced, powerCut)
		}
		event.gone = event.gone || !found[detail]
		event.synced = event.synced || powerCut
	}
	return nil
}

// synced takes whether the writer has completed a sync. What was not synced when the disk failed
// never is: its segment is left.
func (m *crashModel) synced(w *journal.Writer) {
	stats := w.Stats()
	if stats.Syncs != m.syncs {
		m.syncs = stats.Syncs
		for _, s := range m.unsynced {
			s.synced = true
		}
		m.unsynced = nil
		for _, e := range m.newEvents {
			e.synced = true
		}
		clear(m.newEvents)
	}
	if stats.State == journal.StateFailing {
		m.unsynced = nil
		clear(m.newEvents)
	}
}

// vanished forgets what was in a segment that somebody else has removed: it never comes back.
func (m *crashModel) vanished(segment int64) {
	m.removed[segment] = true
	for _, e := range m.events {
		e.gone = e.gone || e.segment == segment
	}
	for number, candidates := range m.scrapes {
		m.scrapes[number] = slices.DeleteFunc(candidates, func(s *modelScrape) bool { return s.segment == segment })
	}
}

// crashed forgets what belonged to the process.
func (m *crashModel) crashed() {
	m.unsynced, m.segment, m.syncs = nil, 0, 0
	clear(m.newEvents)
}

// check compares what can be read with what must be there, and returns in which segment it is. With
// powerCut, what was not synced may be missing.
func (m *crashModel) check(disk *journaltest.Disk, view *journal.View, powerCut bool) (found map[*modelScrape]int64, err error) {
	found, hidden := map[*modelScrape]int64{}, map[int64]bool{}
	for _, u := range view.Unreadable {
		if number, ok := segmentNumber(u.Name); ok && !errors.As(u.Err, new(*journal.Damage)) {
			hidden[number] = true // The disk failed when it was to be read.
		}
	}
	last := int64(0)
	for _, segment := range view.Segments {
		read, err := m.readSegment(disk, segment)
		if errors.Is(err, fs.ErrNotExist) && m.removed[segment.Number] {
			continue // The writer does not know yet.
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", segment.Name, err)
		}
		for _, b := range read {
			if b.Number <= last {
				return nil, fmt.Errorf("%s: number %d comes after %d", segment.Name, b.Number, last)
			}
			last = b.Number
			s := m.find(b)
			if s == nil {
				return nil, fmt.Errorf("%s: scrape %d of %q at %d was never recorded", segment.Name, b.Number, b.Target, b.At)
			}
			found[s] = segment.Number
		}
	}
	for _, candidates := range m.scrapes {
		for _, s := range candidates {
			if err := m.checkOne(s, found[s] != 0 || hidden[s.segment], powerCut); err != nil {
				return nil, err
			}
		}
	}
	return found, m.checkPrefix(found)
}

// segmentNumber returns the number of the segment whose file has the name.
func segmentNumber(name string) (number int64, ok bool) {
	digits, ok := strings.CutSuffix(name, ".segment")
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, ok && err == nil
}

func (m *crashModel) readSegment(disk *journaltest.Disk, info journal.SegmentInfo) ([]*recorder.Batch, error) {
	read, _, damage, err := journal.ReadSegment(disk, info.Name, info.Size)
	if err != nil || damage != nil {
		return read, err
	}
	if len(read) != info.Scrapes() {
		return read, fmt.Errorf("%d scrapes are read, its information has %d", len(read), info.Scrapes())
	}
	if len(read) > 0 && (read[0].Number != info.FirstNumber || read[len(read)-1].Number != info.LastNumber) {
		return read, fmt.Errorf("its information has other numbers: %d to %d", info.FirstNumber, info.LastNumber)
	}
	return read, nil
}

// find returns what was recorded as the scrape that was read.
func (m *crashModel) find(b *recorder.Batch) *modelScrape {
	for _, s := range m.scrapes[b.Number] {
		if journal.IsSameBatch(s.batch, b) {
			return s
		}
	}
	return nil
}

func (m *crashModel) checkOne(s *modelScrape, found, powerCut bool) error {
	if found || !s.accepted || s.gone {
		return nil
	}
	if !m.removed[s.segment] && !m.damaged[s.segment] && !(powerCut && !s.synced) {
		return fmt.Errorf("scrape %d of segment %d is missing (synced: %v, power cut: %v)", s.number, s.segment, s.synced, powerCut)
	}
	return nil
}

// checkPrefix checks that nothing is found behind what is missing in a segment.
func (m *crashModel) checkPrefix(found map[*modelScrape]int64) error {
	firstMissing := map[int64]int64{}
	for _, candidates := range m.scrapes {
		for _, s := range candidates {
			if n, has := firstMissing[s.segment]; s.accepted && !s.gone && found[s] == 0 && (!has || s.number < n) {
				firstMissing[s.segment] = s.number
			}
		}
	}
	for s := range found {
		if n, has := firstMissing[s.segment]; s.accepted && has && s.number > n {
			return fmt.Errorf("scrape %d of segment %d is there, though %d is missing", s.number, s.segment, n)
		}
	}
	return nil
}

// settle takes what was found after a crash as what must be there from now on. After a power cut
// nothing else can come back.
func (m *crashModel) settle(found map[*modelScrape]int64, powerCut bool) {
	for s, segment := range found {
		s.segment, s.accepted, s.gone = segment, true, false
		s.synced = s.synced || powerCut
		m.removed[segment] = false
	}
	for number, candidates := range m.scrapes {
		var left []*modelScrape
		for _, s := range candidates {
			s.gone = found[s] == 0
			if !s.gone || !powerCut {
				left = append(left, s)
			}
		}
		m.scrapes[number] = left
	}
}
