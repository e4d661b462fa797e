package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// fakeNode is the database node beside an agent: a database for each port, which may be down.
type fakeNode struct {
	*actorstest.FakeDatabase

	mu    sync.Mutex
	ports map[string]*bufconn.Listener // that are up, by address
}

// withDatabase gives the agent a node, which is down. It is asked at port 17912.
func (w *world) withDatabase() *fakeNode {
	n := &fakeNode{FakeDatabase: actorstest.NewFakeDatabase(), ports: map[string]*bufconn.Listener{}}
	w.t.Cleanup(n.Close)
	w.cfg.Database = &DatabaseConfig{StatePorts: []int{17912}, StateInterval: 30 * time.Second, LifecyclePort: 18912,
		LifecycleTTL: 10 * time.Minute, Dial: n.dial}
	w.cfg.Registration.Role, w.cfg.Registration.Labels = "", nil
	return n
}

func (n *fakeNode) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := bufconn.Listen(1 << 16)
	n.ports = map[string]*bufconn.Listener{"127.0.0.1:17912": at, "127.0.0.1:18912": at}
	n.Serve(at, nil)
}

func (n *fakeNode) down() {
	n.mu.Lock()
	n.ports = nil
	n.mu.Unlock()
	n.Close()
	synctest.Wait()
}

func (n *fakeNode) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	at := n.ports[address]
	n.mu.Unlock()
	if at == nil {
		return nil, errRefused
	}
	return at.DialContext(ctx)
}

// is has the node say who it is.
func (n *fakeNode) is(role string, labels map[string]any) {
	n.Set(actorstest.GetCurrentNode, actorstest.FakeCall{Answer: actorstest.Fields{"node": nodeFields("data-0", role, labels)}})
}

func nodeFields(name, role string, labels map[string]any) actorstest.Fields {
	fields := actorstest.Fields{"metadata": actorstest.Fields{"name": name}}
	if role != "" {
		fields["roles"] = []any{wire.Role_value[role]}
	}
	if len(labels) > 0 {
		fields["labels"] = labels
	}
	return fields
}

// said returns role and labels of each frame of the newest session.
func (w *world) said() (all []messages.Registration) {
	sessions := w.proxy.sessions()
	for _, f := range sessions[len(sessions)-1].frames {
		all = append(all, messages.Registration{Role: f.GetNodeRole(), Labels: f.GetLabels()})
	}
	return all
}

func TestNodeSaysWhoItIs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.cfg.Registration.Labels = map[string]string{"zone": "a"}
		n.is("ROLE_DATA", map[string]any{"type": "hot", "zone": "b"})
		n.up()
		w.run()
		first := messages.Registration{Role: "ROLE_DATA", Labels: map[string]string{"type": "hot", "zone": "a"}}
		require.Equal(t, []messages.Registration{first}, w.said(), "it is known before the agent registers")
		require.Equal(t, messages.Identity{NodeID: "n1", PodName: "p1", Role: "ROLE_DATA", Labels: first.Labels}, w.agent.Identity())

		n.is("ROLE_DATA", map[string]any{"type": "warm"})
		w.pass(35 * time.Second)
		said := w.said()
		require.Equal(t, map[string]string{"type": "warm", "zone": "a"}, said[len(said)-1].Labels)
		n.down()
		w.pass(10 * time.Minute)
		require.Equal(t, map[string]string{"type": "warm", "zone": "a"}, w.agent.Identity().Labels, "what is known stays known")
		w.crash()
		require.Equal(t, "ROLE_DATA", w.said()[0].Role)
		require.Equal(t, []string{`the node says who it is: ROLE_DATA ["type=hot" "zone=b"]`, `the node says who it is: ROLE_DATA ["type=warm"]`}, w.lines("who it is"))
	})
}

// A node that starts later than its agent is known with the first heartbeat after that.
func TestNodeSaysWhoItIsLater(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.run()
		require.Equal(t, []messages.Registration{{Role: messages.RoleUnspecified}}, w.said(), "at once")
		w.pass(25 * time.Second)
		n.is("ROLE_LIAISON", nil)
		n.up()
		w.pass(10 * time.Second)
		said := w.said()
		require.Equal(t, "ROLE_LIAISON", said[len(said)-1].Role)
		require.Equal(t, "ROLE_LIAISON", w.agent.Identity().Role)
		require.Len(t, w.lines("cannot be asked at port 17912"), 1)
		require.Len(t, w.lines("answers again at port 17912"), 1)
	})
}

