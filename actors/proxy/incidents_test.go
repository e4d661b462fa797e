package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder/evidence"

	"github.com/stretchr/testify/require"
)

// incidentPeer is an agent that has incidents, and keeps its evidence when it is asked to.
type incidentPeer struct {
	*fakePeer
	agent *fakeAgent

	mu       sync.Mutex
	records  map[string]*messages.Incident
	revision messages.IncidentRevision
	asked    []messages.Question
	file     []byte // of any path
	sent     int64  // of it
	// cut is after how many bytes of files the connection breaks, 0: never.
	cut int64
}

// memoryIncidents is a configuration whose incidents survive in fs.
func memoryIncidents(fs evidence.FS) Config {
	cfg := testConfig
	cfg.Incidents = &IncidentsConfig{Open: func(now time.Time) (*evidence.Store, evidence.Report, error) {
		return evidence.Open(fs, evidence.Limits{FilesElsewhere: true}, now)
	}}
	return cfg
}

// incidentPeer connects such an agent, which sends heartbeats.
func (w *world) incidentPeer(name, role string) *incidentPeer {
	first := firstOf(name, true)
	first.NodeRole = role
	a := w.connect(first)
	p := &incidentPeer{fakePeer: a.peer(kindsOfQuestions["incidents"]), agent: a, records: map[string]*messages.Incident{}, revision: 1}
	go p.serve()
	go func() {
		for a.reg.Send(first) == nil {
			select {
			case <-time.After(10 * time.Second):
			case <-a.reg.Context().Done():
				return
			}
		}
	}()
	go func() {
		for a.reg.RecvMsg(new(wire.RegisterAgentResponse)) == nil { // Otherwise the stream is full after hours.
		}
	}()
	return p
}

func (p *incidentPeer) serve() {
	for {
		q, ok := p.next()
		if !ok {
			return
		}
		p.mu.Lock()
		p.asked = append(p.asked, q.Question)
		r := wire.Reply{End: wire.EndYes}
		switch asked := q.Question.(type) {
		case messages.IncidentsQuestion:
			if q.KnownRevision != uint64(p.revision) {
				for _, id := range slices.Sorted(maps.Keys(p.records)) {
					p.send(q, wire.Reply{Part: &messages.IncidentRecord{Incident: *p.records[id]}})
				}
			}
			r.Part = p.revision
		case messages.FreezeQuestion:
			i := p.record(asked.ID, asked.Kind, asked.FirstOccurrence, asked.To)
			r.Part = &messages.IncidentRecord{Incident: *i}
		case messages.IncidentActionQuestion:
			r.Part = p.revision
		case messages.EvidenceQuestion:
			end := min(asked.Offset+asked.Length, int64(len(p.file)))
			if p.sent += end - asked.Offset; p.cut != 0 && p.sent > p.cut {
				p.mu.Unlock()
				p.agent.cancel()
				return
			}
			r.Part = &messages.ProfileChunk{Data: p.file[asked.Offset:end], FileSize: int64(len(p.file)), Last: true}
		}
		p.mu.Unlock()
		p.send(q, r)
	}
}

// record sets an incident. It is open while it has no end.
func (p *incidentPeer) record(id string, kind messages.IncidentKind, first, to time.Time) *messages.Incident {
	i := &messages.Incident{Version: 1, ID: id, Kind: kind, State: messages.IncidentFrozen, FirstOccurrence: first, LastFiring: first, From: first.Add(-time.Minute), To: to}
	if to.IsZero() {
		i.State = messages.IncidentOpen
	}
	if kind == messages.IncidentRule {
		i.Rules = []messages.IncidentAlert{{Rule: "OOMKill", Severity: "critical", Summary: "killed", FirstOccurrence: first, LastFiring: first, Firing: to.IsZero()}}
	}
	p.records[id] = i
	p.revision++
	return i
}

// fires opens or ends an incident of the agent, and tells the proxy.
func (p *incidentPeer) fires(n int, first, to time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record(scriptID(9000+n), messages.IncidentRule, first, to)
	_ = p.g.SendMsg(wire.AnnouncementFrame(p.revision))
}

func (p *incidentPeer) count(is func(messages.Question) bool) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.asked {
		if is(q) {
			n++
		}
	}
	return n
}

func isFreeze(q messages.Question) bool {
	_, ok := q.(messages.FreezeQuestion)
	return ok
}

func (w *world) incidents() []*messages.Incident {
	w.T.Helper()
	synctest.Wait()
	list, err := w.proxy.Incidents(w.T.Context())
	require.NoError(w.T, err)
	return list
}

