package bundletest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/blocks"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// Options say what is written.
type Options struct {
	ID string
	// Blocks are nodes with their samples as blocks, Windows those that have them as a segment of a journal.
	Blocks, Windows []string
	// Series is how many series each node has beside those that change. Scrapes are ten seconds apart.
	Series, Scrapes int
	// LogBytes is the size of a node's log.
	LogBytes int
}

// ID is that of an incident.
const ID = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

// First is the first occurrence: five sixths of the time of the evidence are before it.
var First = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

// Write writes the directory of an incident below another one, and returns both: memory rises on all nodes from the first occurrence on, up to its limit, a quarter
// of a minute later on each.
func Write(t require.TestingT, parent string, o Options) (dir string, i *messages.Incident) {
	if o.ID == "" {
		o.ID = ID
	}
	if o.Scrapes == 0 {
		o.Scrapes = 72
	}
	dir = filepath.Join(parent, o.ID)
	begin := First.Add(-time.Duration(o.Scrapes*5/6) * 10 * time.Second)
	end := begin.Add(time.Duration(o.Scrapes) * 10 * time.Second)
	i = &messages.Incident{Version: messages.IncidentVersion, ID: o.ID, Kind: messages.IncidentRule, State: messages.IncidentCollected,
		FirstOccurrence: First, OpenedAt: First.Add(10 * time.Second), LastFiring: end, FrozenAt: end, From: begin, To: end,
		Severity: "critical", Summary: "Resident memory of the node is 93 % of its limit.",
		Rules: []messages.IncidentAlert{{Rule: "NodeMemoryNearLimit", Severity: "critical", NodeID: "data-0", Summary: "Resident memory of the node is 93 % of its limit.",
			FirstOccurrence: First, LastFiring: end, Firings: 1}},
		Timeline: []messages.IncidentEvent{{At: First, NodeID: "data-0", Kind: "rule", Text: "NodeMemoryNearLimit holds"}, {At: First.Add(40 * time.Second), NodeID: "data-0", Kind: "scrape", Text: "timeout"}}}
	for n, id := range append(append([]string{}, o.Blocks...), o.Windows...) {
		node := messages.IncidentNode{NodeID: id, Role: "data", PodName: id, Kind: messages.IncidentContext, State: messages.IncidentCollected, From: begin, To: end, Dir: messages.EvidenceDir(id),
			Missing: []messages.EvidenceMissing{{What: messages.EvidenceKernelLog, Reason: "permission denied"}}}
		if n == 0 {
			node.Kind = messages.IncidentRule
		}
		w := &files{t: t, dir: dir, node: &node}
		w.add("events.json", messages.EvidenceEvents, []byte("[]\n"))
		w.add("config.json", messages.EvidenceConfig, []byte("{}\n"))
		w.add("process/status.txt", messages.EvidenceProcess, []byte("State: S (sleeping)\n"))
		w.add("logs/node.log", messages.EvidenceNodeLog, noise(o.LogBytes))
		var heap bytes.Buffer
		require.NoError(t, pprof.Lookup("heap").WriteTo(&heap, 0))
		w.add("profiles/heap.pb.gz", messages.EvidenceProfile+"/heap", heap.Bytes())
		segment := Segment(t, id, begin, o.Scrapes, o.Series, o.Scrapes*5/6+n)
		if n < len(o.Blocks) {
			w.addBlocks(segment)
		} else {
			w.add("window.journal", messages.EvidenceWindow, segment)
		}
		i.Nodes = append(i.Nodes, node)
	}
	Save(t, dir, i)
	return dir, i
}

// Save writes the document of an incident.
func Save(t require.TestingT, dir string, i *messages.Incident) {
	document, err := messages.EncodeIncident(i)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "incident.json"), document, 0o600))
}

// noise is text that does not compress well.
func noise(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n-"[r.IntN(64)]
	}
	return b
}

// files writes the evidence of a node.
type files struct {
	t    require.TestingT
	dir  string
	node *messages.IncidentNode
}

func (w *files) add(name, what string, content []byte) {
	path := w.node.Dir + "/" + name
	file := filepath.Join(w.dir, filepath.FromSlash(path))
	require.NoError(w.t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(w.t, os.WriteFile(file, content, 0o600))
	w.note(path, what, content)
}

func (w *files) note(path, what string, content []byte) {
	sum := sha256.Sum256(content)
	w.node.Files = append(w.node.Files, messages.EvidenceFile{Path: path, What: what, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
	w.node.Bytes += int64(len(content))
}

func (w *files) addBlocks(segment []byte) {
	view, from, err := journal.OpenSegment(bytes.NewReader(segment), int64(len(segment)))
	require.NoError(w.t, err)
	dir := filepath.Join(w.dir, filepath.FromSlash(w.node.Dir), "block")
	_, err = blocks.FromJournal(context.Background(), view, from, blocks.JournalOptions{Identity: messages.Identity{NodeID: w.node.NodeID, Role: w.node.Role, PodName: w.node.PodName}}, dir)
	require.NoError(w.t, err)
	require.NoError(w.t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NoError(w.t, err)
		name, err := filepath.Rel(w.dir, path)
		w.note(filepath.ToSlash(name), messages.EvidenceMetrics, content)
		return err
	}))
}

// Segment returns a segment with the scrapes of a node, of series that are noise and of memory that rises from the change-th scrape on.
func Segment(t require.TestingT, id string, begin time.Time, scrapes, series, change int) []byte {
	w, r := recorder.NewWindow(recorder.Limits{}), rand.New(rand.NewPCG(7, uint64(len(id)+change)))
	requests := 0.0
	for at := range scrapes {
		var page strings.Builder
		memory := 500e6 + 5e6*r.NormFloat64() + 90e6*float64(max(0, at-change))
		requests += 1000 + 20*r.NormFloat64()
		fmt.Fprintf(&page, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %f\n", min(memory, 1.68e9))
		fmt.Fprintf(&page, "# TYPE banyandb_memory_protector_cgroup_limit_bytes gauge\nbanyandb_memory_protector_cgroup_limit_bytes 1.7e9\n")
		fmt.Fprintf(&page, "# TYPE requests_total counter\nrequests_total{method=\"write\"} %f\n", requests)
		for s := range series {
			fmt.Fprintf(&page, "noise_%d{shard=\"%d\"} %f\n", s%100, s/100, 1000+20*r.NormFloat64())
		}
		s := recorder.Scrape{At: begin.Add(time.Duration(at) * 10 * time.Second), Page: &recorder.Page{}}
		s.Page.Parse([]byte(page.String()), "text/plain; version=0.0.4", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "node"}, s)
	}
	snapshot := w.Snapshot(messages.Selection{Window: messages.Window{Start: begin, End: begin.Add(24 * time.Hour)}, ScrapeTimes: true})
	var all []messages.Block
	for {
		some := snapshot.Next(1 << 20)
		if some == nil {
			break
		}
		all = append(all, some...)
	}
	var file bytes.Buffer
	_, err := journal.WriteSegment(&file, journal.Node{NodeID: id}, begin.UnixMilli(), func(yield func(*recorder.Batch, error) bool) {
		for b := range recorder.Batches(all) {
			if !yield(b, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	return file.Bytes()
}
