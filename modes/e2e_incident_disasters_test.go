//go:build e2e && linux

package modes_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// disaster is what happens to an incidentCluster, and what must be known of it afterwards.
type disaster struct {
	proxyArgs []string
	prepare   func(n *clusterNode)
	// strike lets it happen, and returns when. after runs when the incident is there, to end what would go on.
	strike func(t *testing.T, c *incidentCluster) time.Time
	// quiet is how long the agents run before that; 0: quietTime.
	quiet time.Duration
	after func(c *incidentCluster)
	// first are the rules that may be the first, on the node; early and late bound the first occurrence around the strike.
	node        string
	first       []string
	early, late time.Duration
	// has are the kinds of evidence that the node has, or a reason for.
	has []string
	// must are kinds without which the disaster is not explained: no reason will do.
	must []string
	// context are the nodes on which nothing has fired.
	context []string
	// named are the beginnings of lines of which one is among the first five that changed; none: the list is not looked at.
	named []string
	limit time.Duration // for the incident to be collected; 0: two minutes
	// kernelEnds says that the kernel ends a process for lack of memory.
	kernelEnds bool
	// state is how far the incident gets; empty: collected. A proxy waits for hours for a host that is gone.
	state messages.IncidentState
}

// allEvidence is what a node that is alive has.
var allEvidence = []string{messages.EvidenceMetrics, messages.EvidenceProfile + "/heap", messages.EvidenceProfile + "/goroutine", messages.EvidenceProcess,
	messages.EvidenceKernelLog, messages.EvidenceNodeLog, messages.EvidenceConfig, messages.EvidenceAgent, messages.EvidenceEvents}

// whatIsLeft is what a node without a process has.
var whatIsLeft = []string{messages.EvidenceMetrics, messages.EvidenceNodeLog, messages.EvidenceConfig, messages.EvidenceAgent, messages.EvidenceEvents}

// scrapeTime is within what the first occurrence is known: the scrape interval, and what a busy machine adds to it.
const scrapeTime = 2500 * time.Millisecond

// quietTime is longer than --incident-before: of the start of the nodes, nothing is in the evidence. Some rules need more
// than that.
const quietTime = 105 * time.Second

func (d *disaster) run(t *testing.T) {
	begin := startIncidentCluster
	if d.kernelEnds {
		begin = startShortOfMemory
	}
	c := begin(t, d.proxyArgs, d.prepare)
	<-time.After(cmp.Or(d.quiet, quietTime))
	struck := d.strike(t, c)
	c.awaitIncident(3*time.Minute, messages.IncidentOpen, messages.IncidentFrozen, messages.IncidentCollected)
	if d.after != nil {
		d.after(c)
	}
	if d.limit == 0 {
		d.limit = 2 * time.Minute
	}
	in := c.awaitIncident(d.limit, cmp.Or(d.state, messages.IncidentCollected))
	if d.state == messages.IncidentFrozen {
		c.awaitNodes(in.ID, d.context...)
	}
	b := exportBundle(t, c.args[3], in.ID)
	t.Logf("README.md:\n%s", b.readme)
	b.requireReadable()

	require.NotEmpty(t, b.incident.Rules)
	first := slices.MinFunc(b.incident.Rules, func(a, b messages.IncidentAlert) int { return a.FirstOccurrence.Compare(b.FirstOccurrence) })
	require.Contains(t, d.first, first.Rule)
	if d.node != "" {
		require.Equal(t, d.node, first.NodeID)
	}
	require.True(t, first.FirstOccurrence.Equal(b.incident.FirstOccurrence))
	t.Logf("%s first held %s after the strike", first.Rule, first.FirstOccurrence.Sub(struck).Round(time.Millisecond))
	require.WithinRange(t, first.FirstOccurrence, struck.Add(-d.early-scrapeTime), struck.Add(d.late+scrapeTime))

	if d.node != "" {
		b.requireEvidence(d.node, d.has...)
		has, missing := b.what(d.node)
		t.Logf("%s has %q, and not %q", d.node, has, missing)
		for _, kind := range d.must {
			require.Contains(t, has, kind, "missing: %q", missing)
		}
	}
	for _, id := range d.context {
		d.requireContext(b, id)
	}
	if len(d.named) > 0 {
		d.requireChanges(t, c, in.ID)
	}
	c.requireUndisturbed()
}

// requireContext requires that a neighbour has the same interval.
func (d *disaster) requireContext(b *exportedBundle, id string) {
	t := b.t
	n := b.node(id)
	require.Equal(t, messages.IncidentContext, n.Kind, id)
	b.requireEvidence(id, messages.EvidenceMetrics, messages.EvidenceEvents)
	up := b.samplesOf(id, "fodc_node_up")
	require.NotEmpty(t, up, "%s has no samples", id)
	// Scrapes are a second apart.
	require.WithinDuration(t, b.incident.From, up[0], 8*time.Second, "%s: the first sample", id)
	require.WithinDuration(t, b.incident.To, up[len(up)-1], 8*time.Second, "%s: the last sample", id)
}