// An incident of an agent is known within a second, its neighbours are asked, and when it is over all is
// collected. The agents are asked no more than that.
func TestIncidentOfAnAgent(t *testing.T) {
	cfg := memoryIncidents(evidence.NewMemory(1 << 20))
	inWorld(t, cfg, func(t *testing.T, w *world) {
		p1, p2 := w.incidentPeer("d1", "ROLE_DATA"), w.incidentPeer("d2", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		require.Empty(t, w.incidents())
		first := time.Now()
		p1.fires(1, first, time.Time{})
		time.Sleep(time.Second)
		one := w.incidents()
		require.Len(t, one, 1)
		require.Equal(t, "killed", one[0].Summary)
		require.True(t, one[0].FirstOccurrence.Equal(first))
		time.Sleep(5 * time.Second)
		require.Equal(t, 1, p2.count(isFreeze))
		p1.fires(1, first, first.Add(30*time.Second))
		time.Sleep(3 * time.Minute)
		one = w.incidents()
		require.Len(t, one, 1)
		require.Equal(t, messages.IncidentCollected, one[0].State)
		require.Equal(t, 2, p2.count(isFreeze))
		require.Zero(t, p1.count(isFreeze))
		require.Less(t, p1.count(func(messages.Question) bool { return true }), 15)
		counts := w.counts().Incidents
		require.WithinDuration(t, time.Now(), counts.LookedAt, 2*incidentTick)
		require.Equal(t, &messages.IncidentCounts{Opened: map[string]uint64{"OOMKill": 1}, LookedAt: counts.LookedAt}, counts)
	})
}

// Two agents lost within a second are one incident, which ends when they are back.
func TestTwoAgentsLost(t *testing.T) {
	inWorld(t, memoryIncidents(evidence.NewMemory(1<<20)), func(t *testing.T, w *world) {
		p1, p2 := w.incidentPeer("d1", "ROLE_DATA"), w.incidentPeer("l1", "ROLE_LIAISON")
		other := w.incidentPeer("d2", "ROLE_DATA")
		time.Sleep(time.Minute)
		p1.agent.cancel()
		time.Sleep(900 * time.Millisecond)
		p2.agent.cancel()
		time.Sleep(40 * time.Second)
		one := w.incidents()
		require.Len(t, one, 1)
		rules := map[string]int{}
		for _, a := range one[0].Rules {
			rules[a.Rule+" "+a.NodeID]++
		}
		require.Equal(t, map[string]int{"AgentLost d1": 1, "AgentLost l1": 1, "RoleLost l1": 1, "SeveralLost ": 1}, rules)
		require.Equal(t, 1, other.count(isFreeze))
		p1, p2 = w.incidentPeer("d1", "ROLE_DATA"), w.incidentPeer("l1", "ROLE_LIAISON")
		p1.fires(1, time.Now().Add(-30*time.Second), time.Now())
		time.Sleep(5 * time.Minute)
		one = w.incidents()
		require.Len(t, one, 1)
		require.Equal(t, messages.IncidentCollected, one[0].State)
		require.Len(t, one[0].Nodes, 3)
		require.Equal(t, 2, p2.count(isFreeze), "it has no incident of its own")
	})
}

// A proxy that is stopped at any moment has the same incidents afterwards, with the same ids, and those that it missed.
func TestIncidentsAcrossRestarts(t *testing.T) {
	fs := evidence.NewMemory(1 << 20)
	ids := map[string]string{} // of d1's incident, by run
	records := map[string]*messages.Incident{}
	var first time.Time
	for run := range 4 {
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			serveWorld(t, sys, memoryIncidents(fs), 1<<20, func(t *testing.T, w *world) {
				p := w.incidentPeer("d1", "ROLE_DATA")
				w.incidentPeer("d2", "ROLE_DATA")
				p.mu.Lock()
				maps.Copy(p.records, records)
				p.mu.Unlock()
				time.Sleep(time.Duration(run) * time.Second)
				if run == 0 {
					first = time.Now()
					p.fires(1, first, time.Time{})
				}
				time.Sleep(time.Duration(run*37+2) * time.Second)
				list := w.incidents()
				require.Len(t, list, 1, "run %d", run)
				ids[fmt.Sprint(run)] = list[0].ID
				p.mu.Lock()
				records = maps.Clone(p.records)
				p.mu.Unlock()
			})
		})
	}
	require.Len(t, ids, 4)
	for _, id := range ids {
		require.Equal(t, ids["0"], id)
	}
}

