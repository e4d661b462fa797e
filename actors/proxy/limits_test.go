package proxy

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// register sends a registration. It returns nil if it is accepted, else the status of the stream.
func (w *world) register(first *wire.RegisterAgentRequest) error {
	w.T.Helper()
	s, err := w.client().RegisterAgent(w.T.Context())
	require.NoError(w.T, err)
	require.NoError(w.T, s.Send(first))
	answer, err := s.Recv()
	require.NoError(w.T, err)
	if answer.GetSuccess() {
		return nil
	}
	_, err = s.Recv()
	return err
}

// Over the limit a new node is rejected, and a known one may return.
func TestKnownNodesReturnOverTheLimit(t *testing.T) {
	cfg := testConfig
	cfg.Limits.MaxAgents = 2
	inWorld(t, cfg, func(t *testing.T, w *world) {
		lost := w.connect(columnar("n1"))
		w.connect(columnar("n2"))
		require.Equal(t, codes.ResourceExhausted, code(w.register(columnar("n3"))))
		require.NoError(t, lost.reg.Send(lost.first))
		synctest.Wait()
		lost.cancel()
		synctest.Wait()
		require.Equal(t, codes.ResourceExhausted, code(w.register(columnar("n3"))), "a lost node keeps its place")
		for range 3 {
			require.NoError(t, w.register(columnar("n1")))
			require.NoError(t, w.register(columnar("n2")), "replaced while it is online")
		}
		require.Equal(t, map[string]messages.Status{"n1": "online", "n2": "online"}, w.statuses())
		require.Equal(t, codes.ResourceExhausted, code(w.register(columnar("n3"))))

		back := w.connect(columnar("n2"))
		require.NoError(t, back.reg.CloseSend())
		_, _ = back.reg.Recv()
		synctest.Wait()
		require.NoError(t, w.register(columnar("n3")), "a goodbye frees a place")
	})
}

// A node whose session has sent its registration only is evicted for another node, and its
// session ends. One that has opened its metrics stream keeps its place.
func TestSilentSessionIsEvicted(t *testing.T) {
	cfg := testConfig
	cfg.Limits.MaxAgents = 2
	inWorld(t, cfg, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		a.beat()
		silent := w.connect(baseline("p2"))
		require.Equal(t, codes.ResourceExhausted, code(w.register(baseline("p3"))), "it may just be about to open its streams")
		time.Sleep(confirmationGrace)
		require.NoError(t, w.register(baseline("p3")))
		_, err := silent.reg.Recv()
		require.Equal(t, codes.Unavailable, code(err))
		require.ErrorContains(t, err, "another node needed the place")
		require.Equal(t, map[string]messages.Status{"p1": "online", "p3": "online"}, w.statuses())
		counts := w.counts()
		require.EqualValues(t, 1, counts.NodesEvicted)
		require.Equal(t, map[string]uint64{"silent": 1}, counted(counts.SessionsEnded))
	})
}

// The limits of a registration, exactly.
func TestLimitsOfARegistration(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		try := func(change func(r *wire.RegisterAgentRequest), want codes.Code, text string) {
			t.Helper()
			r := columnar("n1")
			change(r)
			err := w.register(r)
			require.Equal(t, want, code(err))
			if want != codes.OK {
				require.ErrorContains(t, err, text)
			}
		}
		labels := func(n int) func(*wire.RegisterAgentRequest) {
			return func(r *wire.RegisterAgentRequest) {
				r.Labels = map[string]string{}
				for i := range n {
					r.Labels[fmt.Sprintf("l%d", i)] = "v"
				}
			}
		}
		try(labels(64), codes.OK, "")
		try(labels(65), codes.InvalidArgument, "labels are 65, at most 64 are allowed")
		long := strings.Repeat("x", messages.MaxTextBytes)
		for field, set := range map[string]func(r *wire.RegisterAgentRequest, text string){
			"node_id":         func(r *wire.RegisterAgentRequest, text string) { r.NodeId = text },
			"pod_name":        func(r *wire.RegisterAgentRequest, text string) { r.PodName = text },
			"node_role":       func(r *wire.RegisterAgentRequest, text string) { r.NodeRole = text },
			"agent_version":   func(r *wire.RegisterAgentRequest, text string) { r.AgentVersion = text },
			"container_names": func(r *wire.RegisterAgentRequest, text string) { r.ContainerNames = []string{text} },
			"labels":          func(r *wire.RegisterAgentRequest, text string) { r.Labels = map[string]string{"zone": text} },
		} {
			try(func(r *wire.RegisterAgentRequest) { set(r, long) }, codes.OK, "")
			try(func(r *wire.RegisterAgentRequest) { set(r, long+"x") }, codes.InvalidArgument, field)
		}
	})
}

// A heartbeat whose labels are too large counts, and changes no label.
func TestLabelsOfAHeartbeatAreBounded(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		first := columnar("n1")
		first.Labels = map[string]string{"zone": "a"}
		a := w.connect(first)
		beat := columnar("n1")
		beat.Labels = map[string]string{}
		for i := range 5 {
			beat.Labels[fmt.Sprintf("l%d", i)] = strings.Repeat("x", messages.MaxTextBytes)
		}
		time.Sleep(time.Second)
		require.NoError(t, a.reg.Send(beat))
		synctest.Wait()
		cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"zone": "a"}, cluster.Nodes[0].Identity.Labels)
		require.Equal(t, time.Now(), cluster.Nodes[0].LastHeartbeat)
	})
}

