package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// pastModel plays any order of events on a queue, and knows what each answer has sent.
type pastModel struct {
	t        *rapid.T
	q        answerQueue
	now      time.Time
	asked    uint64
	taken    uint64          // snapshots, which come in order
	memory   map[uint64]bool // by request: whether a part of its snapshot was sent
	ended    map[uint64]bool
	onDisk   map[uint64]bool
	dict     map[uint64]bool
	mixing   uint64 // the answer with a dictionary that has begun and has not ended
	reading  uint64 // whose past is being read
	underWay int
}

func (m *pastModel) request() {
	m.asked++
	m.dict[m.asked] = rapid.Bool().Draw(m.t, "dictionary")
	r := metricsRequest{id: m.asked, columnar: true, timeLeft: time.Duration(rapid.IntRange(0, 8).Draw(m.t, "left")) * time.Second}
	if m.dict[m.asked] {
		r.dictionary = 1
	}
	m.q.requested(r, m.now)
}

func (m *pastModel) snapshot() {
	if m.taken == m.asked {
		return
	}
	m.taken++
	m.onDisk[m.taken] = rapid.Bool().Draw(m.t, "on disk")
	m.q.snapshotted(m.taken, m.onDisk[m.taken])
}

// step writes what can be written. It returns false if that is nothing.
func (m *pastModel) step(last bool) (wrote bool) {
	step, ok := m.q.next(m.now)
	if !ok {
		return false
	}
	id := step.request.id
	require.False(m.t, m.ended[id], "answer %d goes on behind its end", id)
	if step.past {
		require.True(m.t, m.onDisk[id])
		require.False(m.t, m.memory[id], "its past comes first")
		m.q.queued(false)
		m.underWay++
		return true
	}
	last = last || step.failure != ""
	if step.failure == "" && m.dict[id] {
		require.True(m.t, m.mixing == 0 || m.mixing == id, "the frames of %d and %d mix", m.mixing, id)
		m.mixing = id
	}
	if last && m.mixing == id {
		m.mixing = 0
	}
	m.memory[id], m.ended[id] = true, last
	m.q.queued(last)
	m.underWay++
	return true
}

func (m *pastModel) read() {
	if seq, ok := m.q.beginPast(m.now); ok {
		p := m.q.find(m.reading)
		require.True(m.t, p == nil || p.past == pastNone, "two pasts are read at a time")
		m.reading = seq
	}
}

// TestAnswersWithPasts plays any order of events: each request gets one whole answer, its past
// first, and the frames of two answers with a dictionary never mix.
func TestAnswersWithPasts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &pastModel{t: t, now: time.Unix(0, 0), memory: map[uint64]bool{}, ended: map[uint64]bool{}, onDisk: map[uint64]bool{}, dict: map[uint64]bool{}}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 7).Draw(t, "event") {
			case 0:
				m.request()
			case 1:
				m.snapshot()
			case 2:
				m.read()
			case 3:
				m.q.pastPart(m.reading, m.now)
			case 4:
				if p := m.q.find(m.reading); p != nil && p.past == pastAwaited {
					m.q.endPast(m.reading)
				}
			case 5:
				m.q.overduePast(m.now)
			case 6:
				m.step(rapid.Bool().Draw(t, "last"))
			case 7:
				m.q.written()
				m.underWay = max(0, m.underWay-1)
			}
			require.LessOrEqual(t, m.underWay, maxAnswerFrames)
		}
		// Whatever happened, time answers all, and the queue says when to look again.
		for len(m.ended) < int(m.asked) || len(m.q.items) > 0 {
			for m.underWay > 0 {
				m.q.written()
				m.underWay--
			}
			m.q.overduePast(m.now)
			m.read()
			if !m.step(true) {
				at := m.q.wakeAt()
				require.False(t, at.IsZero())
				require.Less(t, at.Sub(m.now), max(recorderTimeout, 8*time.Second)+time.Nanosecond)
				m.now = at
			}
		}
		for id := uint64(1); id <= m.asked; id++ {
			require.True(t, m.ended[id])
		}
	})
}
