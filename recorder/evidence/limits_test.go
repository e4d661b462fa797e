package evidence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

// 500 incidents of random sizes come, of five rules on two nodes. After each operation of the disk the limits
// hold, and the rules say which one goes.
func TestLimitsHoldAtEveryMoment(t *testing.T) {
	const maxCount, maxBytes = 50, 700 << 10
	rng := rand.New(rand.NewPCG(5, 5))
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{MaxCount: maxCount, MaxBytes: maxBytes})
	now := begin
	first, kept := map[string]string{}, map[string]bool{}
	largest, evicted := int64(0), 0
	d.Watch(func(op disktest.Op, name string) {
		require.LessOrEqual(t, d.Total(), int64(maxBytes), "%s %s", op, name)
		require.LessOrEqual(t, d.Dirs(), maxCount, "%s %s", op, name)
		largest = max(largest, d.Total())
		id, rest, _ := strings.Cut(name, "/")
		if op == disktest.Remove && rest == "incident.json" {
			evicted++
			require.False(t, kept[id], "%s is pinned, open or the first of its rule", id)
		}
	})
	for n := 1; n <= 500; n++ {
		now = now.Add(time.Duration(rng.IntN(120)) * time.Minute)
		i := incident(n, messages.IncidentOpen)
		i.FirstOccurrence = now
		key := fmt.Sprint("rule", rng.IntN(5), " data-", rng.IntN(2))
		i.Rules[0].Rule, i.Rules[0].NodeID, _ = strings.Cut(key, " ")
		i.Pinned = n%100 == 50
		if first[key] == "" {
			first[key] = i.ID
		}
		kept[i.ID] = true
		require.NoError(t, s.MakeRoom(32<<10, now))
		require.NoError(t, s.Put(i))
		for f := range rng.IntN(5) {
			i.Nodes[0].Files = append(i.Nodes[0].Files, write(t, s, i.ID, fmt.Sprint("nodes/data-0/logs/", f), make([]byte, rng.IntN(16<<10))))
		}
		p, err := s.OpenPart(i.ID, "nodes/data-0/part")
		require.NoError(t, err)
		_, err = p.Write(make([]byte, rng.IntN(1000)))
		require.NoError(t, err)
		require.NoError(t, p.Close())
		i.State = messages.IncidentFrozen
		if rng.IntN(2) == 0 {
			i.SeenAt = now
		}
		require.NoError(t, s.Put(i))
		kept[i.ID] = i.Pinned || first[key] == i.ID
	}
	for id := range kept {
		_, has := s.Get(id)
		require.True(t, has || !kept[id], id)
	}
	require.Len(t, first, 10)
	require.Greater(t, largest, int64(maxBytes*8/10))
	require.Greater(t, evicted, 400)
	require.EqualValues(t, evicted, s.Usage().Evicted)
	require.Len(t, s.Evicted(), evicted)
	require.Empty(t, s.Evicted())
	require.Equal(t, d.Total(), s.Usage().Bytes)
}

func TestUnseenGoAfterSeen(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{MaxCount: 4})
	for n := 1; n <= 4; n++ {
		i := incident(n, messages.IncidentFrozen)
		if n == 3 {
			i.SeenAt = begin
		}
		require.NoError(t, s.Put(i))
	}
	ids := func() (ids []string) {
		for i := range s.All() {
			ids = append(ids, strings.TrimLeft(i.ID[20:], "0"))
		}
		return ids
	}
	require.NoError(t, s.Put(incident(5, messages.IncidentFrozen)))
	require.Equal(t, []string{"1", "2", "4", "5"}, ids())
	require.NoError(t, s.Put(incident(6, messages.IncidentFrozen)))
	require.Equal(t, []string{"1", "4", "5", "6"}, ids(), "the first of the rule is not the oldest that may go")
	s5, _ := s.Get(idOf(5))
	s5.SeenAt = begin
	require.NoError(t, s.Put(&s5))
	require.NoError(t, s.MakeRoom(0, begin.Add(15*24*time.Hour)))
	require.NoError(t, s.Put(incident(7, messages.IncidentFrozen)))
	require.Equal(t, []string{"1", "5", "6", "7"}, ids(), "after 14 days it does not matter")
}

func TestIncidentThatDoesNotFit(t *testing.T) {
	eachFS(t, func(t *testing.T, d evidence.FS) {
		s := open(t, d, evidence.Limits{MaxBytes: 100 << 10, MaxCount: 3})
		for n := 1; n <= 2; n++ {
			i := incident(n, messages.IncidentFrozen)
			i.Nodes[0].Files = append(i.Nodes[0].Files, write(t, s, idOf(n), "nodes/data-0/x", make([]byte, 23<<10)))
			i.Pinned = n == 1
			require.NoError(t, s.Put(i))
		}
		w, err := s.CreateWhole(idOf(3), "nodes/data-0/heap", "profile/heap", 0)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 40<<10))
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 20<<10))
		require.ErrorIs(t, err, evidence.ErrFull)
		require.ErrorContains(t, err, idOf(3))
		require.ErrorContains(t, err, "at most 51200 of one incident are allowed (--incident-retention-size")
		_, err = w.Commit()
		require.ErrorIs(t, err, evidence.ErrFull)
		require.Len(t, s.List(), 2, "nothing was removed in vain")

		w, err = s.Create(idOf(3), "nodes/data-0/log", "nodelog", 0)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 49<<10))
		require.NoError(t, err)
		_, err = w.Write([]byte("more than there is room for"))
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 20<<10))
		require.ErrorIs(t, err, evidence.ErrFull)
		_, err = w.Write([]byte("x"))
		require.ErrorIs(t, err, evidence.ErrFull, "a file has no holes")
		f, err := w.Commit()
		require.NoError(t, err)
		require.True(t, f.Truncated)
		require.EqualValues(t, 49<<10+27, f.Bytes)
		require.NoError(t, s.Put(incident(3, messages.IncidentOpen, f)), "there is room for the document")
		require.Len(t, s.List(), 2, "the one that was not pinned is gone")

		require.NoError(t, s.Put(incident(4, messages.IncidentOpen)))
		err = s.Put(incident(5, messages.IncidentOpen))
		require.ErrorIs(t, err, evidence.ErrFull)
		require.ErrorContains(t, err, "at most 3 are allowed (--incident-max-count)")
		require.Len(t, s.List(), 3)
		require.ErrorIs(t, s.MakeRoom(50<<10, begin), evidence.ErrFull)
	})
}