// A node that hangs delays the first registration by two seconds, and no stop.
func TestNodeHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		n.Set(actorstest.GetCurrentNode, actorstest.FakeCall{Delay: -1})
		n.up()
		w.run()
		w.pass(identityWait - time.Millisecond)
		require.Empty(t, w.proxy.sessions())
		w.pass(time.Millisecond)
		require.Equal(t, messages.RoleUnspecified, w.said()[0].Role)
		w.crash()
		require.Equal(t, messages.RoleUnspecified, w.said()[0].Role)
		w.pass(time.Minute)
		require.Equal(t, []string{"the node cannot be asked at port 17912 (--cluster-state-ports): GetCurrentNode at 127.0.0.1:17912: no answer within 5s"},
			w.lines("cannot be asked"))
		w.stop()
	})
}

func TestConfiguredRoleCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.cfg.Registration.Role = "datanode-hot"
		n.is("ROLE_DATA", map[string]any{"type": "hot"})
		n.up()
		w.run()
		require.Equal(t, []messages.Registration{{Role: "datanode-hot", Labels: map[string]string{"type": "hot"}}}, w.said())
	})
}

// The journal says the role that the node has said late.
func TestJournalOfALateIdentity(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		n := w.withDatabase()
		w.run()
		w.pass(15 * time.Second)
		n.is("ROLE_DATA", map[string]any{"type": "hot"})
		n.up()
		w.pass(30 * time.Second)
		v, err := journal.OpenView(w.disk)
		require.NoError(t, err)
		require.Len(t, v.Segments, 2)
		require.Equal(t, messages.RoleUnspecified, v.Segments[0].Node.Role)
		require.Equal(t, journal.Node{NodeID: "n1", PodName: "p1", Role: "ROLE_DATA", Labels: map[string]string{"type": "hot"}, AgentVersion: "test"}, v.Segments[1].Node)
		require.Equal(t, 5, w.onDisk("http://node/metrics"))
	})
}

// A proxy that stamps nothing gets what is known when it asks.
func TestBaselineProxyGetsALateIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		p := startBaselineProxy(w)
		w.run()
		w.pass(15 * time.Second)
		n.is("ROLE_DATA", map[string]any{"type": "hot"})
		n.up()
		w.pass(15 * time.Second)
		for name, sets := range labelsOf(p.ask(actorstest.Fields{})[0]) {
			for _, labels := range sets {
				require.Equal(t, "ROLE_DATA", labels["node_role"], name)
				require.Equal(t, "hot", labels["node_type"], name)
			}
		}
	})
}

// Labels that a proxy would refuse are left out, and the rest is sent.
func TestLabelsOfTheNode(t *testing.T) {
	f := func(configured, labels, want map[string]string, wantLeft int) {
		t.Helper()
		known, left := withNode(messages.Registration{NodeID: "n", Labels: configured}, "ROLE_DATA", labels)
		require.NoError(t, known.Validate())
		require.Equal(t, want, known.Labels)
		require.Equal(t, wantLeft, left)
		require.Equal(t, "ROLE_DATA", known.Role)
	}
	type labels = map[string]string
	f(nil, nil, labels{}, 0)
	f(labels{"a": "1"}, labels{"a": "2", "b": "3", "c": ""}, labels{"a": "1", "b": "3"}, 0)
	f(nil, labels{"": "x", "__name__": "x", "ok": "x", strings.Repeat("n", 5000): "x", "long": strings.Repeat("v", 5000)}, labels{"ok": "x"}, 4)
	large := strings.Repeat("v", 4000)
	f(nil, labels{"a": large, "b": large, "c": large, "d": large, "e": large, "f": "x"}, labels{"a": large, "b": large, "c": large, "d": large, "f": "x"}, 1)
	configured := labels{"a": "1"}
	_, _ = withNode(messages.Registration{Labels: configured}, "", labels{"b": "2"})
	require.Equal(t, labels{"a": "1"}, configured)
}

// parts asks a source, and returns what it emits.
func parts(t *testing.T, s interface {
	Answer(context.Context, messages.Question, func(messages.Part) error) error
}, q messages.Question) (all []messages.Part, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("the proxy waits no longer"))
	defer cancel()
	err = s.Answer(ctx, q, func(p messages.Part) error {
		all = append(all, p)
		return nil
	})
	return all, err
}

