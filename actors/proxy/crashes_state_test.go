package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// crashAt is a record of a node.
func crashAt(node string, minute int) messages.KnownCrash {
	return messages.KnownCrash{Identity: messages.Identity{NodeID: node, PodName: "pod-" + node, Role: "datanode"}, AgentID: "agent-" + node,
		Crash: messages.Crash{FetchedAt: noon, ArtifactDir: fmt.Sprint("dir-", minute), Panic: messages.PanicRecord{OccurredAt: noon.Add(time.Duration(minute) * time.Minute), PanicValue: "boom"}}}
}

// minutes returns which of the crashes of crashAt are known of a node.
func minutes(s *crashState, node string) (known []int) {
	for _, c := range s.list(&messages.NodeFilter{NodeIDs: []string{node}}) {
		known = append(known, int(c.Panic.OccurredAt.Sub(noon)/time.Minute))
	}
	slices.Sort(known)
	return known
}

func TestCrashRecordsAreKeptOnce(t *testing.T) {
	s := newCrashState(false)
	require.True(t, s.arrived(crashAt("a", 1), noon))
	again := crashAt("a", 1)
	again.FetchedAt = noon.Add(time.Hour)
	require.False(t, s.arrived(again, noon.Add(time.Minute)))
	longer := crashAt("a", 1)
	longer.Panic.GoroutineStack = "goroutine 1"
	require.False(t, s.arrived(longer, noon.Add(time.Minute)), "a newer version of the same")
	require.True(t, s.arrived(crashAt("a", 2), noon))
	require.True(t, s.arrived(crashAt("b", 1), noon))
	require.Equal(t, []int{1, 2}, minutes(s, "a"))
	got := s.list(&messages.NodeFilter{NodeIDs: []string{"a"}})
	first := got[slices.IndexFunc(got, func(c messages.KnownCrash) bool { return c.ArtifactDir == "dir-1" })]
	require.Equal(t, "goroutine 1", first.Panic.GoroutineStack)
	require.Equal(t, noon, first.FetchedAt, "when it was first read")
	require.Equal(t, noon, first.KeptSince)
	require.Nil(t, s.nextWrite(), "there is no disk")
}

// Records that came before their node had said its role are of that role.
func TestCrashRecordsOfALateRole(t *testing.T) {
	s := newCrashState(true)
	early, other := crashAt("a", 1), crashAt("a", 2)
	early.Identity.Role = messages.RoleUnspecified
	s.arrived(early, noon)
	s.arrived(other, noon)
	for s.nextWrite() != nil {
		s.written(nil)
	}
	answer := func(role string) {
		id := messages.Identity{NodeID: "a", PodName: "pod-a", Role: role, Labels: map[string]string{"type": "hot"}}
		s.answered(&messages.Collection{Nodes: []messages.NodeAnswer{{Identity: id}, {Identity: messages.Identity{NodeID: "b", Role: "x"}}}}, true)
	}
	roles := func() (all []string) {
		for _, key := range s.nodes["a"].keys {
			all = append(all, s.records[key].Identity.Role)
		}
		return all
	}
	answer(messages.RoleUnspecified)
	require.Equal(t, []string{messages.RoleUnspecified, "datanode"}, roles())
	require.Nil(t, s.nextWrite())
	answer("ROLE_DATA")
	require.Equal(t, []string{"ROLE_DATA", "datanode"}, roles(), "one that had a role keeps it")
	require.Len(t, s.list(&messages.NodeFilter{Roles: []string{"ROLE_DATA"}}), 1)
	require.NotNil(t, s.nextWrite(), "the disk learns it, too")
	answer("ROLE_META")
	require.Equal(t, []string{"ROLE_DATA", "datanode"}, roles())
}

// A node that crashes again and again, or says so, makes no record of another one disappear, and keeps
// its first.
func TestCrashRecordsAreBounded(t *testing.T) {
	s := newCrashState(true)
	s.arrived(crashAt("quiet", 1), noon)
	for i := range maxCrashesOfNode + 10 {
		s.arrived(crashAt("busy", i), noon)
	}
	known := minutes(s, "busy")
	require.Len(t, known, maxCrashesOfNode)
	require.Equal(t, []int{0, 11}, known[:2], "all but the first are the newest")
	require.Empty(t, s.removals, "the disk has none of them")
	for n := range maxCrashRecords / maxCrashesOfNode {
		for i := range maxCrashesOfNode {
			s.arrived(crashAt(fmt.Sprint("n", n), i), noon)
		}
	}
	require.Len(t, s.records, maxCrashRecords)
	require.Equal(t, []int{1}, minutes(s, "quiet"))

	s = newCrashState(true)
	s.arrived(crashAt("quiet", 1), noon)
	huge := func(i int) messages.KnownCrash {
		c := crashAt("huge", i)
		c.Panic.GoroutineStack = strings.Repeat("x", maxCrashBytes/4)
		return c
	}
	for i := range 5 {
		s.arrived(huge(i), noon)
	}
	require.Equal(t, []int{0, 3, 4}, minutes(s, "huge"))
	require.Equal(t, []int{1}, minutes(s, "quiet"))
	require.LessOrEqual(t, s.bytes, maxCrashBytes)
	total := 0
	for _, r := range s.records {
		total += r.bytes
	}
	require.Equal(t, total, s.bytes)
	one := crashAt("only", 1)
	one.Panic.GoroutineStack = strings.Repeat("x", 2*maxCrashBytes)
	s.arrived(one, noon)
	require.Empty(t, minutes(s, "only"), "one that fits nowhere")
	require.Equal(t, []int{1}, minutes(s, "quiet"))
}