// What somebody asks for is kept of the named nodes alone, and what is done to it reaches the agents.
func TestIncidentOnRequest(t *testing.T) {
	inWorld(t, memoryIncidents(evidence.NewMemory(1<<20)), func(t *testing.T, w *world) {
		p1, p2 := w.incidentPeer("d1", "ROLE_DATA"), w.incidentPeer("d2", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		doc, err := w.proxy.RequestIncident(t.Context(), messages.IncidentOrder{Nodes: []string{"d1"}, Reason: "slow", By: "me", Before: time.Minute, Profiles: true})
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		got, err := w.proxy.Incident(t.Context(), doc.ID)
		require.NoError(t, err)
		require.Equal(t, messages.IncidentCollected, got.State)
		require.Equal(t, []int{1, 0}, []int{p1.count(isFreeze), p2.count(isFreeze)})
		require.NoError(t, w.proxy.ActOnIncident(t.Context(), doc.ID, messages.IncidentPin))
		require.NoError(t, w.proxy.ActOnIncident(t.Context(), doc.ID, messages.IncidentSeen))
		require.NoError(t, w.proxy.ActOnIncident(t.Context(), doc.ID, messages.IncidentDelete))
		time.Sleep(3 * time.Second)
		require.Equal(t, 2, p1.count(func(q messages.Question) bool { _, ok := q.(messages.IncidentActionQuestion); return ok }))
		_, err = w.proxy.Incident(t.Context(), doc.ID)
		var failed *messages.Error
		require.ErrorAs(t, err, &failed)
		require.Equal(t, messages.ErrNotFound, failed.Kind)
		require.Empty(t, w.incidents())
	})
}

// A disk that cannot be read costs what was on it. New incidents are known all the same.
func TestIncidentsWithoutTheirDisk(t *testing.T) {
	cfg := testConfig
	cfg.Incidents = &IncidentsConfig{OnDisk: true, Open: func(time.Time) (*evidence.Store, evidence.Report, error) { panic("the disk") }}
	inWorld(t, cfg, func(t *testing.T, w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		time.Sleep(5 * time.Second)
		p.fires(1, time.Now(), time.Time{})
		time.Sleep(time.Second)
		require.Len(t, w.incidents(), 1)
	})
}

// Without a disk a file is read from its agent, in order or from anywhere, and its bytes are those that the agent
// has announced.
func TestEvidenceIsPassedThrough(t *testing.T) {
	inWorld(t, memoryIncidents(evidence.NewMemory(1<<20)), func(t *testing.T, w *world) {
		p := w.incidentPeer("d1", "ROLE_DATA")
		sum := sha256.Sum256(aFile)
		p.mu.Lock()
		p.file = aFile
		i := p.record(scriptID(9001), messages.IncidentRule, time.Now(), time.Now())
		i.Nodes = []messages.IncidentNode{{NodeID: "d1", Dir: "nodes/d1", Files: []messages.EvidenceFile{
			{Path: "nodes/d1/heap.pb.gz", What: "profile/heap", Bytes: int64(len(aFile)), SHA256: hex.EncodeToString(sum[:])},
			{Path: "nodes/d1/wrong", What: "config", Bytes: int64(len(aFile)), SHA256: strings.Repeat("0", 64)}}}}
		p.mu.Unlock()
		time.Sleep(35 * time.Second)
		id := w.incidents()[0].ID
		f, err := w.proxy.OpenEvidence(t.Context(), id, "nodes/d1/heap.pb.gz")
		require.NoError(t, err)
		require.EqualValues(t, len(aFile), f.Size())
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		require.NoError(t, err)
		require.True(t, bytes.Equal(aFile, got))
		part := make([]byte, 1000)
		for _, at := range []int{4_000_000, 17, 1017, len(aFile) - 1000} {
			n, err := f.ReadAt(part, int64(at))
			require.NoError(t, err)
			require.True(t, bytes.Equal(aFile[at:at+n], part), at)
		}
		require.NoError(t, f.Close())

		f, err = w.proxy.OpenEvidence(t.Context(), id, "nodes/d1/wrong")
		require.NoError(t, err)
		_, err = io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		require.ErrorContains(t, err, "other bytes")
		require.NoError(t, f.Close())
		_, err = w.proxy.OpenEvidence(t.Context(), id, "nodes/d1/none")
		require.ErrorContains(t, err, "has no file")
		_, err = w.proxy.OpenEvidence(t.Context(), scriptID(1), "nodes/d1/wrong")
		require.ErrorContains(t, err, "no incident")
		synctest.Wait()
		require.Zero(t, w.alive("download"))
	})
}