func TestTopology(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.run()
		s := topologySource{w.sys, w.agent.database}
		_, err := parts(t, s, messages.TopologyQuestion{})
		require.ErrorContains(t, err, "the node has not said which nodes it knows: ")
		require.ErrorContains(t, err, "connection refused")

		n.is("ROLE_DATA", nil)
		n.Set(actorstest.GetClusterState, actorstest.FakeCall{Answer: actorstest.Fields{"routeTables": actorstest.Fields{
			"tire1": actorstest.Fields{"registered": []any{nodeFields("data-1", "ROLE_DATA", nil), nodeFields("data-0", "ROLE_DATA", nil)}}}}})
		n.up()
		w.pass(5 * time.Second)
		all, err := parts(t, s, messages.TopologyQuestion{})
		require.NoError(t, err)
		require.Len(t, all, 1)
		topology := all[0].(*messages.Topology)
		require.Equal(t, time.Now(), topology.At)
		require.Len(t, topology.Nodes, 2)
		require.Equal(t, []messages.Call{{ID: "data-0-data-1", Source: "data-0", Target: "data-1"}}, topology.Calls)
		calls := n.Calls(actorstest.GetClusterState)
		w.pass(10 * time.Minute)
		require.Equal(t, calls+20, n.Calls(actorstest.GetClusterState), "each interval")
	})
}

// The page is also what docs/metrics.md is compared with.
func TestDatabaseMetrics(t *testing.T) {
	requireGolden(t, "testdata/database.prom", pageOf(portSamples([]portStatus{{number: 17912, up: true, failures: 3}})))
	require.Empty(t, portSamples(nil))
	require.Zero(t, portSamples([]portStatus{{number: 1}})[0].Value)
}

func TestDatabasePortsAreMetrics(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.run()
		values := func() (up, failures float64) {
			blocks, err := w.agent.Latest(t.Context(), messages.Selection{Names: []string{"fodc_agent_database_up", "fodc_agent_database_poll_failures_total"}})
			require.NoError(t, err)
			for _, b := range blocks {
				for f := range b.Each() {
					require.Equal(t, `port="17912"`, string(f.Series[0].Labels))
					if f.Name == "fodc_agent_database_up" {
						up = f.Series[0].Values[0]
					} else {
						failures = f.Series[0].Values[0]
					}
				}
			}
			return up, failures
		}
		w.pass(21 * time.Second)
		up, failures := values()
		require.Zero(t, up)
		require.Equal(t, 10.0, failures)
		n.is("ROLE_DATA", nil)
		n.up()
		w.pass(10 * time.Second)
		up, _ = values()
		require.Equal(t, 1.0, up)
	})
}

func TestLifecycle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.cfg.Database.ReportDir = t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(w.cfg.Database.ReportDir, "r.json"), []byte("{}"), 0o600))
		w.run()
		s := lifecycleSource{w.sys, w.agent.lifecycle, "p1"}
		reports := []messages.LifecycleReport{{Filename: "r.json", JSON: "{}"}}
		ask := func(want *messages.Lifecycle, wantErr string) {
			t.Helper()
			all, err := parts(t, s, messages.LifecycleQuestion{})
			if wantErr == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, wantErr)
			}
			want.At, want.PodName = time.Now(), "p1"
			require.Equal(t, []messages.Part{want}, all)
		}
		ask(&messages.Lifecycle{Reports: reports}, "InspectAll at 127.0.0.1:18912: dial: connection refused")

		n.up()
		ask(&messages.Lifecycle{Reports: reports}, "") // a node without that service has no groups
		n.down()
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Delay: 3 * time.Second, Answer: actorstest.Fields{"groups": []any{actorstest.Fields{"name": "g"}}}})
		n.up()
		before := n.Calls(actorstest.InspectAll)
		groups := []messages.LifecycleGroup{{Name: "g"}}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { ask(&messages.Lifecycle{Reports: reports, Groups: groups}, "") })
		}
		wg.Wait()
		w.pass(9 * time.Minute)
		ask(&messages.Lifecycle{Reports: reports, Groups: groups}, "")
		require.Equal(t, before+1, n.Calls(actorstest.InspectAll))
		w.pass(time.Minute)
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Err: status.Error(codes.Internal, "a node does not answer")})
		ask(&messages.Lifecycle{Reports: reports}, "InspectAll at 127.0.0.1:18912: a node does not answer")
	})
}

// A node of which nobody has said that it has the service has no groups, until it has shown them.
func TestLifecycleThatMayNotBe(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		w.cfg.Database.LifecycleOptional, w.cfg.Database.LifecycleTTL = true, time.Second
		w.run()
		s := lifecycleSource{w.sys, w.agent.lifecycle, "p1"}
		ask := func(groups int, wantErr string) {
			t.Helper()
			all, err := parts(t, s, messages.LifecycleQuestion{})
			if wantErr != "" {
				require.ErrorContains(t, err, wantErr)
				return
			}
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Len(t, all[0].(*messages.Lifecycle).Groups, groups)
		}
		ask(0, "")
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Answer: actorstest.Fields{"groups": []any{actorstest.Fields{"name": "g"}}}})
		n.up()
		ask(1, "")
		n.down()
		w.pass(time.Minute)
		ask(0, "InspectAll at 127.0.0.1:18912: dial: connection refused")
	})
}