// requireChanges requires that what a person would name is among the first five lines of what changed first. The series of the host do not
// count: other tests run on it, too, and change them.
func (d *disaster) requireChanges(t *testing.T, c *incidentCluster, id string) {
	type line struct {
		Name     string
		Families []string // that vanished together: one line
		Node     string   `json:"node_id"`
	}
	var report struct{ Changes, Vanished, Limits []line }
	require.NoError(t, json.Unmarshal([]byte(page(t, c.args[3], "/incidents/"+id+"/changes")), &report))
	var texts []string
	rank, place := 0, 0
	for i, l := range slices.Concat(report.Limits, report.Vanished, report.Changes) {
		text, name := l.Node+" "+l.Name, l.Name
		if len(l.Families) > 0 {
			text, name = fmt.Sprintf("%s vanished: %s...", l.Node, l.Families[0]), l.Families[0]
		}
		if i < 12 {
			texts = append(texts, text)
		}
		isNamed := slices.ContainsFunc(d.named, func(name string) bool { return strings.HasPrefix(text, name) })
		if isNamed || !strings.HasPrefix(name, "node_") {
			rank++
		}
		if isNamed && place == 0 {
			place = rank
		}
	}
	t.Logf("what changed first: %s", strings.Join(texts, "; "))
	require.NotZero(t, place, "none of %q", d.named)
	require.LessOrEqual(t, place, 5, "%q", d.named)
}

// requireUndisturbed requires that nothing panicked, and that no file is half-written.
func (c *incidentCluster) requireUndisturbed() {
	t := c.t
	processes := []*process{c.proxy}
	dirs := []string{c.storage}
	for _, n := range c.nodes {
		processes, dirs = append(processes, n.agent), append(dirs, n.storage)
	}
	for _, p := range processes {
		for line := range strings.Lines(p.log()) {
			if !strings.Contains(line, `"a node has crashed"`) { // That tells of the node's end under the key panic.
				require.NotContains(t, line, "panic")
			}
		}
	}
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(filepath.Join(dir, "incidents"), func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".tmp") {
				err = fmt.Errorf("%s is left", path)
			}
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}))
	}
}

// gone are lines that tell of a node that does not answer any more, memory those of one whose memory grows.
var (
	gone   = []string{"data-0 vanished: banyandb_"}
	memory = []string{"data-0 process_resident_memory_bytes", "data-0 fodc_node_process_resident_memory_bytes", "data-0 fodc_cgroup_memory"}
)

func TestE2EIncidentNodeKilled(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"ProcessEnded"}, has: whatIsLeft,
		must: []string{messages.EvidenceMetrics, messages.EvidenceNodeLog, messages.EvidenceConfig, messages.EvidenceEvents}, context: []string{"data-1", "liaison-0"}, named: gone,
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			n := c.node("data-0")
			n.kill(syscall.SIGKILL)
			return n.killed
		}}
	d.run(t)
}

func TestE2EIncidentNodeOutOfMemory(t *testing.T) {
	t.Parallel()
	const limit = 200 << 20
	d := disaster{node: "data-0", first: []string{"MemoryNearLimit"}, has: allEvidence, late: 45 * time.Second, kernelEnds: true,
		must: []string{messages.EvidenceMetrics, messages.EvidenceProfile + "/heap", messages.EvidenceNodeLog}, context: []string{"data-1", "liaison-0"},
		named: memory,
		strike: func(t *testing.T, c *incidentCluster) time.Time {
			c.node("data-0").control(fmt.Sprintf("grow=%d&until=%d", 5<<20, 1<<40))
			return time.Now()
		}}
	var peak func() string
	d.prepare = func(n *clusterNode) {
		if n.id == "data-0" {
			if n.by, peak = inMemoryLimit(t, limit); len(n.by) == 0 {
				t.Skip(peak())
			}
		}
	}
	d.run(t)
}

func TestE2EIncidentNodeFrozen(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"EndpointDown"}, has: allEvidence, must: []string{messages.EvidenceMetrics, messages.EvidenceProcess, messages.EvidenceNodeLog},
		context: []string{"data-1", "liaison-0"}, named: gone,
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			n := c.node("data-0")
			n.kill(syscall.SIGSTOP)
			return n.killed
		},
		after: func(c *incidentCluster) { c.node("data-0").kill(syscall.SIGCONT) }}
	d.run(t)
}

func TestE2EIncidentAgentAndNodeKilledAndBack(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"AgentLost", "EndpointDown", "ProcessRestarted", "ProcessGone", "ProcessEnded"}, has: whatIsLeft, late: 20 * time.Second,
		must: []string{messages.EvidenceMetrics, messages.EvidenceNodeLog}, context: []string{"data-1", "liaison-0"},
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			n := c.node("data-0")
			n.agent.kill(syscall.SIGKILL)
			n.kill(syscall.SIGKILL)
			return n.killed
		},
		after: func(c *incidentCluster) {
			n := c.node("data-0")
			n.startNode()
			n.startAgent()
		}}
	d.run(t)
}

