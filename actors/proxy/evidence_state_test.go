package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// evidenceKit drives the state by hand.
type evidenceKit struct {
	*testing.T
	s   *evidenceState
	now time.Time
}

func newEvidenceKit(t *testing.T) *evidenceKit {
	return &evidenceKit{t, newEvidenceState(), time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)}
}

func evidenceFile(node, name string, bytes int64) messages.EvidenceFile {
	return messages.EvidenceFile{Path: messages.EvidenceDir(node) + "/" + name, What: "what " + name, Bytes: bytes, SHA256: fmt.Sprint("sum", bytes)}
}

func (k *evidenceKit) ask(incident, node string, files ...messages.EvidenceFile) {
	k.s.ask(fetchEvidence{incidentID: incident, node: messages.IncidentNode{NodeID: node, Files: files}}, k.now)
}

// next starts what is due, and returns it as text.
func (k *evidenceKit) next() (jobs []evidenceJob, text string) {
	jobs = k.s.next(k.now)
	var all []string
	for _, j := range jobs {
		one := j.key.incidentID + " " + j.key.nodeID
		for _, f := range j.files {
			one += " " + f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		}
		all = append(all, one)
	}
	return jobs, strings.Join(all, "; ")
}

func (k *evidenceKit) end(j evidenceJob, waits string, ends ...fileEnd) nodeFetched {
	k.Helper()
	r, ok := k.s.ended(evidenceEnded{j.number, j.key, ends, waits}, k.now)
	require.True(k, ok)
	return r
}

func came(f messages.EvidenceFile) fileEnd {
	return fileEnd{file: f, files: []messages.EvidenceFile{f}}
}

func TestEvidenceComes(t *testing.T) {
	k := newEvidenceKit(t)
	small, large := evidenceFile("n", "small", 1), evidenceFile("n", "large", 9)
	k.ask("i", "n", large, small)
	jobs, text := k.next()
	require.Equal(t, "i n small large", text, "what is small comes first")
	_, text = k.next()
	require.Empty(t, text)
	r := k.end(jobs[0], "the node is not connected", came(small))
	require.Equal(t, nodeFetched{incidentID: "i", nodeID: "n", files: []messages.EvidenceFile{small},
		missing: []messages.EvidenceMissing{{What: "what large", Reason: "the node is not connected"}}}, r)
	require.Equal(t, k.now.Add(evidenceRetry), k.s.nextDue())
	k.now = k.s.nextDue()
	jobs, text = k.next()
	require.Equal(t, "i n large", text)
	r = k.end(jobs[0], "", came(large))
	require.True(t, r.done)
	require.Equal(t, []messages.EvidenceFile{large, small}, r.files)
	require.Empty(t, r.missing)
	require.Zero(t, k.s.nextDue())
	_, ok := k.s.ended(evidenceEnded{number: jobs[0].number, key: jobs[0].key}, k.now)
	require.False(t, ok, "nobody waits for that job any more")
}

// Of a node one incident is fetched at a time, and of so many nodes at once.
func TestEvidenceOfManyNodes(t *testing.T) {
	k := newEvidenceKit(t)
	for i := range maxFetchedNodes + 2 {
		node := fmt.Sprint("n", i)
		k.ask("a", node, evidenceFile(node, "x", 1))
	}
	k.ask("b", "n0", evidenceFile("n0", "x", 1))
	jobs, text := k.next()
	require.Equal(t, "a n0 x; a n1 x; a n2 x; a n3 x", text)
	require.Equal(t, k.now.Add(evidenceJobTime+evidenceJobGrace), k.s.nextDue(), "there is no place")
	k.end(jobs[1], "", came(evidenceFile("n1", "x", 1)))
	_, text = k.next()
	require.Equal(t, "a n4 x", text)
	k.end(jobs[0], "", came(evidenceFile("n0", "x", 1)))
	_, text = k.next()
	require.Equal(t, "a n5 x", text)
}

// A file that is not what it was said to be is fetched once more, and then given up for good.
func TestWrongEvidence(t *testing.T) {
	k := newEvidenceKit(t)
	bad, good := evidenceFile("n", "bad", 5), evidenceFile("n", "good", 7)
	k.ask("i", "n", bad, good)
	for range maxWrongFiles {
		k.now = k.s.nextDue()
		jobs, _ := k.next()
		require.Contains(t, jobs[0].files, bad)
		k.end(jobs[0], "", fileEnd{file: bad, reason: "other bytes", wrong: true})
	}
	k.now = k.s.nextDue()
	jobs, text := k.next()
	require.Equal(t, "i n good", text)
	r := k.end(jobs[0], "", came(good))
	require.True(t, r.done)
	require.Equal(t, []messages.EvidenceMissing{{What: "what bad", Reason: "other bytes"}}, r.missing)
	k.ask("i", "n", bad, good)
	_, text = k.next()
	require.Equal(t, "i n", text, "nothing is fetched again")

	changed := bad
	changed.SHA256 = "another"
	k = newEvidenceKit(t)
	k.ask("i", "n", bad)
	jobs, _ = k.next()
	k.ask("i", "n", changed)
	r = k.end(jobs[0], "", came(bad))
	require.Empty(t, r.files, "another one is wanted meanwhile")
	require.False(t, r.done)
	_, text = k.next()
	require.Equal(t, "i n bad", text, "at once")
}