// A call that takes longer than somebody waits goes on, and answers who asks later.
func TestLifecycleThatTakesLong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Delay: 15 * time.Second, Answer: actorstest.Fields{"groups": []any{actorstest.Fields{"name": "g"}}}})
		n.up()
		w.cfg.Database.ReportDir = t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(w.cfg.Database.ReportDir, "r.json"), []byte("{}"), 0o600))
		w.run()
		s := lifecycleSource{w.sys, w.agent.lifecycle, "p1"}
		all, err := parts(t, s, messages.LifecycleQuestion{})
		require.ErrorIs(t, err, errInspecting)
		require.Equal(t, 10*time.Second-inspectMargin, time.Since(w.start), "before the proxy waits no longer")
		require.Len(t, all, 1, "the reports need not wait for the node")
		require.Equal(t, "r.json", all[0].(*messages.Lifecycle).Reports[0].Filename)
		all, err = parts(t, s, messages.LifecycleQuestion{})
		require.NoError(t, err)
		require.Equal(t, "g", all[0].(*messages.Lifecycle).Groups[0].Name)
		require.Equal(t, 15*time.Second, time.Since(w.start))
		require.Equal(t, 1, n.Calls(actorstest.InspectAll))

		n.Set(actorstest.InspectAll, actorstest.FakeCall{Delay: -1})
		w.pass(10 * time.Minute)
		go func() { _, _ = parts(t, s, messages.LifecycleQuestion{}) }()
		synctest.Wait()
		w.stop()
	})
}

// A failure of the actors costs nobody the time that he waits, and is over at once.
func TestDatabaseActorsRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.withDatabase()
		n.is("ROLE_DATA", nil)
		n.Set(actorstest.GetClusterState, actorstest.FakeCall{Answer: actorstest.Fields{}})
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Delay: -1})
		n.up()
		identity := newNodeIdentity(w.cfg.Registration, true)
		db := w.sys.Spawn("database", restarts, func() actors.Actor { return fragile{newDatabase(w.sys, identity, *w.cfg.Database)} })
		lc := w.sys.Spawn("lifecycle", restarts, func() actors.Actor { return fragile{newLifecycle(w.sys, &reportReader{}, *w.cfg.Database)} })
		synctest.Wait()
		failed := make(chan error, 1)
		go func() {
			_, err := parts(t, lifecycleSource{w.sys, lc, "p1"}, messages.LifecycleQuestion{})
			failed <- err
		}()
		synctest.Wait()
		w.sys.Send(lc, forcePanic{})
		w.sys.Send(db, forcePanic{})
		synctest.Wait()
		require.Equal(t, errRestarted, <-failed)
		n.down()
		w.pass(time.Minute)
		require.Equal(t, "ROLE_DATA", identity.identity().Role, "it is not unsaid")
		n.Set(actorstest.InspectAll, actorstest.FakeCall{Answer: actorstest.Fields{"groups": []any{actorstest.Fields{"name": "g"}}}})
		n.up()
		w.pass(5 * time.Second)
		all, err := parts(t, lifecycleSource{w.sys, lc, "p1"}, messages.LifecycleQuestion{})
		require.NoError(t, err)
		require.Len(t, all, 1)
		_, err = parts(t, topologySource{w.sys, db}, messages.TopologyQuestion{})
		require.NoError(t, err)
	})
}

func TestLifecycleIsOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.withDatabase()
		w.cfg.Database.LifecyclePort = 0
		w.run()
		require.Nil(t, w.agent.lifecycle)
		all, err := parts(t, schemaSource{}, messages.SchemaQuestion{})
		require.NoError(t, err)
		require.Equal(t, []messages.Part{&messages.SchemaGroup{Error: "this agent does not read the schema registry of its node"}}, all)
	})
}

// A question that comes as soon as the one before was answered has the reports, too.
func TestReportsForOneQuestionAfterAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.withDatabase()
		w.cfg.Database.LifecyclePort, w.cfg.Database.ReportDir = 0, t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(w.cfg.Database.ReportDir, "r.json"), []byte("{}"), 0o600))
		w.run()
		s := lifecycleSource{w.sys, w.agent.lifecycle, "p1"}
		for range 5000 {
			known, err := s.ask(t.Context())
			require.NoError(t, err)
			require.NoError(t, known.reportsErr)
			require.Len(t, known.reports, 1)
		}
	})
}
