package proxy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder/bundle"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

const heapOfD1 = "nodes/d1/profiles/heap.pb.gz"

// diskIncidents is a configuration whose incidents are in fs, with their evidence.
func diskIncidents(fs evidence.FS, limits evidence.Limits) Config {
	cfg := testConfig
	cfg.Incidents = &IncidentsConfig{OnDisk: true, Open: func(now time.Time) (*evidence.Store, evidence.Report, error) {
		return evidence.Open(fs, limits, now)
	}}
	cfg.Evidence = &EvidenceConfig{Blocks: countingBlocks}
	return cfg
}

// captured has the agent name a file with these bytes in its incident, and tell the proxy.
func (p *incidentPeer) captured(n int, path string, content []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.records[scriptID(9000+n)].Clone()
	node := messages.IncidentNode{Dir: messages.EvidenceDir(p.agent.first.GetNodeId())}
	if len(i.Nodes) > 0 {
		node = i.Nodes[0]
	}
	sum := sha256.Sum256(content)
	node.Files = append(node.Files, messages.EvidenceFile{Path: path, What: messages.EvidenceProfile, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
	i.Nodes = []messages.IncidentNode{node}
	p.file, p.records[i.ID] = content, &i
	p.revision++
	_ = p.g.SendMsg(wire.AnnouncementFrame(p.revision))
}

// firesOn says that the rule of an incident still fires.
func (p *incidentPeer) firesOn(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.records[scriptID(9000+n)].Clone()
	i.LastFiring, i.Rules[0].LastFiring = time.Now(), time.Now()
	p.records[i.ID] = &i
	p.revision++
	_ = p.g.SendMsg(wire.AnnouncementFrame(p.revision))
}

// evidenceOf returns a file of an incident.
func (w *world) evidenceOf(id, path string) []byte {
	w.T.Helper()
	f, err := w.proxy.OpenEvidence(w.T.Context(), id, path)
	require.NoError(w.T, err)
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	require.NoError(w.T, err)
	return b
}

// bundleSource is an incident of the proxy, as it is exported.
type bundleSource struct {
	w   *world
	doc *messages.Incident
}

func (s bundleSource) Incident() *messages.Incident { return s.doc }

func (s bundleSource) Open(path string) (io.ReadCloser, int64, error) {
	f, err := s.w.proxy.OpenEvidence(s.w.T.Context(), s.doc.ID, path)
	if err != nil {
		return nil, 0, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, 0, f.Size()), f}, f.Size(), nil
}

// bundled returns a file of the bundle of an incident.
func (w *world) bundled(doc *messages.Incident, path string) []byte {
	w.T.Helper()
	var b bytes.Buffer
	require.NoError(w.T, bundle.Write(w.T.Context(), &b, bundleSource{w, doc}, bundle.Options{}))
	z, err := gzip.NewReader(&b)
	require.NoError(w.T, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		require.NoError(w.T, err, "%s is not in the bundle", path)
		if h.Name == bundle.Root(doc.ID)+"/"+path {
			content, err := io.ReadAll(r)
			require.NoError(w.T, err)
			return content
		}
	}
}

func nodeFiles(n *messages.IncidentNode) (paths []string) {
	for _, f := range n.Files {
		paths = append(paths, f.Path)
	}
	return paths
}

// A host dies for good in the middle of an incident: what its agent had captured is at the proxy, beside what the proxy
// has kept of the node, and in the bundle.
func TestIncidentOfAHostThatIsGoneForGood(t *testing.T) {
	cfg := diskIncidents(evidence.NewMemory(64<<20), evidence.Limits{})
	inWorld(t, cfg, func(t *testing.T, w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		w.incidentPeer("d2", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		p.fires(1, time.Now(), time.Time{})
		time.Sleep(2 * time.Second)
		p.captured(1, heapOfD1, aFile)
		time.Sleep(5 * time.Second)
		doc := w.incidents()[0]
		require.Equal(t, messages.IncidentOpen, doc.State)
		require.Equal(t, []string{heapOfD1}, nodeFiles(nodeOf(doc, "d1")))
		require.True(t, bytes.Equal(aFile, w.evidenceOf(doc.ID, heapOfD1)))
		for range 30 {
			time.Sleep(10 * time.Second)
			p.firesOn(1)
		}
		time.Sleep(time.Second)
		require.EqualValues(t, len(aFile), p.sent, "it is fetched once")
		p.agent.cancel()
		time.Sleep(30 * time.Minute)
		require.Len(t, w.incidents(), 1)
		doc = w.incidents()[0]
		require.Equal(t, messages.IncidentFrozen, doc.State, "it may come back")
		require.Equal(t, messages.IncidentFrozen, doc.State, "it may come back")
		require.True(t, bytes.Equal(aFile, w.bundled(doc, heapOfD1)))
		time.Sleep(awayTime)
		doc = w.incidents()[0]
		require.Equal(t, messages.IncidentCollected, doc.State)
		n := nodeOf(doc, "d1")
		require.Equal(t, []string{heapOfD1}, nodeFiles(n))
		require.True(t, slices.ContainsFunc(n.Missing, func(m messages.EvidenceMissing) bool { return m.Reason == "its agent is away" }), n.Missing)
		require.True(t, bytes.Equal(aFile, w.bundled(doc, heapOfD1)))
	})
}

// The connection breaks in the middle of a file, and then the proxy ends, and then the host. What had come stays each time, and
// nothing is fetched twice.
func TestEarlyEvidenceAcrossRestarts(t *testing.T) {
	fs, limits := evidence.NewMemory(64<<20), evidence.Limits{}
	var records map[string]*messages.Incident
	var id string
	run := func(test func(w *world)) {
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			serveWorld(t, sys, diskIncidents(fs, limits), 1<<20, func(_ *testing.T, w *world) { test(w) })
		})
	}
	run(func(w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		p.cut = 2 << 20
		p.fires(1, time.Now(), time.Time{})
		p.captured(1, heapOfD1, aFile)
		time.Sleep(5 * time.Second)
		id, records = w.incidents()[0].ID, p.records
	})
	run(func(w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		p.mu.Lock()
		p.records, p.file = records, aFile
		p.mu.Unlock()
		time.Sleep(10 * time.Second)
		require.Equal(w.T, []string{heapOfD1}, nodeFiles(nodeOf(w.incidents()[0], "d1")))
		require.EqualValues(w.T, len(aFile)-2<<20, p.sent, "it goes on where it stopped")
	})
	run(func(w *world) { // The agent names one more, and cannot send any.
		p := w.incidentPeer("d1", "ROLE_DATA")
		p.mu.Lock()
		p.records, p.cut = records, 1
		p.mu.Unlock()
		time.Sleep(time.Second)
		p.captured(1, "nodes/d1/profiles/cpu.pb.gz", []byte("cpu"))
		time.Sleep(time.Minute)
		require.Equal(w.T, []string{heapOfD1}, nodeFiles(nodeOf(w.incidents()[0], "d1")))
	})
	run(func(w *world) {
		w.incidentPeer("d2", "ROLE_DATA")
		time.Sleep(awayTime + time.Hour)
		doc, err := w.proxy.Incident(w.T.Context(), id)
		require.NoError(w.T, err)
		require.Equal(w.T, messages.IncidentCollected, doc.State)
		require.True(w.T, bytes.Equal(aFile, w.bundled(doc, heapOfD1)))
	})
}