// While the registry has not acknowledged the heartbeats of a session, no more than
// framesInFlight are read.
func TestFramesInFlightAreBounded(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		registry := actorstest.NewProbe(sys)
		stream := newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])
		pid := sys.Spawn("session", actors.ResumeOnFailure(), func() actors.Actor {
			return &session{sys: sys, cfg: testConfig, log: sys.Log(), registry: registry.PID, agentID: "a1", registration: stream}
		})
		beat, err := proto.Marshal(columnar("n1"))
		require.NoError(t, err)
		read, end := 0, make(chan struct{})
		go actors.ReadPump(stream.ctx, sys, pid, stream.id, stream.credits, func() (*heartbeatFrame, error) {
			if read == 1000 {
				<-end
				return nil, errLost
			}
			read++
			frame := &heartbeatFrame{}
			frame.SetBytes(beat)
			return frame, nil
		})
		for want := framesInFlight; want <= 3*framesInFlight; want++ {
			synctest.Wait()
			require.Equal(t, want, read)
			sys.Send(pid, heartbeatAcknowledged{})
		}
		for range 1000 {
			sys.Send(pid, heartbeatAcknowledged{})
			synctest.Wait()
		}
		require.Equal(t, 1000, read)
		require.Len(t, registry.Messages(), 1000)
		close(end)
		synctest.Wait()
		sys.Send(pid, endAcknowledged{})
	})
}

// A flood of heartbeats fills no mailbox, and delays no other session.
func TestFloodOfHeartbeats(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		a := w.connect(baseline("p2"))
		for range 20_000 {
			require.NoError(t, a.reg.Send(a.first))
		}
		require.Equal(t, 1., shown(w.collect(messages.Query{Filter: messages.NodeFilter{PodNames: []string{"p1"}}}))["p1"])
		for _, n := range w.sys.Tree().Actors {
			require.LessOrEqual(t, n.MailboxPeak, int64(4*framesInFlight), n.ID)
			for _, child := range n.Children {
				require.LessOrEqual(t, child.MailboxPeak, int64(4*framesInFlight), child.ID)
			}
		}
		require.Equal(t, messages.StatusOnline, w.statuses()["p2"])
	})
}

// burst sends more heartbeats than the queue has room for answers.
func (a *fakeAgent) burst() {
	for sent := 0; sent < 20_000 && a.reg.Send(a.first) == nil; sent++ {
		synctest.Wait()
	}
}

// beatUntilCutOff sends a heartbeat a second, for an hour at most.
func (a *fakeAgent) beatUntilCutOff() {
	for n := 0; n < 3600 && a.reg.Send(a.first) == nil; n++ {
		time.Sleep(time.Second)
	}
}

// An agent that does not read the answers to its heartbeats is cut off when the
// transport and the queue have been full of them for the heartbeat timeout.
func TestAgentThatDoesNotReadAnswers(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		a := w.connect(columnar("n2"))
		a.burst()
		full := time.Now()
		a.beatUntilCutOff()
		require.InDelta(t, testConfig.Limits.HeartbeatTimeout.Seconds(), time.Since(full).Seconds(), 2)
		require.Equal(t, messages.StatusUnconnected, w.statuses()["n2"])
		cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{NodeIDs: []string{"n2"}})
		require.NoError(t, err)
		require.Equal(t, "the agent does not read the answers to its heartbeats", cluster.Nodes[0].LastError)
	})
}

// Heartbeats that come all at once, because the network has delayed them, do not all get an
// answer. The session lives on, and is answered again when the agent has read.
func TestBurstOfHeartbeats(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.connect(columnar("n1"))
		a.burst()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := a.reg.Recv(); err != nil {
					return
				}
			}
		}()
		for range 10 * int(testConfig.Limits.HeartbeatTimeout/time.Second) {
			require.NoError(t, a.reg.Send(a.first))
			time.Sleep(time.Second)
		}
		require.Equal(t, messages.StatusOnline, w.statuses()["n1"])
		a.cancel()
		<-done
	})
}

// An agent that does not read gets a bounded number of requests, does not delay the others, and
// is asked again when it has answered.
func TestAgentThatDoesNotReadRequests(t *testing.T) {
	cfg := testConfig
	cfg.MaxCollections = 200
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		a := w.connect(baseline("p2"))
		a.beat()
		stuck, err := a.client.StreamMetrics(a.context())
		require.NoError(t, err)
		synctest.Wait()
		start := time.Now()
		var mu sync.Mutex
		reasons := map[any]int{}
		var wg sync.WaitGroup
		for n := range 100 {
			synctest.Wait() // so that p1 has answered
			wg.Go(func() {
				// Each query is another one, and so long that the transport holds one only.
				names := make([]string, 1000)
				for i := range names {
					names[i] = fmt.Sprintf("family_%d_%s_%d", n, strings.Repeat("x", 40), i)
				}
				c, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: start.Add(5 * time.Second),
					Selection: messages.Selection{Names: names}})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				got := shown(c)
				reasons[got["p2"]]++
				if got["p1"] != 1. {
					t.Errorf("p1 gave %v", got["p1"])
				}
			})
		}
		wg.Wait()
		require.Equal(t, map[any]int{messages.MissingTimeout: maxRequestsUnderWay, messages.MissingBusy: 100 - maxRequestsUnderWay}, reasons)
		require.Equal(t, 5*time.Second, time.Since(start))

		for range maxRequestsUnderWay { // it wakes up
			_, err := stuck.Recv()
			require.NoError(t, err)
			require.NoError(t, stuck.Send(gauge(7)))
		}
		synctest.Wait()
		go func() {
			if _, err := stuck.Recv(); err == nil {
				_ = stuck.Send(gauge(8))
			}
		}()
		require.Equal(t, map[string]any{"p1": 1., "p2": 8.}, shown(w.collect(messages.Query{})))
	})
}
