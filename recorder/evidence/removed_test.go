package evidence_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

// ofAgents is an incident with a part of each of these agents' incidents.
func ofAgents(n int, state messages.IncidentState, parts ...string) *messages.Incident {
	i := incident(n, state)
	i.Nodes = nil
	for _, part := range parts {
		i.Nodes = append(i.Nodes, messages.IncidentNode{NodeID: "node-" + part, IncidentID: "incident-" + part, Kind: messages.IncidentRule, State: state, Dir: "nodes/node-" + part})
	}
	return i
}

func removedParts(s *evidence.Store) (parts []string) {
	for _, r := range s.Removed() {
		parts = append(parts, r.NodeID+" "+r.IncidentID)
	}
	return parts
}

// What was deleted, and what has made room, is known to later processes; what became a part of another one is not among it.
func TestRemovedIsRemembered(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	for n, part := range []string{"a", "b", "c", "d"} {
		require.NoError(t, s.Put(ofAgents(n+1, messages.IncidentFrozen, part)))
	}
	require.NoError(t, s.Put(ofAgents(5, messages.IncidentOpen, "e")))
	require.NoError(t, s.Delete(idOf(2)))
	require.ErrorIs(t, s.Delete(idOf(5)), messages.ErrIncidentOpen)
	require.NoError(t, s.Merged(idOf(5)))
	require.NoError(t, s.Merged(idOf(4)))
	require.ErrorIs(t, s.Merged(idOf(4)), fs.ErrNotExist)
	require.Equal(t, []string{"node-b incident-b"}, removedParts(s))
	s = open(t, d, evidence.Limits{MaxCount: 1})
	require.Equal(t, []string{"node-b incident-b", "node-c incident-c"}, removedParts(s))
	s = open(t, d, evidence.Limits{})
	require.Equal(t, []string{"node-b incident-b", "node-c incident-c"}, removedParts(s))
	require.Len(t, s.List(), 1)
}

// The record is bounded, and a damaged one costs nothing but itself.
func TestRecordOfRemovedIsBounded(t *testing.T) {
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	for n := range 2010 {
		require.NoError(t, s.Put(ofAgents(1, messages.IncidentFrozen, fmt.Sprint(n))))
		require.NoError(t, s.Delete(idOf(1)))
	}
	s = open(t, d, evidence.Limits{})
	parts := removedParts(s)
	require.Len(t, parts, 2000)
	require.Equal(t, "node-2009 incident-2009", parts[1999])
	w, err := d.Append("removed.json")
	require.NoError(t, err)
	_, _ = w.Write([]byte("x"))
	require.NoError(t, w.Close())
	s, r, err := evidence.Open(d, evidence.Limits{}, begin)
	require.NoError(t, err)
	require.Len(t, r.Problems, 1)
	require.Empty(t, s.Removed())
}

// Whenever the process ends, or whatever the disk refuses: an incident is still there, or it is known that it was removed.
func TestRemovedIsNeverForgotten(t *testing.T) {
	for stop := 1; stop < 30; stop++ {
		for seed := range uint64(10) {
			for _, c := range []disktest.Crash{disktest.Kill, disktest.PowerCut} {
				rng := rand.New(rand.NewPCG(seed, uint64(stop)))
				d := evidencetest.New()
				s := open(t, d, evidence.Limits{})
				require.NoError(t, s.Put(ofAgents(1, messages.IncidentFrozen, "a")))
				require.NoError(t, s.Put(ofAgents(2, messages.IncidentFrozen, "b")))
				d.StopAfter(stop, rng)
				_ = s.Delete(idOf(1))
				_ = s.Delete(idOf(2))
				d = d.After(c, rng)
				s = open(t, d, evidence.Limits{})
				for n, part := range []string{"a", "b"} {
					if _, is := s.Get(idOf(n + 1)); !is {
						require.Contains(t, removedParts(s), "node-"+part+" incident-"+part, "stop %d, seed %d", stop, seed)
					}
				}
			}
		}
	}
	d := evidencetest.New()
	s := open(t, d, evidence.Limits{})
	require.NoError(t, s.Put(ofAgents(1, messages.IncidentFrozen, "a")))
	require.NoError(t, s.Put(ofAgents(2, messages.IncidentFrozen, "b")))
	d.Break(disktest.Fault{Op: disktest.Create, Times: 1, Err: syscall.ENOSPC})
	require.NoError(t, s.Delete(idOf(1)), "a full disk is a reason to remove something")
	require.NoError(t, s.Delete(idOf(2)))
	require.Equal(t, []string{"node-a incident-a", "node-b incident-b"}, removedParts(open(t, d, evidence.Limits{})))
	require.False(t, errors.Is(s.MakeRoom(0, begin), evidence.ErrFull))
}