// What comes of an open incident has others removed, and is never removed for others.
func TestEarlyEvidenceIsNotEvicted(t *testing.T) {
	limits := evidence.Limits{MaxBytes: 1 << 20, MaxIncidentBytes: 1 << 20}
	inWorld(t, diskIncidents(evidence.NewMemory(64<<20), limits), func(t *testing.T, w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		for n := range 2 {
			first := time.Now()
			p.fires(n, first, time.Time{})
			p.captured(n, heapOfD1, aFile[:400<<10])
			time.Sleep(5 * time.Second)
			if n == 0 {
				p.fires(n, first, time.Now())
				p.captured(n, heapOfD1, aFile[:400<<10])
				time.Sleep(2 * time.Hour)
				require.Equal(t, messages.IncidentCollected, w.incidents()[0].State)
			}
		}
		open := w.incidents()[0]
		require.Len(t, w.incidents(), 2)
		p.captured(1, "nodes/d1/profiles/cpu.pb.gz", aFile[:300<<10])
		time.Sleep(5 * time.Second)
		require.Len(t, w.incidents(), 1, "the one that is over makes room")
		p.captured(1, "nodes/d1/profiles/block.pb.gz", aFile[:600<<10])
		time.Sleep(time.Minute)
		n := nodeOf(w.proxy.evidenceDocument(open.ID), "d1")
		require.Equal(t, []string{"nodes/d1/profiles/cpu.pb.gz", heapOfD1}, nodeFiles(n))
		require.True(t, bytes.Equal(aFile[:400<<10], w.evidenceOf(open.ID, heapOfD1)))
	})
}

