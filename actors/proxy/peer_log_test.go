package proxy

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/metadata"
)

// inLoggedWorld is inWorld with a log that tests can read.
func inLoggedWorld(t *testing.T, cfg Config, test func(t *testing.T, w *world, log *observer.ObservedLogs)) {
	synctest.Test(t, func(t *testing.T) {
		core, log := observer.New(zapcore.InfoLevel)
		sys := actors.NewSystem(zap.New(core))
		defer func() {
			sys.Shutdown()
			time.Sleep(time.Second)
		}()
		serveWorld(t, sys, cfg, 1<<20, func(t *testing.T, w *world) { test(t, w, log) })
	})
}

// times returns for each line with the text how many events it stands for.
func times(log *observer.ObservedLogs, text string) (all []int64) {
	for _, l := range log.FilterMessage(text).All() {
		n, ok := l.ContextMap()["times"].(int64)
		if !ok {
			n = 1
		}
		all = append(all, n)
	}
	return all
}

// Refused registrations are logged by reason: the first, and every ten seconds how many since.
func TestRefusedRegistrationsInTheLog(t *testing.T) {
	inLoggedWorld(t, testConfig, func(t *testing.T, w *world, log *observer.ObservedLogs) {
		client := w.client()
		refuse := func(role string) {
			s, err := client.RegisterAgent(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Send(&wire.RegisterAgentRequest{NodeId: "n1", NodeRole: role}))
			for err == nil {
				_, err = s.Recv()
			}
		}
		for i := range 1500 {
			if i%100 == 0 {
				client = w.client()
			}
			refuse(fmt.Sprintf("no role %d", i))
		}
		require.Equal(t, []int64{1}, times(log, "registration refused"))
		time.Sleep(11 * time.Second)
		require.Equal(t, []int64{1, 1499}, times(log, "registration refused"), "though nothing more has come")
		last := log.FilterMessage("registration refused").All()[1].ContextMap()
		require.Equal(t, "invalid", last["reason"])
		require.Contains(t, last["error"], "no role 1499")
		for range 60 {
			refuse("")
			time.Sleep(time.Second)
		}
		lines := times(log, "registration refused")
		require.LessOrEqual(t, len(lines), 2+7)
	})
}

// So are streams without a session. When the proxy stops, the last summaries are written.
func TestRefusedStreamsInTheLog(t *testing.T) {
	var log *observer.ObservedLogs
	inLoggedWorld(t, testConfig, func(t *testing.T, w *world, l *observer.ObservedLogs) {
		log = l
		client := w.client()
		for i := range 500 {
			if i%100 == 0 {
				client = w.client()
			}
			ctx := t.Context()
			if i%2 == 1 {
				ctx = metadata.AppendToOutgoingContext(ctx, "agent_id", strings.Repeat("x", 1000))
			}
			s, err := client.StreamMetrics(ctx)
			require.NoError(t, err)
			_, err = s.Recv()
			require.Error(t, err)
		}
		require.Equal(t, []int64{1, 1}, times(log, "stream refused"), "two reasons")
	})
	require.Equal(t, []int64{1, 1, 249, 249}, times(log, "stream refused"))
	for _, l := range log.All() {
		require.NotContains(t, fmt.Sprint(l.ContextMap()), "xxx", "what may be a key of somebody else is not logged")
	}
}

// However fast agents come and go, the lines of each kind are bounded; a hundred that are
// started at once have one each.
func TestAgentsInTheLog(t *testing.T) {
	cfg := testConfig
	cfg.Limits.MaxAgents = 5000
	inLoggedWorld(t, cfg, func(t *testing.T, w *world, log *observer.ObservedLogs) {
		client := w.client()
		for i := range 1000 {
			if i%maxStreamsPerConnection == 0 {
				client = w.client()
			}
			s, err := client.RegisterAgent(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Send(baseline(fmt.Sprintf("p%d", i))))
			_, err = s.Recv()
			require.NoError(t, err)
			if i%2 == 0 {
				require.NoError(t, s.CloseSend())
				_, err = s.Recv()
				require.Error(t, err)
			}
		}
		synctest.Wait()
		require.Len(t, times(log, "agent registered"), agentLines)
		require.Len(t, times(log, "agent said goodbye"), agentLines)
		time.Sleep(31 * time.Second)
		require.Len(t, times(log, "agent is unconnected: its heartbeats have stopped"), agentLines)
		time.Sleep(11 * time.Second)
		f := func(text string, want int64) {
			t.Helper()
			lines := times(log, text)
			require.Len(t, lines, agentLines+1)
			require.Equal(t, want, lines[agentLines])
		}
		f("agent registered", 900)
		f("agent said goodbye", 400)
		f("agent is unconnected: its heartbeats have stopped", 400)
		cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
		require.NoError(t, err)
		require.Len(t, cluster.Nodes, 500)
	})
}

// An agent that opens streams again and again, and sends a broken frame on each, does not fill
// the log.
func TestBrokenFramesInTheLog(t *testing.T) {
	cfg := testConfig
	cfg.MaxMessageSize = 1 << 10
	inLoggedWorld(t, cfg, func(t *testing.T, w *world, log *observer.ObservedLogs) {
		a := w.connect(baseline("p1"))
		big := gauge(1)
		big.Metrics[0].Description = strings.Repeat("x", 2<<10)
		for range 100 {
			s, err := a.client.StreamMetrics(a.context())
			require.NoError(t, err)
			require.NoError(t, s.Send(big))
			_, err = s.Recv()
			require.Error(t, err)
			synctest.Wait() // gRPC ends the stream before the session knows why.
		}
		const text = "an answer is larger than a message may be: raise --grpc-max-msg-size"
		require.Len(t, times(log, text), faultLines)
		time.Sleep(11 * time.Second)
		lines := times(log, text)
		require.Len(t, lines, faultLines+1)
		require.EqualValues(t, 100-faultLines, lines[faultLines])
		require.Equal(t, "p1", log.FilterMessage(text).All()[faultLines].ContextMap()["node_id"])
	})
}
