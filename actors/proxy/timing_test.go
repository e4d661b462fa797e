package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What an agent has measured is in the picture of the cluster and in collections, as
// long as its session lives.
func TestTimingOfASession(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(columnar("n1"), always(1))
		seen := func() (node messages.NodeStatus, collected *messages.Timing) {
			t.Helper()
			cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
			require.NoError(t, err)
			require.Len(t, cluster.Nodes, 1)
			return cluster.Nodes[0], w.collect(messages.Query{}).Nodes[0].Timing
		}
		node, collected := seen()
		require.Nil(t, node.Timing)
		require.Nil(t, collected)

		time.Sleep(10 * time.Second)
		beat := proto.Clone(a.first).(*wire.RegisterAgentRequest)
		beat.RoundTrip, beat.ClockOffset = durationpb.New(3*time.Millisecond), durationpb.New(-time.Second)
		require.NoError(t, a.reg.Send(beat))
		require.NoError(t, a.reg.Send(a.first))
		synctest.Wait()
		want := &messages.Timing{RoundTrip: 3 * time.Millisecond, ClockOffset: -time.Second}
		node, collected = seen()
		require.Equal(t, want, node.Timing, "a heartbeat without timing keeps it")
		require.Equal(t, want, collected)
		require.Equal(t, 10*time.Second, *node.SessionAge)

		a.cancel()
		synctest.Wait()
		node, collected = seen()
		require.Equal(t, want, node.Timing)
		require.Nil(t, node.SessionAge)
		require.Nil(t, collected)

		time.Sleep(time.Second)
		w.connect(columnar("n1"))
		time.Sleep(time.Second)
		node, _ = seen()
		require.Nil(t, node.Timing, "the new session has measured nothing yet")
		require.Equal(t, time.Second, *node.SessionAge)
	})
}
