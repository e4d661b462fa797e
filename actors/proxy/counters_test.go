package proxy

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// counted returns the counts that are not zero.
func counted(m map[string]uint64) map[string]uint64 {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, n uint64) bool { return n == 0 })
	return m
}

func TestSessionsAreCounted(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.connect(baseline("p1"))
		again := w.connect(baseline("p1")) // replaces
		require.NoError(t, again.reg.Send(again.first))
		synctest.Wait()
		require.NoError(t, again.reg.CloseSend())
		lost := w.connect(columnar("n2"))
		synctest.Wait() // The answer may come before the handler knows of the session.
		lost.cancel()
		flooding := w.agent(baseline("p3"), never)
		for range 100 {
			if flooding.metrics.Send(gauge(1)) != nil {
				break
			}
		}
		synctest.Wait()
		w.connect(baseline("p4"))
		time.Sleep(6 * time.Minute)
		w.connect(baseline("p5"))
		for _, m := range w.sys.Tree().Actors {
			for _, child := range m.Children {
				w.sys.Send(&actors.PID{Address: w.proxy.registry.Address, Id: child.ID}, actorstest.Crash{})
			}
		}
		synctest.Wait()
		deaf := w.connect(columnar("n6"))
		deaf.burst()
		deaf.beatUntilCutOff()
		w.connect(baseline("p7"))
		c := w.counts()
		require.EqualValues(t, 8, c.SessionsOpened)
		want := map[string]uint64{"replaced": 1, "goodbye": 1, "lost": 1, "flood": 1, "silent": 1, "failed": 1, "unread": 1}
		require.Equal(t, want, counted(c.SessionsEnded))
		require.EqualValues(t, maxUnsolicited+1, c.FramesRejected["unasked"])
		w.stopTakes()
		want["stopping"] = 1
		require.Equal(t, want, counted(w.counts().SessionsEnded), "each that was opened has ended once")
	})
}

func TestRefusedRegistrationsAreCounted(t *testing.T) {
	cfg := testConfig
	cfg.Limits.MaxAgents = 1
	inWorld(t, cfg, func(t *testing.T, w *world) {
		try := func(first *wire.RegisterAgentRequest) {
			s, err := w.client().RegisterAgent(t.Context())
			require.NoError(t, err)
			if first != nil {
				require.NoError(t, s.Send(first))
			}
			for err == nil {
				_, err = s.Recv()
			}
		}
		try(&wire.RegisterAgentRequest{PodName: "p1"})
		w.connect(&wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1", PrimaryAddress: &wire.Address{Ip: "10.0.0.1", Port: 1}})
		try(&wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1", PrimaryAddress: &wire.Address{Ip: "10.0.0.2", Port: 1}})
		try(baseline("p2"))
		try(baseline("p3"))
		try(nil)
		w.proxy.Refuse()
		try(nil)
		c := w.counts()
		require.Equal(t, map[string]uint64{"invalid": 1, "conflict": 1, "full": 2, "silent": 1, "stopping": 1}, counted(c.Refused))
		require.EqualValues(t, 1, c.SessionsOpened)
	})
}

// The frames of agents are counted as they are on the wire: baseline and columnar, in chunks.
func TestAnswersAreCounted(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		frame := gauge(1)
		frame.Metrics = append(frame.Metrics, &wire.Metric{Name: "h", Value: 2, Type: wire.MetricType_METRIC_TYPE_GAUGE})
		w.agent(baseline("p1"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			return []*wire.StreamMetricsRequest{frame}
		}).beat()
		hold := make(chan struct{})
		late := w.agent(baseline("p2"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			<-hold
			return []*wire.StreamMetricsRequest{gauge(1)}
		})
		late.beat()
		synctest.Wait()
		require.Equal(t, map[string]any{"p1": 2., "p2": messages.MissingTimeout}, shown(w.collect(messages.Query{})))
		c := w.counts()
		require.EqualValues(t, 2, c.RelayedSamples)
		require.EqualValues(t, proto.Size(frame), c.RelayedBytes, "heartbeats do not count")
		close(hold)
		synctest.Wait()
		c = w.counts()
		require.EqualValues(t, 2, c.RelayedSamples)
		require.Equal(t, map[string]uint64{"late": 1}, counted(c.FramesRejected))

		before := c.Heartbeats
		time.Sleep(30 * time.Second)
		require.EqualValues(t, before+6, w.counts().Heartbeats, "two agents, three times")
	})
}

func TestFrameThatIsTooLargeIsCounted(t *testing.T) {
	cfg := testConfig
	cfg.MaxMessageSize = 1 << 10
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			big := gauge(1)
			big.Metrics[0].Description = strings.Repeat("x", 2<<10)
			return []*wire.StreamMetricsRequest{big}
		})
		synctest.Wait()
		require.Equal(t, map[string]any{"p1": messages.MissingError}, shown(w.collect(messages.Query{})))
		require.Equal(t, map[string]uint64{"too_large": 1}, counted(w.counts().FramesRejected))
	})
}

// A restart of the actors that count does not reset the counters.
func TestRestartsDoNotResetCounts(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		synctest.Wait()
		w.collect(messages.Query{})
		before := w.counts()
		require.NotZero(t, before.RelayedSamples)
		w.sys.Send(w.proxy.registry, actorstest.Crash{})
		w.sys.Send(w.proxy.collector, actorstest.Crash{})
		time.Sleep(10 * time.Second)
		after := w.counts()
		require.Equal(t, map[string]uint64{"failed": 1}, counted(after.SessionsEnded))
		after.SessionsEnded = before.SessionsEnded
		require.Equal(t, before, after)
		w.connect(baseline("p2"))
		require.EqualValues(t, 2, w.counts().SessionsOpened)
	})
}

func TestNilCountersCountNothing(*testing.T) {
	var none *counters
	none.sessionOpened()
	none.sessionEnded(endedLost)
	none.registrationRejected(rejectedFull)
	none.heartbeat()
	none.relayed(1)
	none.received(1)
	none.frameDropped(frameLate)
}
