//go:build e2e && linux

package modes_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/changes"
)

// maxMadeIncidents bounds the incidents of a made cluster.
const maxMadeIncidents = 200

// jsonOf returns a value as JSON.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // It is of this test.
	}
	return string(b)
}

// madeID is the id of the n-th incident, the newest of which is 0.
func madeID(n int) string { return fmt.Sprintf("01JDZX3M9V5T6Q2W8R4Y%06d", maxMadeIncidents-n) }

// text returns a text, or, of a hostile cluster, the n-th hostile one.
func (c *madeCluster) text(n int, format string, args ...any) string {
	if c.hostile {
		return cut(hostile(n), messages.MaxIncidentText)
	}
	return fmt.Sprintf(format, args...)
}

// makeIncidents makes an incident for each second node, at most maxMadeIncidents. Of a larger cluster, the newest one is open.
func (c *madeCluster) makeIncidents() {
	c.files = map[string][]byte{}
	for n := range min(maxMadeIncidents, 1+len(c.nodes)/2) {
		first := time.Now().Add(-time.Duration(n*n+7) * time.Minute)
		i := &messages.Incident{Version: messages.IncidentVersion, ID: madeID(n), Kind: messages.IncidentRule, State: messages.IncidentCollected,
			FirstOccurrence: first, OpenedAt: first.Add(10 * time.Second), LastFiring: first.Add(time.Minute), FrozenAt: first.Add(2 * time.Minute), From: first.Add(-10 * time.Minute), To: first.Add(2 * time.Minute),
			Severity: []string{"critical", "warning", "info"}[n%3], Summary: c.text(n, "Resident memory of %s is 93 %% of its limit.", c.nodes[2*n%len(c.nodes)].id.NodeID), SeenAt: first.Add(time.Hour)}
		if n == 0 && len(c.nodes) > 1 {
			i.State, i.FrozenAt, i.To, i.SeenAt = messages.IncidentOpen, time.Time{}, time.Time{}, time.Time{}
		}
		for k := range min(len(c.nodes), 30) {
			c.addNode(i, n, k)
		}
		c.incidents = append(c.incidents, i)
	}
}

// addNode adds the k-th node to the n-th incident: what has fired on it, its events, and its evidence.
func (c *madeCluster) addNode(i *messages.Incident, n, k int) {
	node := &c.nodes[(2*n+k)%len(c.nodes)]
	first := i.FirstOccurrence.Add(time.Duration(k*k) * time.Second)
	one := messages.IncidentNode{NodeID: node.id.NodeID, Role: node.id.Role, PodName: node.id.PodName, Labels: node.id.Labels, Kind: messages.IncidentContext, State: i.State, From: i.From, To: i.To,
		Dir: messages.EvidenceDir(node.id.NodeID), Files: []messages.EvidenceFile{}, Missing: []messages.EvidenceMissing{{What: messages.EvidenceKernelLog, Reason: c.text(n+k, "permission denied")}}}
	add := func(kind, format string, args ...any) {
		i.Timeline = append(i.Timeline, messages.IncidentEvent{At: first, NodeID: node.id.NodeID, Kind: kind, Text: c.text(len(i.Timeline), format, args...)})
	}
	if k < 3 {
		one.Kind = messages.IncidentRule
		i.Rules = append(i.Rules, messages.IncidentAlert{Rule: c.text(k, "NodeMemoryNearLimit"), NodeID: node.id.NodeID, Severity: "critical", Summary: c.text(k+1, "Resident memory of the node is 93 %% of its limit."), Description: c.text(k+2, "The kernel kills it at the limit."),
			Labels: map[string]string{"process": c.text(k+3, "node")}, FirstOccurrence: first, LastFiring: first.Add(time.Minute), Firings: 2})
		add("rule", "NodeMemoryNearLimit holds")
		add("scrape", "no answer within 10 s")
	}
	add("restart", "the node was started")
	if i.State != messages.IncidentOpen {
		log := strings.Repeat(first.Format(time.RFC3339)+" INFO merged 12 parts into one of 4 MiB\n", 300)
		if c.hostile {
			log += strings.Join(hostiles, "\n")
		}
		for _, f := range []struct{ name, what, text string }{
			{"logs/node.log", messages.EvidenceNodeLog, log}, {"process/status.txt", messages.EvidenceProcess, c.text(k, "State: S (sleeping)") + "\n"},
			{"config.json", messages.EvidenceConfig, jsonOf(map[string]any{"collected_at": first, "startup_params": map[string]string{"root-path": c.text(k, "/data/%d", k%3)}, "sources": []string{c.text(k, "/proc/7/cmdline")}})},
			{"events.json", messages.EvidenceEvents, jsonOf(i.Timeline[len(i.Timeline)-1:])},
			{"crash/record.json", messages.EvidenceCrash, jsonOf(map[string]any{"occurred_at": first, "component": c.text(k+1, "measure"), "panic_value": c.text(k+2, "out of memory"), "goroutine_stack": c.text(k+4, "goroutine 1 [running]:")})},
		} {
			path, sum := one.Dir+"/"+f.name, sha256.Sum256([]byte(f.text))
			c.files[i.ID+"/"+path] = []byte(f.text)
			one.Files = append(one.Files, messages.EvidenceFile{Path: path, What: f.what, Bytes: int64(len(f.text)), SHA256: hex.EncodeToString(sum[:])})
			one.Bytes += int64(len(f.text))
		}
	}
	i.Nodes = append(i.Nodes, one)
}