func TestCrashRevisions(t *testing.T) {
	s := newCrashState(false)
	answer := func(agent string, missing messages.MissingReason, parts ...messages.Part) messages.NodeAnswer {
		return messages.NodeAnswer{AgentID: agent, Missing: missing, Parts: parts}
	}
	s.answered(&messages.Collection{Nodes: []messages.NodeAnswer{answer("a", "", messages.CrashRevision(7)), answer("b", "", messages.CrashRevision(8)),
		answer("c", messages.MissingTimeout, messages.CrashRevision(9)), answer("field", "", &messages.Crash{})}}, true)
	require.Equal(t, messages.CrashQuestion{Known: map[string]uint64{"a": 7, "b": 8}, RevisionsOnly: true}, s.question(), "an answer that is not whole proves nothing")
	s.answered(&messages.Collection{Nodes: []messages.NodeAnswer{answer("a", "", messages.CrashRevision(10))}}, false)
	require.Equal(t, map[string]uint64{"a": 10, "b": 8}, s.question().Known)
	s.answered(&messages.Collection{Nodes: []messages.NodeAnswer{answer("a", messages.MissingTimeout)}}, true)
	require.Equal(t, map[string]uint64{"a": 10}, s.question().Known, "an agent that is gone is forgotten")
}

func TestCrashRecordsGoToDisk(t *testing.T) {
	s := newCrashState(true)
	s.arrived(crashAt("a", 2), noon.Add(time.Minute))
	s.arrived(crashAt("a", 1), noon)
	w := s.nextWrite()
	require.Equal(t, "dir-1", w.save.ArtifactDir, "what came first")
	require.Nil(t, s.nextWrite(), "one at a time")
	newer := crashAt("a", 1)
	newer.Panic.PanicValue = "boom, and why"
	s.arrived(newer, noon)
	s.written(nil)
	w = s.nextWrite()
	require.Equal(t, "boom, and why", w.save.Panic.PanicValue, "it changed while it was written")
	s.written(errors.New("disk full"))
	require.Equal(t, "dir-2", s.nextWrite().save.ArtifactDir, "the others do not wait for it")
	s.written(nil)
	require.Nil(t, s.nextWrite())
	require.Equal(t, 1, s.unsaved())
	s.retry()
	require.Equal(t, "dir-1", s.nextWrite().save.ArtifactDir)
	s.written(nil)
	require.Zero(t, s.unsaved())
	s.arrived(newer, noon)
	require.Nil(t, s.nextWrite(), "the same again")

	s.evictOf("a")
	w = s.nextWrite()
	require.Nil(t, w.save)
	require.Equal(t, "dir-2", w.key.ArtifactDir)
	s.written(errors.New("read-only"))
	s.arrived(crashAt("b", 1), noon)
	require.Equal(t, "dir-1", s.nextWrite().save.ArtifactDir, "what cannot be removed keeps nobody waiting")
	s.written(nil)
	require.Nil(t, s.nextWrite())
	s.retry()
	require.Equal(t, w.key, s.nextWrite().key)
	s.arrived(crashAt("a", 2), noon)
	s.written(nil)
	require.Equal(t, "dir-2", s.nextWrite().save.ArtifactDir, "it came again while it was removed")
	s.evictOf("a")
	s.written(nil)
	require.Equal(t, &crashWrite{key: w.key}, s.nextWrite(), "it was evicted while it was written")
}

// However long the disk hangs, and whatever comes meanwhile, what is to be done on it is no more than it has
// files.
func TestRemovalsOfCrashRecordsAreBounded(t *testing.T) {
	s := newCrashState(true)
	s.loaded(crashAt("a", 0))
	s.loaded(crashAt("a", 1))
	s.arrived(crashAt("a", 2), noon)
	require.Equal(t, "dir-2", s.nextWrite().save.ArtifactDir)
	for i := range 10 * maxCrashesOfNode {
		s.arrived(crashAt("a", 3+i), noon)
	}
	require.Len(t, s.removals, 1)
	s.written(nil)
	require.Equal(t, "dir-1", s.nextWrite().key.ArtifactDir)
	s.written(nil)
	require.Equal(t, "dir-2", s.nextWrite().key.ArtifactDir)
	s.written(nil)
	require.NotNil(t, s.nextWrite().save)
}

func TestIdentitiesCountAsCrashRecords(t *testing.T) {
	s := newCrashState(false)
	for i := range maxCrashesOfNode {
		c := crashAt("a", i)
		c.Identity.Labels = map[string]string{"l": strings.Repeat("x", maxCrashBytes/10)}
		s.arrived(c, noon)
	}
	require.Less(t, len(s.records), 10)
}

func TestCrashRecordsOfBefore(t *testing.T) {
	s := newCrashState(true)
	old := crashAt("a", 1)
	old.KeptSince = noon.Add(-time.Hour)
	s.arrived(crashAt("a", 1), noon)
	s.loaded(old)
	s.loaded(crashAt("a", 0))
	require.Equal(t, []int{0, 1}, minutes(s, "a"))
	require.False(t, s.arrived(crashAt("a", 0), noon), "it is not new")
	require.Equal(t, "dir-1", s.nextWrite().save.ArtifactDir)
	require.Equal(t, old.KeptSince, s.records[old.Key()].KeptSince)
	s.written(nil)
	require.Nil(t, s.nextWrite())
}
