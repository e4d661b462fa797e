//go:build e2e && linux

package modes_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/nodetest"

	"github.com/stretchr/testify/require"
)

var (
	killCount = flag.Int("kills", 200, "how many processes TestE2EIncidentKills kills")
	killSeed  = flag.Uint64("kill-seed", 0, "seed of TestE2EIncidentKills; 0: another one each time")
)

const (
	// killClusters are how many clusters there are at a time.
	killClusters = 4
	// killSlots are the clusterSlots that they take: they are smaller, and have no nodes of their own.
	killSlots = 2
	// killRounds are the incidents of a cluster: agents open at most six an hour by rules.
	killRounds = 4
	// killsPerRound are how many processes are killed in an incident.
	killsPerRound = 10
	// collectedWithin is how long after the last kill an incident may take to be whole.
	collectedWithin = 2 * time.Minute
)

// TestE2EIncidentKills kills agents and proxies at random moments of incidents. Whatever is served meanwhile is whole, and in the end
// each incident is there once, with all of its evidence.
func TestE2EIncidentKills(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	takeClusterSlots(t, killSlots)
	t.Logf("go test -tags e2e -count=1 -run %s ./modes -kills %d -kill-seed %d", t.Name(), *killCount, seed)
	began, left := time.Now(), atomic.Int64{}
	left.Store(int64(*killCount))
	t.Cleanup(func() { t.Logf("%d kills took %s", *killCount, time.Since(began).Round(time.Second)) })
	for n := range killClusters {
		t.Run(fmt.Sprintf("cluster-%d", n), func(t *testing.T) {
			t.Parallel()
			for life := 0; left.Load() > 0; life++ {
				t.Run(strconv.Itoa(life), func(t *testing.T) {
					c := startKilledCluster(t, rand.New(rand.NewPCG(seed, uint64(n*1000+life))))
					for round := 1; round <= killRounds; round++ {
						kills := min(killsPerRound, left.Add(-killsPerRound)+killsPerRound)
						if kills <= 0 {
							break
						}
						c.round(round, int(kills))
					}
					c.requireBundle()
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// killedCluster is a proxy and two agents, which are killed.
type killedCluster struct {
	t      *testing.T
	random *rand.Rand
	began  time.Time
	proxy  *victim
	agents []*victim
	last   string // id of the newest incident at the proxy
}

// victim is a process that is killed and started again, with the same addresses and directory.
type victim struct {
	t             *testing.T
	addr, storage string
	args          []string
	process       *process
	node          *faultyNode // of an agent

	mu  sync.Mutex
	ids map[string]string // that were listed, by kind and occurrence
}

func (v *victim) start() { v.process = start(v.t, v.args...) }

// kill ends the process, and starts it again after a pause.
func (v *victim) kill(pause time.Duration) {
	v.process.kill(syscall.SIGKILL)
	<-v.process.exited
	time.Sleep(pause)
	v.start()
}

// faultyNode is a database node that has the fault of a number.
type faultyNode struct {
	*httptest.Server
	fault atomic.Int64
}

func startFaultyNode(t *testing.T) *faultyNode {
	lines, err := nodetest.Lines("../testdata/banyandb/standalone-00.prom")
	require.NoError(t, err)
	n, began := &faultyNode{}, time.Now()
	mux := http.NewServeMux()
	mux.Handle("/debug/pprof/", http.DefaultServeMux)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", nodetest.ContentType)
		_, _ = fmt.Fprintf(w, "%s# TYPE fodc_test_fault gauge\nfodc_test_fault %d\n", nodetest.Page(lines, nodetest.Values{Resident: 60 << 20, Began: began, Goroutines: 20}), n.fault.Load())
	})
	n.Server = httptest.NewServer(mux)
	t.Cleanup(n.Close)
	return n
}

func startKilledCluster(t *testing.T, random *rand.Rand) *killedCluster {
	dir := t.TempDir()
	c := &killedCluster{t: t, random: random, began: time.Now()}
	grpc, addr := fixedPort(t), fixedPort(t)
	c.proxy = &victim{t: t, addr: addr, storage: filepath.Join(dir, "proxy"), args: append([]string{"proxy", "--grpc-listen-addr", grpc, "--http-listen-addr", addr,
		"--storage-dir", filepath.Join(dir, "proxy"), "--heartbeat-interval", "500ms", "--agent-heartbeat-timeout", "3s"}, incidentTimes...)}
	rules := "groups:\n- name: kills\n  rules:\n"
	for n := 1; n <= killRounds; n++ {
		rules += fmt.Sprintf("  - alert: Fault%d\n    expr: fodc_test_fault == %d\n    labels: {severity: warning}\n    annotations: {summary: '%s'}\n", n, n, occurrence(n))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(rules), 0o600))
	for i := range 2 {
		node, id := startFaultyNode(t), fmt.Sprintf("data-%d", i)
		storage, addr := filepath.Join(dir, id), fixedPort(t)
		log := filepath.Join(dir, id+".log")
		require.NoError(t, os.WriteFile(log, []byte("the node's log\n"), 0o600))
		c.agents = append(c.agents, &victim{t: t, addr: addr, storage: storage, node: node, args: append([]string{"agent", "--proxy-addr", grpc, "--node-id", id, "--node-role", "data",
			"--metrics-endpoint", node.URL + "/metrics", "--poll-metrics-interval", "1s", "--reconnect-interval", "500ms", "--prometheus-listen-addr", addr, "--storage-dir", storage,
			"--node-log-file", log, "--pprof-endpoint", node.URL, "--builtin-rules=false", "--rule-file", filepath.Join(dir, "rules.yml")}, incidentTimes...)})
	}
	for _, v := range c.all() {
		v.ids = map[string]string{}
		v.start()
	}
	eventually(t, "all are there", func() error {
		for _, v := range c.all() {
			if _, err := incidentsAt(v.addr); err != nil {
				return err
			}
		}
		return nil
	})
	awaitStatuses(t, c.proxy.process, "data-0", "online", "data-1", "online")
	c.watch()
	return c
}

func (c *killedCluster) all() []*victim { return append([]*victim{c.proxy}, c.agents...) }

// occurrence is in the summary of the incidents of a round.
func occurrence(round int) string { return fmt.Sprintf("occurrence %d of a fault", round) }

// watch reads all that is served until the test ends.
func (c *killedCluster) watch() {
	var reading sync.WaitGroup
	stop := make(chan struct{})
	c.t.Cleanup(func() { close(stop); reading.Wait() })
	for _, v := range c.all() {
		w := &killWatcher{victim: v, random: rand.New(rand.NewPCG(c.random.Uint64(), 0))}
		reading.Add(1)
		go func() {
			defer reading.Done()
			for {
				select {
				case <-stop:
					c.t.Logf("%s served %d lists, %d files and %d bundles", filepath.Base(v.storage), w.lists, w.files, w.bundles)
					return
				case <-time.After(150 * time.Millisecond):
					w.look()
				}
			}
		}()
	}
}

// kill is one that is to happen.
type kill struct {
	who []*victim
	// at is when, since the beginning of the round. Then it may wait for something, and a little later.
	at, later, pause time.Duration
	waits            wait
}

// wait is what a kill waits for, at most for longestWait.
type wait int

const (
	noWait   wait = iota
	forFiles      // until the files of incidents change
	forList       // until the list changes: who was told of an incident must find it after the kill
)

const longestWait = 4 * time.Second

// plan returns the kills of a round, in their order.
func (c *killedCluster) plan(kills int, span time.Duration) (all []kill) {
	random := func(d time.Duration) time.Duration { return time.Duration(c.random.Int64N(int64(d))) }
	for kills > 0 {
		k := kill{at: random(span), pause: random(400 * time.Millisecond), waits: wait(c.random.IntN(3)), later: random(200 * time.Millisecond)}
		if k.waits == forList {
			k.later = 0
		}
		if c.random.IntN(8) == 0 {
			k.pause = random(3 * time.Second) // The agent is lost.
		}
		switch agent := c.agents[c.random.IntN(len(c.agents))]; c.random.IntN(10) {
		case 0:
			k.who = []*victim{agent, c.proxy}
		case 1, 2, 3, 4:
			k.who = []*victim{c.proxy}
		default:
			k.who = []*victim{agent}
		}
		kills -= len(k.who)
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b kill) int { return int(a.at - b.at) })
	return all
}

// filesOf says which files a process has for incidents.
func filesOf(storage string) string {
	var all strings.Builder
	for _, dir := range []string{"incidents", "temporary"} {
		_ = filepath.WalkDir(filepath.Join(storage, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil {
				if info, err := d.Info(); err == nil {
					fmt.Fprintln(&all, path, info.Size(), info.ModTime().UnixNano())
				}
			}
			return nil
		})
	}
	return all.String()
}

// carryOut kills, and calls meanwhile in between.
func (c *killedCluster) carryOut(all []kill, meanwhile func()) {
	began, before := time.Now(), ""
	for len(all) > 0 {
		meanwhile()
		k := &all[0]
		now := time.Since(began)
		if now < k.at {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if k.waits != noWait && now < k.at+longestWait {
			what := c.waitedFor(k)
			if before == "" || what == "" || what == before {
				before = cmp.Or(what, before)
				time.Sleep(2 * time.Millisecond)
				continue
			}
			time.Sleep(k.later)
		}
		before = ""
		var killing sync.WaitGroup
		for _, v := range k.who {
			killing.Go(func() { v.kill(k.pause) })
		}
		killing.Wait()
		all = all[1:]
	}
}

// waitedFor returns what a kill waits for, as it is now; empty: that is not known.
func (c *killedCluster) waitedFor(k *kill) string {
	v := k.who[0]
	if k.waits == forFiles {
		return filesOf(v.storage) + "."
	}
	list, err := v.list()
	if err != nil {
		return ""
	}
	ids := "."
	for _, i := range list {
		ids += i.ID
	}
	return ids
}

// listedIncident is an incident in a list.
type listedIncident struct {
	ID, Summary string
	Kind        messages.IncidentKind
}

// list returns the list, in which each occurrence has to be once, and with the id that it had before. An agent may have it twice: it may be
// asked to keep evidence for it as a neighbour before the proxy knows that it has an incident of its own. With an error it is not served now.
func (v *victim) list() (list []listedIncident, err error) {
	status, body, _, err := get(v.addr, "/incidents")
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%s", body)
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK {
		v.t.Errorf("%s: the list: %d %v: %.500s", v.addr, status, err, body)
		return nil, fmt.Errorf("%d %w", status, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	of := map[string]string{}
	for _, i := range list {
		if !strings.HasPrefix(i.Summary, "occurrence") {
			continue
		}
		what := string(i.Kind) + " " + i.Summary
		if other := of[what]; other != "" {
			v.t.Errorf("%s: the list has %s and %s of %s", filepath.Base(v.storage), other, i.ID, what)
		}
		if before := v.ids[what]; before != "" && before != i.ID {
			v.t.Errorf("%s: %s was incident %s, and now is %s", filepath.Base(v.storage), what, before, i.ID)
		}
		of[what], v.ids[what] = i.ID, i.ID
	}
	return list, nil
}

// requireAll requires that all incidents are there that were listed once.
func (v *victim) requireAll() {
	eventually(v.t, "all that were listed are there", func() error {
		list, err := v.list()
		if err != nil {
			return err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		for what, id := range v.ids {
			if !slices.ContainsFunc(list, func(i listedIncident) bool { return i.ID == id }) {
				return fmt.Errorf("%s: incident %s of %s was listed, and is gone", filepath.Base(v.storage), id, what)
			}
		}
		return nil
	})
}

// round is one incident.
func (c *killedCluster) round(n, kills int) {
	began := time.Now()
	var what, id string
	if c.random.IntN(3) == 0 {
		what, id = c.askedRound(n, kills)
	} else {
		what = c.faultRound(n, kills)
	}
	killed := time.Now()
	var found *messages.Incident
	within(c.t, collectedWithin, what+" is collected", func() error {
		all, err := incidentsAt(c.proxy.addr)
		if err != nil {
			return err
		}
		found = nil
		for i := range all {
			if isOf(&all[i], what) {
				found = &all[i]
			}
		}
		if found == nil || found.State != messages.IncidentCollected {
			return fmt.Errorf("%q", states(all))
		}
		return nil
	})
	if id != "" {
		require.Equal(c.t, id, found.ID, "it was told another id")
	}
	c.last = found.ID
	for _, v := range c.all() {
		v.requireAll()
	}
	c.t.Logf("%s: %d kills within %s, collected %s later", what, kills, killed.Sub(began).Round(time.Second), time.Since(killed).Round(time.Second))
	c.requireWhole(found, what)
}

// isOf reports whether an incident is of an occurrence.
func isOf(i *messages.Incident, what string) bool {
	return i.Summary == what || slices.ContainsFunc(i.Rules, func(a messages.IncidentAlert) bool { return a.Summary == what })
}

// faultRound lets nodes have a fault, until their agents have noticed.
func (c *killedCluster) faultRound(n, kills int) (what string) {
	plan, what := c.plan(kills, 16*time.Second), occurrence(n)
	faulty := slices.Clone(c.agents)
	if first := c.random.IntN(len(faulty)); c.random.IntN(5) > 0 {
		faulty = faulty[first : first+1]
	}
	for _, v := range faulty {
		v.node.fault.Store(int64(n))
	}
	least := time.Now().Add(time.Duration(2000+c.random.IntN(4000)) * time.Millisecond)
	end := func() (noticed bool) {
		noticed = true
		for _, v := range faulty {
			switch all, err := incidentsAt(v.addr); {
			case v.node.fault.Load() == 0:
			case time.Now().After(least) && err == nil && slices.ContainsFunc(all, func(i messages.Incident) bool { return isOf(&i, what) }):
				v.node.fault.Store(0)
			default:
				noticed = false
			}
		}
		return noticed
	}
	c.carryOut(plan, func() { end() })
	eventually(c.t, "the agents notice "+what, func() error {
		if !end() {
			return fmt.Errorf("they did not")
		}
		return nil
	})
	return what
}

// askedRound has somebody ask for an incident. One that was promised must be there. If nobody knows whether it is, it is asked for again.
func (c *killedCluster) askedRound(n, kills int) (what, id string) {
	plan, tries := c.plan(kills, 8*time.Second), 0
	after := fmt.Sprintf("%ds", c.random.IntN(4))
	ask := func() {
		if id != "" {
			return
		}
		tries++
		what = fmt.Sprintf("%s that somebody saw %d times", occurrence(n), tries)
		order, err := json.Marshal(map[string]any{"reason": what, "nodes": []string{"data-0", "data-1"}, "before": "30s", "after": after, "profiles": c.random.IntN(2) == 0})
		require.NoError(c.t, err)
		resp, err := http.Post("http://"+c.proxy.addr+"/incidents", "application/json", bytes.NewReader(order))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		var answer struct{ ID string }
		if json.NewDecoder(resp.Body).Decode(&answer) == nil && resp.StatusCode == http.StatusCreated {
			id = answer.ID
		}
	}
	c.carryOut(plan, ask)
	eventually(c.t, "somebody can ask for "+what, func() error {
		if ask(); id == "" {
			return fmt.Errorf("not asked")
		}
		return nil
	})
	return what, id
}

// requireWhole requires that an incident is at the proxy and the agents, once, with all evidence, as the documents say.
func (c *killedCluster) requireWhole(i *messages.Incident, what string) {
	t := c.t
	require.Len(t, i.Nodes, 2, what)
	for n := range i.Nodes {
		node := &i.Nodes[n]
		has := map[string]bool{}
		for _, f := range node.Files {
			has[f.What] = true
		}
		for _, m := range node.Missing {
			has[m.What] = true
		}
		require.Equal(t, messages.IncidentCollected, node.State, "%s: %s", what, node.NodeID)
		for _, kind := range []string{messages.EvidenceMetrics, messages.EvidenceEvents} {
			require.True(t, slices.ContainsFunc(node.Files, func(f messages.EvidenceFile) bool { return f.What == kind }), "%s: %s has no %s: %v", what, node.NodeID, kind, node.Missing)
		}
		for _, kind := range []string{messages.EvidenceNodeLog, messages.EvidenceAgent} {
			require.True(t, has[kind], "%s: %s has no %s, and no reason for that", what, node.NodeID, kind)
		}
		// A node whose agent was lost has the problem, too, but no profile was captured for that.
		if slices.ContainsFunc(i.Rules, func(a messages.IncidentAlert) bool { return a.NodeID == node.NodeID && a.Summary == what }) {
			require.True(t, has[messages.EvidenceProfile+"/heap"], "%s: %s has no heap profile, and no reason for that", what, node.NodeID)
		}
	}
	eventually(t, "the proxy has stored it", func() error { return checkStored(c.proxy.storage, i.ID, messages.IncidentCollected) })
	for _, v := range c.agents {
		within(t, collectedWithin, "the agent has its own part", func() error { return v.hasPart(i, what) })
	}
	status, body, _, err := get(c.proxy.addr, "/incidents/"+i.ID+"/bundle")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, checkBundle([]byte(body), true), what)
}

// hasPart returns an error if an agent does not have its part of an incident of the proxy, once. If the agent was lost before, the
// incident began with that, and a neighbour knows it by its id and by what the proxy called it.
func (v *victim) hasPart(of *messages.Incident, what string) error {
	all, err := incidentsAt(v.addr)
	if err != nil {
		return err
	}
	parts, kinds := []messages.Incident{}, map[messages.IncidentKind]bool{}
	for i := range all {
		if !isOf(&all[i], what) && all[i].ID != of.ID {
			continue
		}
		if kinds[all[i].Kind] {
			return fmt.Errorf("%s: it is there twice: %q", filepath.Base(v.storage), states(all))
		}
		kinds[all[i].Kind] = true
		parts = append(parts, all[i])
	}
	if len(parts) == 0 {
		return fmt.Errorf("%s: none of %q", filepath.Base(v.storage), states(all))
	}
	for i := range parts {
		if err := checkStored(v.storage, parts[i].ID, messages.IncidentFrozen); err != nil {
			return err
		}
	}
	return nil
}

// checkStored returns an error if the directory of an incident does not have the document of that state, the files that it says, and no others.
func checkStored(storage, id string, state messages.IncidentState) error {
	dir := filepath.Join(storage, "incidents", id)
	text, err := os.ReadFile(filepath.Join(dir, "incident.json"))
	if err != nil {
		return err
	}
	stored, err := messages.ParseIncident(text)
	if err != nil || stored.State != state {
		return fmt.Errorf("%s: %w: the document is %s, and not %s", dir, err, stored.State, state)
	}
	want := map[string]messages.EvidenceFile{}
	for n := range stored.Nodes {
		for _, f := range stored.Nodes[n].Files {
			want[f.Path] = f
		}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "incident.json" {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		f, named := want[name]
		if !named {
			return fmt.Errorf("%s: the document does not name it: %s", path, text)
		}
		delete(want, name)
		b, err := os.ReadFile(path)
		if err == nil && !isFile(b, f) {
			err = fmt.Errorf("%s has %d bytes, and not the %d of the sum %s", path, len(b), f.Bytes, f.SHA256)
		}
		return err
	})
	if err == nil && len(want) > 0 {
		err = fmt.Errorf("%s: files are not there: %v", dir, want)
	}
	return err
}

// isFile reports whether some bytes are a file.
func isFile(b []byte, f messages.EvidenceFile) bool {
	sum := sha256.Sum256(b)
	return int64(len(b)) == f.Bytes && hex.EncodeToString(sum[:]) == f.SHA256
}

// requireBundle exports the newest incident as a person does, and looks for times without samples.
func (c *killedCluster) requireBundle() {
	t := c.t
	if c.last == "" {
		return
	}
	b := exportBundle(t, c.proxy.addr, c.last)
	for n := range b.incident.Nodes {
		node := &b.incident.Nodes[n]
		from := node.From
		if start := c.began.Add(5 * time.Second); from.Before(start) {
			from = start
		}
		for _, at := range append(b.samplesOf(node.NodeID, "fodc_node_up"), node.To) {
			require.Less(t, at.Sub(from), 10*time.Second, "%s has no samples from %s to %s", node.NodeID, from, at)
			if at.After(from) {
				from = at
			}
		}
	}
	for _, v := range c.all() {
		require.NotContains(t, v.process.log(), "panic")
	}
}

// killWatcher is a client that reads what a process serves.
type killWatcher struct {
	*victim
	random                *rand.Rand
	lists, files, bundles int
}

// look reads the list, one incident, some of its files, and now and then a bundle.
func (w *killWatcher) look() {
	list, err := w.list()
	if err != nil {
		return
	}
	w.lists++
	if len(list) == 0 {
		return
	}
	one := list[0].ID
	if w.random.IntN(4) == 0 {
		one = list[w.random.IntN(len(list))].ID
	}
	before, ok := w.document(one)
	if !ok {
		return
	}
	var files []messages.EvidenceFile
	for n := range before.Nodes {
		files = append(files, before.Nodes[n].Files...)
	}
	w.random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for _, f := range files[:min(4, len(files))] {
		w.checkFile(one, f)
	}
	if w.random.IntN(15) == 0 {
		w.checkBundle(one)
	}
}

func (w *killWatcher) document(id string) (doc messages.Incident, ok bool) {
	status, body, _, err := get(w.addr, "/incidents/"+id)
	if err != nil || status == http.StatusServiceUnavailable {
		return doc, false
	}
	if status == http.StatusOK {
		doc, err = messages.ParseIncident([]byte(body))
	}
	if err != nil || status != http.StatusOK {
		w.t.Errorf("%s: incident %s: %d %v: %.500s", w.addr, id, status, err, body)
		return doc, false
	}
	return doc, true
}

// checkFile requires that a file is the one of the document, unless that changes meanwhile.
func (w *killWatcher) checkFile(id string, f messages.EvidenceFile) {
	status, body, _, err := get(w.addr, "/incidents/"+id+"/files/"+f.Path)
	if err != nil || status == http.StatusServiceUnavailable {
		return
	}
	if status == http.StatusOK && isFile([]byte(body), f) {
		w.files++
		return
	}
	after, ok := w.document(id)
	if !ok || !slices.ContainsFunc(after.Nodes, func(n messages.IncidentNode) bool { return slices.Contains(n.Files, f) }) {
		return
	}
	w.t.Errorf("%s: %s of incident %s has %d bytes and the sum %s, served are %d bytes with the status %d: %.200q", w.addr, f.Path, id, f.Bytes, f.SHA256, len(body), status, body)
}

func (w *killWatcher) checkBundle(id string) {
	status, body, _, err := get(w.addr, "/incidents/"+id+"/bundle")
	if err != nil || status == http.StatusServiceUnavailable {
		return
	}
	if status != http.StatusOK {
		w.t.Errorf("%s: the bundle of %s: %d: %.500s", w.addr, id, status, body)
		return
	}
	if err := checkBundle([]byte(body), false); err != nil {
		w.t.Errorf("%s: the bundle of %s: %v", w.addr, id, err)
	}
	w.bundles++
}
