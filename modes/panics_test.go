package modes

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/actors/proxy"
	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"

	"github.com/stretchr/testify/require"
)

// loadPause is how long a client waits between two collections.
const loadPause = 50 * time.Millisecond

// load is clients that collect all the time.
type load struct {
	mu      sync.Mutex
	results []loadResult
	stop    context.CancelFunc
	done    sync.WaitGroup
}

type loadResult struct {
	err     error
	took    time.Duration
	nodes   []string
	missing []string
}

// startLoad asks for the latest and for windows, of all nodes and of one.
func (w *cluster) startLoad() *load {
	l := &load{}
	ctx, cancel := context.WithCancel(w.t.Context())
	l.stop = cancel
	for _, q := range []messages.Query{
		{},
		{Selection: messages.Selection{Window: messages.Window{Start: time.Now()}}},
		{Filter: messages.NodeFilter{NodeIDs: []string{"n1"}}},
	} {
		l.done.Go(func() {
			for ctx.Err() == nil {
				l.ask(ctx, w, q)
				time.Sleep(loadPause)
			}
		})
	}
	return l
}

func (l *load) ask(ctx context.Context, w *cluster, q messages.Query) {
	begin := time.Now()
	q.Deadline = begin.Add(clusterPatience)
	c, err := w.proxy.Collect(ctx, q)
	if ctx.Err() != nil {
		return
	}
	r := loadResult{err: err, took: time.Since(begin)}
	if err == nil {
		for _, n := range c.Nodes {
			r.nodes = append(r.nodes, n.Identity.NodeID)
			if n.Missing != messages.MissingNone {
				r.missing = append(r.missing, n.Identity.NodeID)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, r)
}

// end returns what became of the collections.
func (l *load) end() []loadResult {
	l.stop()
	l.done.Wait()
	return l.results
}

// panicCase is what the panic of an actor may cost, and what it must not.
type panicCase struct {
	isAgent bool // the actor is one of the first agent's
	// stopped: the actor is ended, and another one of its kind takes over; resumed: its
	// value goes on. Else it is restarted.
	stopped, resumed bool
	// costsNode: collections may miss the node n0, until its agent is back.
	costsNode bool
	// costsAll: collections may be without any of the nodes, until their agents are back.
	costsAll bool
	// costsErrors is the kind of the error that collections under way may get.
	costsErrors messages.ErrorKind
	// costsAtLeast is how many of them must.
	costsAtLeast int
}

var panicCases = map[string]panicCase{
	"registry":         {costsAll: true},
	"session":          {stopped: true, costsNode: true},
	"collector":        {costsErrors: messages.ErrUnavailable},
	"collect":          {stopped: true, costsErrors: messages.ErrInternal, costsAtLeast: 1},
	"crashes":          {},
	"schemas":          {},
	"recorder":         {isAgent: true, resumed: true},
	"scraper":          {isAgent: true},
	"selfmetrics":      {isAgent: true},
	"telemetry":        {isAgent: true},
	"nodeconfig":       {isAgent: true},
	"rules":            {isAgent: true, resumed: true},
	"incidents":        {isAgent: true, resumed: true},
	"ramps":            {isAgent: true, resumed: true},
	"link":             {isAgent: true, costsNode: true},
	"uplink":           {isAgent: true, stopped: true, costsNode: true},
	"clusterincidents": {resumed: true},
	"evidence":         {resumed: true},
	"keeplast":         {resumed: true},
	"alertmanager":     {resumed: true},
}

// TestPanicOfEachActor fails if the panic of one actor costs another one anything, if
// the actor does not come back by itself, or if the dump does not tell.
func TestPanicOfEachActor(t *testing.T) {
	for kind, c := range panicCases {
		t.Run(kind, func(t *testing.T) {
			inWholeCluster(t, 4, func(t *testing.T, w *cluster) { testPanic(t, w, kind, c) })
		})
	}
}

// inWholeCluster is inCluster with a proxy that does all that it can: it keeps evidence, and the last minutes of all nodes, on disk, and
// tells an Alertmanager.
func inWholeCluster(t *testing.T, agents int, test func(t *testing.T, w *cluster)) {
	dir := t.TempDir()
	s := &storage{dir: dir}
	synctest.Test(t, func(t *testing.T) {
		w := startClusterOf(t, agents, plainPage, func(c *proxy.Config) {
			c.Incidents.OnDisk, c.Incidents.Open = true, func(now time.Time) (*evidence.Store, evidence.Report, error) {
				return evidence.Open(evidence.NewMemory(16<<20), evidence.Limits{MaxCount: 200, MaxBytes: 16 << 20}, now)
			}
			c.Evidence = &proxy.EvidenceConfig{Blocks: blocksIn(dir), KeepLast: s.keepLast(time.Minute)}
			var kept sync.Map // In memory: the time of a bubble waits for a real disk.
			c.Evidence.KeepLast.Dir = func(name string) journal.FS {
				disk, _ := kept.LoadOrStore(name, journaltest.New())
				return disk.(journal.FS)
			}
			c.Alertmanager.URLs = []*url.URL{{Scheme: "http", Host: "alertmanager"}}
			c.Alertmanager.Post = func(context.Context, *url.URL, []byte) error { return nil }
		})
		defer w.finish()
		test(t, w)
	})
}

func testPanic(t *testing.T, w *cluster, kind string, c panicCase) {
	w.requireAllOnline()
	sys := w.sys
	if c.isAgent {
		sys = w.agents[0].sys
	}
	recorded := w.samples("n0")
	others := othersThan(w.systems(), sys)
	l := w.startLoad()
	w.pass(time.Second)
	victim := findVictim(t, sys, kind)
	crash(sys, victim.ID)
	w.pass(clusterReconnect + time.Second)
	results := l.end()
	synctest.Wait()

	requireDump(t, sys, victim, c)
	require.Equal(t, others, othersThan(w.systems(), sys), "no other system has a failure")
	requireCosts(t, results, c)
	w.requireAllOnline()
	w.requireFresh()
	require.Greater(t, w.samples("n0"), recorded, "the window is kept")
}

// requireCosts checks that the collections have lost no more than they may. They may
// be lucky and lose nothing.
func requireCosts(t *testing.T, results []loadResult, c panicCase) {
	t.Helper()
	require.Greater(t, len(results), 150)
	failed := 0
	for _, r := range results {
		require.LessOrEqual(t, r.took, clusterPatience)
		if r.err != nil {
			var known *messages.Error
			require.ErrorAs(t, r.err, &known)
			require.Equal(t, c.costsErrors, known.Kind, r.err.Error())
			failed++
			continue
		}
		if c.costsAll {
			continue
		}
		require.Contains(t, [][]string{{"n0", "n1", "n2", "n3"}, {"n1"}}, r.nodes)
		if !c.costsNode || !slices.Equal(r.missing, []string{"n0"}) {
			require.Empty(t, r.missing)
		}
	}
	require.LessOrEqual(t, failed, 3, "of each client one collection")
	require.GreaterOrEqual(t, failed, c.costsAtLeast)
}

// findVictim returns an actor of the kind; of sessions that of n0. A collection is soon
// over: one is waited for, and one that has begun.
func findVictim(t *testing.T, sys *actors.System, kind string) messages.ActorNode {
	t.Helper()
	for range 1000 {
		for _, a := range actorsOf(sys, kind) {
			if kind == "session" && a.Subject != "n0" || kind == "collect" && a.Subject == "" {
				continue
			}
			return a
		}
		time.Sleep(time.Millisecond / 2)
	}
	t.Fatalf("no actor is a %s", kind)
	return messages.ActorNode{}
}

// othersThan counts the failures in the other systems.
func othersThan(all []*actors.System, one *actors.System) (failures uint64) {
	for _, sys := range all {
		for _, k := range sys.Counts().Kinds {
			if sys != one {
				failures += k.Failures
			}
		}
	}
	return failures
}

// requireDump checks what the tree and the counts say of the failure.
func requireDump(t *testing.T, sys *actors.System, victim messages.ActorNode, c panicCase) {
	t.Helper()
	counts := map[string]messages.KindCounts{}
	for _, k := range sys.Counts().Kinds {
		counts[k.Kind] = k
		require.Equal(t, k.Kind == victim.Kind, k.Failures == 1, "failures of %s: %d", k.Kind, k.Failures)
	}
	var failure *messages.Failure
	restarts := 0
	if c.stopped {
		require.Zero(t, counts[victim.Kind].Restarts)
		ended := sys.Tree().Ended
		at := slices.IndexFunc(ended, func(e messages.EndedActor) bool { return e.ID == victim.ID })
		require.GreaterOrEqual(t, at, 0, "collections that came after it do not push it out")
		require.Equal(t, "failed on actorstest.Crash: "+actorstest.CrashReason, ended[at].Reason)
		require.Equal(t, victim.Subject, ended[at].Subject)
		failure = ended[at].LastFailure
	} else {
		if !c.resumed {
			restarts = 1
		}
		now := actorsOf(sys, victim.Kind)
		at := slices.IndexFunc(now, func(n messages.ActorNode) bool { return n.ID == victim.ID })
		require.GreaterOrEqual(t, at, 0)
		require.Equal(t, "running", now[at].State)
		require.Equal(t, restarts, now[at].Restarts)
		require.Equal(t, 1, now[at].Failures)
		failure = now[at].LastFailure
	}
	require.EqualValues(t, restarts, counts[victim.Kind].Restarts)
	require.NotNil(t, failure)
	require.Equal(t, actorstest.CrashReason, failure.Reason)
	require.Equal(t, "actorstest.Crash", failure.Message)
	require.Contains(t, failure.Stack, ".Receive(")
}

// Whoever adds an actor says what its panic may cost.
func TestPanicCasesAreComplete(t *testing.T) {
	inWholeCluster(t, 1, func(t *testing.T, w *cluster) {
		w.requireFresh() // so that there was a collection
		var kinds []string
		for _, sys := range w.systems() {
			for _, k := range sys.Counts().Kinds {
				kinds = append(kinds, k.Kind)
			}
		}
		slices.Sort(kinds)
		require.Equal(t, slices.Sorted(maps.Keys(panicCases)), kinds)
	})
}

// actorsMode is a mode of actors alone.
type actorsMode struct{ w *cluster }

func (actorsMode) failed() <-chan error { return nil }
func (actorsMode) status() string       { return "" }

func (m actorsMode) stop(ctx context.Context) error {
	var errs []error
	for _, a := range m.w.agents {
		errs = append(errs, a.agent.Stop(ctx))
	}
	return errors.Join(append(errs, m.w.proxy.Stop(ctx))...)
}