func TestE2EIncidentHostGoneForGood(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"AgentLost"}, has: []string{messages.EvidenceMetrics}, late: 15 * time.Second, proxyArgs: []string{"--keep-last", "10m"},
		must: []string{messages.EvidenceMetrics}, context: []string{"data-1", "liaison-0"}, state: messages.IncidentFrozen,
		strike: func(t *testing.T, c *incidentCluster) time.Time {
			n := c.node("data-0")
			waitForKeepLast(t, c)
			n.agent.kill(syscall.SIGKILL)
			n.kill(syscall.SIGKILL)
			require.NoError(t, os.RemoveAll(n.storage))
			return n.killed
		}}
	d.run(t)
}

// waitForKeepLast waits until the proxy has written something of all nodes.
func waitForKeepLast(t *testing.T, c *incidentCluster) {
	within(t, time.Minute, "what the proxy keeps of all nodes", func() error {
		files, err := filepath.Glob(filepath.Join(c.storage, "last", "*", "*"))
		if err == nil && len(files) < len(c.nodes) {
			err = fmt.Errorf("%q", files)
		}
		return err
	})
}

func TestE2EIncidentDiskFills(t *testing.T) {
	t.Parallel()
	var dir string
	d := disaster{node: "data-0", first: []string{"DiskAlmostFull", "DiskFillsSoon"}, quiet: 125 * time.Second, has: allEvidence, late: 20 * time.Second, must: allEvidence[:3], context: []string{"data-1", "liaison-0"},
		named: []string{"data-0 node_filesystem_"},
		prepare: func(n *clusterNode) {
			if n.id == "data-0" {
				dir = mountTmpfs(t, 64)
				n.more = append(slices.Clone(n.more), "--data-dir", dir)
			}
		},
		strike: func(t *testing.T, c *incidentCluster) time.Time {
			f, err := os.Create(filepath.Join(dir, "filler"))
			require.NoError(t, err)
			t.Cleanup(func() { _ = f.Close() })
			began := time.Now()
			go func() {
				for range 62 {
					_, _ = f.Write(bytes.Repeat([]byte{1}, 1<<20))
					<-time.After(100 * time.Millisecond)
				}
			}()
			return began
		},
		after: func(*incidentCluster) { _ = os.Remove(filepath.Join(dir, "filler")) }}
	d.run(t)
}

func TestE2EIncidentErrorsAppear(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"ErrorsAppear"}, has: allEvidence, must: allEvidence[:3], late: 5 * time.Second, context: []string{"data-1", "liaison-0"},
		named: []string{"data-0 banyandb_liaison_grpc_total_err"},
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			c.node("data-0").control("errors=20")
			return time.Now()
		},
		after: func(c *incidentCluster) { c.node("data-0").control("errors=0") }}
	d.run(t)
}

func TestE2EIncidentMemoryGrows(t *testing.T) {
	t.Parallel()
	const limit = 400 << 20
	d := disaster{node: "data-0", first: []string{"MemoryNearLimit"}, has: allEvidence, must: allEvidence[:3], late: 100 * time.Second, context: []string{"data-1", "liaison-0"},
		named: memory,
		prepare: func(n *clusterNode) {
			if n.id == "data-0" {
				n.settings.Limit = limit
			}
		},
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			c.node("data-0").control(fmt.Sprintf("grow=%d&until=%d", 8<<20, 340<<20))
			return time.Now()
		},
		after: func(c *incidentCluster) { c.node("data-0").control("drop=1") }}
	d.run(t)
}

func TestE2EIncidentTwoNodesLost(t *testing.T) {
	t.Parallel()
	d := disaster{first: []string{"EndpointDown", "ProcessGone", "ProcessEnded", "AgentLost", "SeveralLost", "RoleLost"}, late: 15 * time.Second, context: []string{"liaison-0"},
		strike: func(_ *testing.T, c *incidentCluster) time.Time {
			for _, id := range []string{"data-0", "data-1"} {
				n := c.node(id)
				n.agent.kill(syscall.SIGKILL)
				n.kill(syscall.SIGKILL)
			}
			return c.node("data-0").killed
		},
		after: func(c *incidentCluster) {
			for _, id := range []string{"data-0", "data-1"} {
				c.node(id).startNode()
				c.node(id).startAgent()
			}
		}}
	d.run(t)
}

func TestE2EIncidentProxyDownDuringAllOfIt(t *testing.T) {
	t.Parallel()
	d := disaster{node: "data-0", first: []string{"ProcessEnded"}, has: whatIsLeft, must: []string{messages.EvidenceMetrics, messages.EvidenceNodeLog},
		context: []string{"data-1", "liaison-0"}, named: gone,
		strike: func(t *testing.T, c *incidentCluster) time.Time {
			c.proxy.kill(syscall.SIGKILL)
			<-c.proxy.exited
			n := c.node("data-0")
			n.kill(syscall.SIGKILL)
			within(t, 90*time.Second, "the agent has frozen", func() error {
				all, err := incidentsAt(n.agent.addr("agent"))
				if err == nil && (len(all) != 1 || all[0].State == messages.IncidentOpen) {
					err = fmt.Errorf("%q", states(all))
				}
				return err
			})
			c.proxy = c.startProxy()
			return n.killed
		}}
	d.run(t)
}
