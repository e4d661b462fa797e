package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// The result of a collection from before a restart of the collector is not the answer to a
// request that came after: both may wait in the collector's mailbox.
func TestCollectorRestartMixesNoAnswers(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.agent(baseline("slow"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			<-release
			return []*wire.StreamMetricsRequest{gauge(1)}
		})
		w.agent(baseline("quick"), always(2))
		synctest.Wait()
		ask := func(node string) chan map[string]any {
			done := make(chan map[string]any, 1)
			go func() {
				c, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(5 * time.Second),
					Filter: messages.NodeFilter{NodeIDs: []string{node}}})
				if err != nil {
					done <- map[string]any{"error": err.Error()}
					return
				}
				done <- shown(c)
			}()
			synctest.Wait()
			return done
		}
		old := ask("slow")
		w.sys.Send(w.proxy.collector, actorstest.Crash{})
		synctest.Wait()
		young := ask("quick")
		close(release)
		synctest.Wait()
		require.Equal(t, map[string]any{"quick": 2.}, <-young)
		require.Equal(t, map[string]any{"error": unavailableIfGone(actors.ErrGone).Error()}, <-old)
	})
}

// The status says that the session or the registry has failed, and not that the proxy stops: in
// that case the agent would wait before it comes back.
func TestFailureIsNoGoodbye(t *testing.T) {
	for _, kind := range []string{"session", "registry"} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, testConfig, func(t *testing.T, w *world) {
				a := w.connect(baseline("p1"))
				synctest.Wait()
				victim := w.top("registry")
				if kind == "session" {
					victim = victim.Children[0]
				}
				require.Equal(t, kind, victim.Kind)
				w.sys.Send(&actors.PID{Address: w.proxy.registry.Address, Id: victim.ID}, actorstest.Crash{})
				synctest.Wait()
				_, err := a.reg.Recv()
				require.Equal(t, codes.Internal, code(err))
				require.ErrorContains(t, err, "register anew")
				if kind == "session" {
					cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
					require.NoError(t, err)
					require.Equal(t, "the session failed in the proxy", cluster.Nodes[0].LastError)
				}
			})
		})
	}
}

// A registry that does not answer is reported as such, and not as a session that has ended or
// an unknown key.
func TestRegistryThatDoesNotAnswer(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		require.NoError(t, w.sys.Stop(t.Context(), w.proxy.registry))
		requireStatus := func(want string) {
			t.Helper()
			s, err := w.client().RegisterAgent(t.Context())
			require.NoError(t, err)
			_ = s.Send(baseline("p1"))
			_, err = s.Recv()
			require.Equal(t, codes.Unavailable, code(err))
			require.ErrorContains(t, err, want)
			m, err := w.client().StreamMetrics(metadata.AppendToOutgoingContext(t.Context(), "agent_id", "a1"))
			require.NoError(t, err)
			_, err = m.Recv()
			require.Equal(t, codes.Unavailable, code(err))
			require.ErrorContains(t, err, want)
		}
		requireStatus("the proxy's registry does not answer")
		w.proxy.Refuse()
		requireStatus(wire.StoppingText)
	})
}

func TestLossOf(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		require.Equal(t, want, lossReason(err))
	}
	f(status.Error(codes.Canceled, "context canceled"), "the connection is gone")
	f(context.Canceled, "the connection is gone") // the reader was not in Recv
	f(status.Error(codes.ResourceExhausted, "too large"), "the connection was lost: too large")
}