func TestFreeSpaceIsLeft(t *testing.T) {
	d := evidencetest.New()
	d.SetSpace(1<<20, 0)
	s := open(t, d, evidence.Limits{MinFree: 0.25})
	for n := 1; n <= 7; n++ {
		require.NoError(t, s.Put(incident(n, messages.IncidentFrozen, write(t, s, idOf(n), "nodes/data-0/x", make([]byte, 100<<10)))))
	}
	require.Len(t, s.List(), 7)
	write(t, s, idOf(8), "nodes/data-0/x", make([]byte, 100<<10))
	require.Equal(t, []string{idOf(2)}, s.Evicted(), "the oldest but the first")
	free, _ := d.Free()
	require.GreaterOrEqual(t, free, uint64(256<<10))

	// The database takes all that is left. Nothing of ours would help.
	d.SetSpace(4<<20, uint64(4<<20-d.Total()))
	err := s.MakeRoom(1, begin)
	require.ErrorIs(t, err, evidence.ErrFull)
	require.ErrorContains(t, err, "--storage-min-free")
	require.Empty(t, s.Evicted())
	d.SetSpace(1<<20, 0)

	// It takes a part.
	d.SetSpace(1<<20, 200<<10)
	require.NoError(t, s.MakeRoom(0, begin))
	require.Equal(t, []string{idOf(3), idOf(4)}, s.Evicted())
	free, _ = d.Free()
	require.GreaterOrEqual(t, free, uint64(256<<10))

	// A document may have half of what stays free.
	d.SetSpace(1<<20, 0)
	require.NoError(t, s.MakeRoom(0, begin))
	d.SetSpace(1<<20, uint64(1<<20-s.Usage().Bytes-200<<10))
	for i := range s.All() {
		c := i.Clone()
		c.Pinned = true
		require.NoError(t, s.Put(&c))
	}
	w, err := s.Create(idOf(9), "nodes/data-0/x", "", 0)
	require.ErrorIs(t, err, evidence.ErrFull)
	require.Nil(t, w)
	require.NoError(t, s.Put(incident(9, messages.IncidentOpen)))
}

// What is held in memory is a limit as any other.
func TestMemoryIsBounded(t *testing.T) {
	d := evidencetest.New()
	const maxMemory = 1 << 20
	s := open(t, d, evidence.Limits{MaxMemory: maxMemory})
	for n := 1; n <= 200; n++ {
		i := incident(n, messages.IncidentFrozen)
		for range 200 {
			i.Timeline = append(i.Timeline, messages.IncidentEvent{At: begin, Kind: "rule", Text: strings.Repeat("x", 100)})
		}
		require.NoError(t, s.Put(i))
		require.LessOrEqual(t, s.Usage().Memory, int64(maxMemory))
	}
	have := len(s.List())
	require.Greater(t, have, 20)
	require.Less(t, have, 60)

	s, r, err := evidence.Open(d, evidence.Limits{MaxMemory: maxMemory / 2}, begin)
	require.NoError(t, err)
	require.LessOrEqual(t, s.Usage().Memory, int64(maxMemory/2))
	require.Len(t, r.Evicted, have-len(s.List()))
	require.Equal(t, len(s.List()), r.Incidents)
	require.True(t, slices.ContainsFunc(s.List(), func(i messages.Incident) bool { return i.ID == idOf(1) }), "the first is there")
}

// What is being written stays, and nothing is removed for the incident itself.
func TestWhatIsWrittenStays(t *testing.T) {
	s := open(t, evidencetest.New(), evidence.Limits{MaxCount: 2})
	for n := 1; n <= 2; n++ {
		i := incident(n, messages.IncidentFrozen)
		i.SeenAt, i.Rules = begin, nil
		require.NoError(t, s.Put(i))
	}
	w, err := s.Create(idOf(1), "nodes/data-0/x", "", 0)
	require.NoError(t, err)
	require.NoError(t, s.Put(incident(3, messages.IncidentOpen)))
	require.Equal(t, []string{idOf(2)}, s.Evicted(), "the older one is being written")
	_, err = w.Commit()
	require.NoError(t, err)
	require.NoError(t, s.Put(incident(4, messages.IncidentOpen)))
	require.Equal(t, []string{idOf(1)}, s.Evicted())
}