// An incident that somebody has deleted, and one that was removed to make room, do not come back when the proxy starts again and
// the agents tell of theirs.
func TestRemovedIncidentsDoNotComeBack(t *testing.T) {
	fs := evidence.NewMemory(64 << 20)
	var records map[string]*messages.Incident
	var kept string
	run := func(count int, test func(t *testing.T, w *world, p *incidentPeer)) {
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			serveWorld(t, sys, diskIncidents(fs, evidence.Limits{MaxCount: count}), 1<<20, func(t *testing.T, w *world) {
				p := w.incidentPeer("d1", "ROLE_DATA")
				p.mu.Lock()
				maps.Copy(p.records, records)
				p.mu.Unlock()
				test(t, w, p)
			})
		})
	}
	run(200, func(t *testing.T, w *world, p *incidentPeer) {
		for n := range 3 {
			time.Sleep(10 * time.Minute)
			p.fires(n, time.Now(), time.Now())
		}
		time.Sleep(10 * time.Minute)
		list := w.incidents()
		require.Len(t, list, 3)
		kept = list[2].ID // the first one of its rule
		require.NoError(t, w.proxy.ActOnIncident(t.Context(), list[1].ID, messages.IncidentDelete))
		p.mu.Lock()
		records = maps.Clone(p.records)
		p.mu.Unlock()
		time.Sleep(time.Second)
	})
	run(1, func(t *testing.T, w *world, _ *incidentPeer) { // The last one makes room.
		time.Sleep(time.Minute)
		require.Len(t, w.incidents(), 1)
	})
	for range 2 {
		run(200, func(t *testing.T, w *world, p *incidentPeer) {
			time.Sleep(time.Hour)
			list := w.incidents()
			require.Len(t, list, 1)
			require.Equal(t, kept, list[0].ID)
		})
	}
}

// evidenceDocument returns an incident as it is stored.
func (p *Proxy) evidenceDocument(id string) *messages.Incident {
	doc, _ := p.evidenceStore.Load().Get(id)
	return &doc
}

// What the proxy has kept of a node is beside what had come of its agent, and takes the place of none of it.
func TestKeptEvidenceIsBesideWhatHadCome(t *testing.T) {
	w := &fetchWorld{T: t, agent: &evidenceAgent{files: map[string][]byte{}, sent: map[string]int64{}, size: 1000}, memory: evidence.NewMemory(64 << 20)}
	w.agent.files[heapOfD1] = []byte("h")
	w.agent.files["nodes/d1/profiles/cpu.pb.gz"] = []byte("cpu")
	w.agent.chunk = func(path string, _ int64) error {
		if path != heapOfD1 {
			return messages.Errorf(messages.ErrUnavailable, "the node is not connected")
		}
		return nil
	}
	w.start()
	n := w.agent.node()
	n.NodeID, n.Dir, n.From, n.To = "d1", messages.EvidenceDir("d1"), time.UnixMilli(0), time.UnixMilli(10_000)
	ask := func(from evidenceSource) (last nodeFetched) {
		w.fetch.kept = func(string) (*journal.View, journal.FS, error) {
			b := segmentBytes(t, 3)
			return journal.OpenSegment(bytes.NewReader(b), int64(len(b)))
		}
		w.state.ask(fetchEvidence{incidentID: fetchedIncident, from: from, number: uint64(from) + 1, node: n}, time.Now())
		for _, job := range w.state.next(time.Now()) {
			last, _ = w.state.ended(w.fetch.run(t.Context(), job), time.Now())
		}
		require.EqualValues(t, from+1, last.number)
		return last
	}
	r := ask(evidenceOfAgent)
	require.Equal(t, []string{heapOfD1}, nodeFiles(&messages.IncidentNode{Files: r.files}))
	r = ask(evidenceKept)
	require.Len(t, r.files, 4, r.missing)
	require.Equal(t, heapOfD1, r.files[3].Path)
	require.Equal(t, []messages.EvidenceMissing{{What: messages.EvidenceProcess, Reason: "the node is not connected"}}, r.missing)
	w.start() // The process has ended, and nothing was said of what has come.
	clear(w.agent.files)
	r = ask(evidenceKept)
	require.Len(t, r.files, 4, r.missing)
}