// errMadeUp is why nothing can be done with what is made up.
var errMadeUp = errors.New("the incident is made up")

func (c *madeCluster) incidentsAPI() *httpapi.Incidents {
	get := func(_ context.Context, id string) (*messages.Incident, error) {
		at := slices.IndexFunc(c.incidents, func(i *messages.Incident) bool { return i.ID == id })
		if at < 0 {
			return nil, messages.Errorf(messages.ErrNotFound, "no incident %s", id)
		}
		return c.incidents[at], nil
	}
	return &httpapi.Incidents{
		List: func(context.Context) ([]*messages.Incident, error) { return c.incidents, nil },
		Get:  get,
		Changes: func(ctx context.Context, id string) (changes.Report, error) {
			i, err := get(ctx, id)
			if err != nil {
				return changes.Report{}, err
			}
			return c.changesOf(i), nil
		},
		OpenFile: func(_ context.Context, id, path string) (httpapi.IncidentFile, error) {
			return madeFile{bytes.NewReader(c.files[id+"/"+path])}, nil
		},
		WriteBundle: func(context.Context, io.Writer, string, httpapi.BundleOptions) error { return errMadeUp },
		Create:      func(context.Context, messages.IncidentOrder) (*messages.Incident, error) { return nil, errMadeUp },
		Act:         func(context.Context, string, messages.IncidentAction) error { return nil },
		Before:      10 * time.Minute,
	}
}

type madeFile struct{ *bytes.Reader }

func (madeFile) Close() error { return nil }

// changesOf has a change of each kind on each node.
func (c *madeCluster) changesOf(i *messages.Incident) changes.Report {
	r := changes.Report{Series: 1200, Judged: 1100, Limits: []changes.Limit{}, Vanished: []changes.Group{}, Appeared: []changes.Group{}, Unread: []changes.Unread{}}
	for n, node := range i.Nodes {
		at := i.FirstOccurrence.Add(time.Duration(n*7-30) * time.Second)
		chart := changes.Chart{Low: 1.8 * gib, High: 2.2 * gib}
		for p := -40; p < 8; p++ {
			point := changes.Point{At: at.Add(time.Duration(p) * madeStep).UnixMilli(), Value: 2*gib + 0.1*gib*math.Sin(float64(p))}
			if p < 0 {
				chart.Before = append(chart.Before, point)
				continue
			}
			point.Value *= 1.8
			chart.After = append(chart.After, point)
		}
		family, labels := "go_memstats_heap_inuse_bytes", ""
		if c.hostile {
			family, labels = cut(hostile(n), 1000), string(messages.RenderLabels([]messages.Label{{Name: "path", Value: hostile(n + 1)}}))
		}
		r.Changes = append(r.Changes, changes.Change{Family: family, Name: family, Labels: labels, Node: node.NodeID, Kind: []changes.Kind{changes.Level, changes.Variance, changes.Spike, changes.Stopped}[n%4],
			At: at, From: 2 * gib, To: 3.6 * gib, Factor: 1.8, Direction: "up", Strength: 9, Series: 1 + n%3, Nodes: []string{node.NodeID, i.Nodes[0].NodeID}, Chart: chart})
		r.Unread = append(r.Unread, changes.Unread{Node: node.NodeID, Reason: c.text(n, "the segment ends early")})
	}
	first := i.Nodes[0].NodeID
	r.Vanished = append(r.Vanished, changes.Group{Node: first, At: i.FirstOccurrence, Series: 40, Families: []string{c.text(1, "banyandb_up"), c.text(4, "go_goroutines")}})
	r.Limits = append(r.Limits, changes.Limit{Node: first, What: c.text(2, "memory"), Name: "process_resident_memory_bytes", Labels: "", At: i.FirstOccurrence, Usual: 2 * gib, Highest: 3.9 * gib, Limit: 4 * gib})
	return r
}
