package modes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/changes"
)

// docsFiles are the files of the evidence in the documentation, by path.
var docsFiles = map[string]string{
	"nodes/data-1/window.journal":         strings.Repeat("w", 24576),
	"nodes/data-1/logs/kernel.log":        "Jan  1 12:00:31 data-1 kernel: Out of memory: Killed process 7 (banyand)\n",
	"nodes/data-0/profiles/heap.pb.gz":    strings.Repeat("h", 24576),
	"nodes/liaison-0/profiles/heap.pb.gz": strings.Repeat("h", 24576),
}

// docsIncident is an incident that began a time after docsEpoch.
func docsIncident(id, rule, summary string, after time.Duration, nodes ...messages.IncidentNode) *messages.Incident {
	at := docsEpoch.Add(after)
	i := &messages.Incident{Version: messages.IncidentVersion, ID: id, Kind: messages.IncidentRule, State: messages.IncidentCollected,
		FirstOccurrence: at, OpenedAt: at.Add(time.Second), LastFiring: at.Add(10 * time.Second), FrozenAt: at.Add(20 * time.Second),
		From: at.Add(-10 * time.Minute), To: at.Add(20 * time.Second), Severity: "critical", Summary: summary, Nodes: nodes,
		Rules: []messages.IncidentAlert{{Rule: rule, NodeID: nodes[0].NodeID, Severity: "critical", Summary: summary, FirstOccurrence: at,
			LastFiring: at.Add(10 * time.Second), Firings: 1}},
		Timeline: []messages.IncidentEvent{{At: at, NodeID: nodes[0].NodeID, Kind: "rule", Text: rule + ": " + summary},
			{At: at.Add(20 * time.Second), Kind: "incident", Text: "the evidence is frozen"}}}
	for n := range i.Nodes {
		i.Nodes[n].From, i.Nodes[n].To = i.From, i.To
	}
	return i
}

func docsIncidentNode(id, role string, kind messages.IncidentKind, files ...string) messages.IncidentNode {
	n := messages.IncidentNode{NodeID: id, Role: role, Kind: kind, State: messages.IncidentCollected, Dir: messages.EvidenceDir(id)}
	for _, name := range files {
		path, text := n.Dir+"/"+name, docsFiles[n.Dir+"/"+name]
		sum := sha256.Sum256([]byte(text))
		what := map[string]string{"window.journal": messages.EvidenceWindow, "logs/kernel.log": messages.EvidenceKernelLog}[name]
		if what == "" {
			what = messages.EvidenceProfile + "/heap"
		}
		n.Files = append(n.Files, messages.EvidenceFile{Path: path, What: what, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
		n.Bytes += int64(len(text))
	}
	return n
}

// docsLost is the incident of the proxy, docsErrors that of the agent.
func docsLost() *messages.Incident {
	lost := docsIncidentNode("data-1", "datanode-hot", messages.IncidentRule, "window.journal", "logs/kernel.log")
	lost.Missing = []messages.EvidenceMissing{{What: "profile/heap", Reason: "GET http://127.0.0.1:6060/debug/pprof/heap: connection refused"}}
	return docsIncident("01KDVX3M9V5T6Q2W8R4Y7B1N0C", "OomKilled", "data-1: the kernel has killed the node, which was out of memory", 31*time.Second,
		lost, docsIncidentNode("data-0", "datanode-hot", messages.IncidentContext, "profiles/heap.pb.gz"))
}

func docsErrors() *messages.Incident {
	return docsIncident("01KDVX2A1C9D4E8F0G3H5J7K9M", "ErrorsAppear", "liaison-0: 12 errors a second, where there were none", 20*time.Second,
		docsIncidentNode("liaison-0", "liaison", messages.IncidentRule, "profiles/heap.pb.gz"))
}

// docsIncidents has one incident.
func docsIncidents(i *messages.Incident) *httpapi.Incidents {
	return &httpapi.Incidents{
		List: func(context.Context) ([]*messages.Incident, error) { return []*messages.Incident{i}, nil },
		Get: func(_ context.Context, id string) (*messages.Incident, error) {
			if id == i.ID {
				return i, nil
			}
			return nil, messages.Errorf(messages.ErrNotFound, "there is no incident %s, or not any more", id)
		},
		Changes: func(context.Context, string) (changes.Report, error) { return docsChanges(), nil },
		OpenFile: func(_ context.Context, _, path string) (httpapi.IncidentFile, error) {
			return docsFile{strings.NewReader(docsFiles[path])}, nil
		},
		WriteBundle: func(_ context.Context, w io.Writer, id string, _ httpapi.BundleOptions) error {
			_, err := fmt.Fprintf(w, "bundle of %s", id)
			return err
		},
		Create: func(_ context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
			at := docsEpoch.Add(docsUptime)
			n := docsIncidentNode("data-0", "datanode-hot", messages.IncidentRequest)
			n.State, n.From = messages.IncidentOpen, at.Add(-o.Before)
			return &messages.Incident{ID: "01KDVX9Z7Y5X3W1V0T8S6R4Q2P", Kind: messages.IncidentRequest, State: messages.IncidentOpen, FirstOccurrence: at,
				OpenedAt: at, From: n.From, Severity: "info", Summary: o.Reason, Reason: o.Reason, RequestedBy: o.By, Nodes: []messages.IncidentNode{n}}, nil
		},
		Act:    func(context.Context, string, messages.IncidentAction) error { return nil },
		Before: 10 * time.Minute,
	}
}

type docsFile struct{ *strings.Reader }

func (docsFile) Close() error { return nil }

// docsChanges is what has changed in an incident.
func docsChanges() changes.Report {
	at := docsEpoch.Add(20 * time.Second)
	points := func(from time.Time, values ...float64) (points []changes.Point) {
		for n, v := range values {
			points = append(points, changes.Point{At: from.Add(time.Duration(n) * 10 * time.Second).UnixMilli(), Value: v})
		}
		return points
	}
	return changes.Report{Series: 86, Judged: 84, Changes: []changes.Change{{Family: "process_resident_memory_bytes", Node: "data-1", Name: "process_resident_memory_bytes",
		Kind: changes.Level, At: at, From: 512 << 20, To: 1900 << 20, Factor: 3.7, Direction: "up", Strength: 41.2, Series: 1, Nodes: []string{"data-1"},
		Chart: changes.Chart{Low: 500 << 20, High: 525 << 20, Before: points(docsEpoch, 511<<20, 513<<20), After: points(at, 1200<<20, 1900<<20)}}},
		Vanished: []changes.Group{{Node: "data-1", At: at.Add(10 * time.Second), Series: 43, Families: []string{"banyandb_measure_total_written", "process_resident_memory_bytes"}}}}
}