// A node that is away is tried again and again, less and less often, and at once when it is back.
func TestEvidenceOfANodeThatIsAway(t *testing.T) {
	k := newEvidenceKit(t)
	f := evidenceFile("n", "x", 1)
	k.ask("i", "n", f)
	begin, tries := k.now, 0
	for due := k.now; !due.IsZero(); due = k.s.nextDue() {
		require.LessOrEqual(t, due.Sub(k.now), maxEvidenceRetry)
		k.now = due
		jobs, _ := k.next()
		require.Len(t, jobs, 1)
		r := k.end(jobs[0], "it is not connected")
		tries++
		require.Equal(t, tries == maxFileFailures, r.done)
		require.Equal(t, "it is not connected", r.missing[0].Reason)
	}
	require.Equal(t, maxFileFailures, tries)
	require.Greater(t, k.now.Sub(begin), 5*time.Minute)
	k.ask("i", "n", f)
	jobs, _ := k.next()
	require.Len(t, jobs, 1)
	require.True(t, k.end(jobs[0], "", came(f)).done)
}

// Names and sizes that an agent may not have are never asked for.
func TestEvidenceThatIsNotFetched(t *testing.T) {
	k := newEvidenceKit(t)
	other, block := evidenceFile("m", "x", 1), evidenceFile("n", "block/01/index", 1)
	huge := evidenceFile("n", "huge", maxEvidenceFile+1)
	many := []messages.EvidenceFile{other, block, huge}
	for i := range 4 {
		many = append(many, evidenceFile("n", fmt.Sprint("large", i), maxNodeEvidence/3))
	}
	k.ask("i", "n", many...)
	jobs, text := k.next()
	require.Equal(t, "i n large0 large1 large2", text)
	r := k.end(jobs[0], "gone")
	require.Equal(t, []messages.EvidenceMissing{
		{What: "what x", Reason: `the agent may have no file "nodes/m/x"`},
		{What: "what block/01/index", Reason: `the agent may have no file "nodes/n/block/01/index"`},
		{What: "what huge", Reason: "the file has 256 MiB, at most 256 are fetched"},
	}, r.missing[:3])
}

// A job that hangs in the disk takes its place until it ends, so that goroutines never pile up.
func TestEvidenceHangs(t *testing.T) {
	k := newEvidenceKit(t)
	f := evidenceFile("n", "x", 1)
	k.ask("i", "n", f)
	var all []evidenceJob
	for range maxFetchedNodes {
		jobs, _ := k.next()
		require.Len(t, jobs, 1)
		all = append(all, jobs...)
		k.now = k.s.nextDue()
		ends := k.s.lost(k.now)
		require.Len(t, ends, 1)
		_, ok := k.s.ended(ends[0], k.now)
		require.True(t, ok)
		k.now = k.now.Add(maxEvidenceRetry)
	}
	_, text := k.next()
	require.Empty(t, text)
	require.Zero(t, k.s.nextDue())
	_, ok := k.s.ended(evidenceEnded{number: all[0].number, key: all[0].key}, k.now)
	require.False(t, ok)
	_, text = k.next()
	require.Equal(t, "i n x", text)
}

// Samples are collected when their time is over, and nothing of an incident that is removed.
func TestEvidenceOfStream(t *testing.T) {
	k := newEvidenceKit(t)
	m := fetchEvidence{incidentID: "i", from: evidenceOfStream, node: messages.IncidentNode{NodeID: "n"}}
	k.s.ask(m, k.now)
	require.Zero(t, k.s.nextDue(), "its end is not known")
	m.node.To = k.now.Add(time.Minute)
	k.s.ask(m, k.now)
	require.Equal(t, m.node.To.Add(streamedGrace), k.s.nextDue())
	k.now = k.s.nextDue()
	jobs, text := k.next()
	require.Equal(t, "i n window.journal", text)
	require.Equal(t, []uint64{jobs[0].number}, k.s.forget("i"))
	require.Zero(t, k.s.nextDue())
	_, ok := k.s.ended(evidenceEnded{number: jobs[0].number, key: jobs[0].key}, k.now)
	require.False(t, ok)
}
