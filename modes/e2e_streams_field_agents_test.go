//go:build e2e && linux

package modes_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// TestE2EStreamsOfFieldAgents: a proxy shows what agents of the field say on all streams, and sends their profiles as they are.
// Those that serve no stream are no fault.
func TestE2EStreamsOfFieldAgents(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	addr := proxy.addr("http")
	for _, pod := range []string{"data-0", "data-1"} {
		startFieldAgent(t, proxy.addr("grpc"), pod).serve(append(otherStreams, messages.StreamMetrics)...)
	}
	startFieldAgent(t, proxy.addr("grpc"), "metrics-only").serve(messages.StreamMetrics)
	awaitWell(t, proxy, "data-0", "data-1")

	var topology topologyAnswer
	mustAsk(t, addr, "/cluster/topology", &topology)
	require.Len(t, topology.Nodes, 3)
	for i, name := range []string{"data-0", "data-1", "liaison-x"} {
		require.Equal(t, name, topology.Nodes[i].Metadata.Name)
	}
	require.Equal(t, "online", topology.Nodes[0].Status)
	require.WithinDuration(t, time.Now(), topology.Nodes[0].LastHeartbeat, patience)
	require.Equal(t, []string{"ROLE_LIAISON"}, topology.Nodes[2].Roles)
	require.Empty(t, topology.Nodes[2].Status, "it has no agent here")
	var lifecycle lifecycleAnswer
	mustAsk(t, addr, "/cluster/lifecycle", &lifecycle)
	require.Equal(t, "[3 2 2 0]", fmt.Sprint([]int{lifecycle.Summary.Total, lifecycle.Summary.Requested, lifecycle.Summary.Responded, lifecycle.Summary.NotResponded}))
	require.Len(t, lifecycle.Groups, 3, "the shared one is merged")
	require.Len(t, lifecycle.Groups[0].Data, 2)

	for _, pod := range []string{"data-0", "data-1"} {
		for _, kind := range []string{"heap", "goroutine"} {
			status, body, header, err := get(addr, "/pressure-profiles/"+pod+"/"+crashedAtID+"/"+kind)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status, "%.300s", body)
			require.True(t, bytes.Equal(profileOf(pod, kind, wellProfileContent), []byte(body)), "the bytes of %s of %s: %d", kind, pod, len(body))
			require.Contains(t, header.Get("Content-Disposition"), pod+"-ROLE_DATA-"+crashedAtID+"-"+kind+".pprof")
		}
	}
	for path, want := range map[string]int{"data-0/" + crashedAtID + "/cpu": 400, "data-0/20260101T000000.000000000Z/heap": 404, "nobody/" + crashedAtID + "/heap": 404,
		"metrics-only/" + crashedAtID + "/heap": 404} {
		status, body, _, err := get(addr, "/pressure-profiles/"+path)
		require.NoError(t, err)
		require.Equal(t, want, status, "%s: %s", path, body)
	}
	eventually(t, "what the proxy says of the schema", func() error {
		if self := page(t, addr, "/metrics/self"); !strings.Contains(self, "fodc_proxy_crash_records 4\n") {
			return fmt.Errorf("%v", linesWith(self, "fodc_proxy_crash"))
		}
		return nil
	})
	requireUndisturbed(t, proxy, 3)
}

func linesWith(page, text string) (lines []string) {
	for line := range strings.Lines(page) {
		if strings.Contains(line, text) && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// requireUndisturbed checks that all agents are online, each in its first session, that their metrics come, and that nothing of the
// proxy has failed.
func requireUndisturbed(t *testing.T, proxy *process, agents int) {
	t.Helper()
	for id, status := range statuses(t, proxy) {
		require.Equal(t, "online", status, id)
	}
	require.Len(t, proxy.said("agent registered"), agents)
	require.Equal(t, agents, actorsOf(t, proxy, "http", "session"))
	a := mustAsk(t, proxy.addr("http"), "/metrics", nil)
	require.Empty(t, a.missing)
	require.Len(t, linesWith(a.body, "fodc_agent_up{"), agents)
	for _, line := range linesWith(a.body, "fodc_agent_up{") {
		require.True(t, strings.HasSuffix(line, " 1"), line)
	}
	self := page(t, proxy.addr("http"), "/metrics/self")
	require.Contains(t, self, "fodc_proxy_http_panics_total 0\n")
	promtoolCheck(t, self)
}

// fieldFaults are what agents of the field do wrong, by name. Each gets a stream, and does it there with each question until well
// is closed. Then it answers well.
var fieldFaults = map[string]func(a *fieldAgent, s messages.Stream, well chan struct{}){
	// late answers well, after everybody has gone.
	"late": onQuestion(func(a *fieldAgent, s messages.Stream, stream *actorstest.PlainStream, q fields) {
		time.Sleep(streamsTimeout + time.Second)
		_ = stream.Send(wellAnswer(s, a.pod, q)...)
	}),
	// broken ends the stream in the middle of its answer.
	"broken": onOpenAgain(func(a *fieldAgent, s messages.Stream, stream *actorstest.PlainStream, q fields) {
		if answer := wellAnswer(s, a.pod, q); len(answer) > 1 {
			_ = stream.Send(answer[0])
		}
		stream.Reset()
	}),
	// garbage sends bytes that are no message.
	"garbage": onOpenAgain(func(_ *fieldAgent, _ messages.Stream, stream *actorstest.PlainStream, _ fields) {
		_ = stream.SendRaw([]byte{0xff, 0xff, 0xff, 0xff, 0x01, 0x02})
	}),
	// endless sends records for ever; where there is one message, it sends nothing.
	"endless": onQuestion(func(a *fieldAgent, s messages.Stream, stream *actorstest.PlainStream, q fields) {
		for i, end := 0, time.Now().Add(streamsTimeout+time.Second); time.Now().Before(end); i++ {
			switch answer := wellAnswer(s, a.pod, q); s {
			case messages.StreamProfiles, messages.StreamSchema:
				_ = stream.Send(answer[0])
			case messages.StreamCrashes:
				_ = stream.Send(crashFields(a.pod, fmt.Sprint("endless-", i), time.Now().UTC().Format(time.RFC3339)))
			}
			time.Sleep(50 * time.Millisecond)
		}
	}),
	// mute takes the question, and says nothing.
	"mute": onQuestion(func(*fieldAgent, messages.Stream, *actorstest.PlainStream, fields) {}),
}

// streamsTimeout is the collection timeout of the proxies in these tests.
const streamsTimeout = 2 * time.Second

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// onQuestion returns a fault that happens with each question.
func onQuestion(do func(a *fieldAgent, s messages.Stream, stream *actorstest.PlainStream, q fields)) func(*fieldAgent, messages.Stream, chan struct{}) {
	return func(a *fieldAgent, s messages.Stream, well chan struct{}) {
		a.answer(s, func(stream *actorstest.PlainStream, q fields) {
			if isClosed(well) {
				_ = stream.Send(wellAnswer(s, a.pod, q)...)
				return
			}
			do(a, s, stream, q)
		})
	}
}

// onOpenAgain is onQuestion for faults that end the stream: the agent opens another one.
func onOpenAgain(do func(a *fieldAgent, s messages.Stream, stream *actorstest.PlainStream, q fields)) func(*fieldAgent, messages.Stream, chan struct{}) {
	return func(a *fieldAgent, s messages.Stream, well chan struct{}) {
		go func() {
			for !isClosed(a.Done()) {
				stream, err := a.Open(s)
				for err == nil {
					var q fields
					if q, err = stream.Receive(); err != nil {
						break
					} else if isClosed(well) {
						_ = stream.Send(wellAnswer(s, a.pod, q)...)
					} else {
						do(a, s, stream, q)
					}
				}
			}
		}()
	}
}

// TestE2EStreamsOfFieldAgentsInTrouble: whatever some agents do wrong on all streams at once, the answers of the others are there in
// time and right, those that are missing are named, and metrics and sessions go on.
func TestE2EStreamsOfFieldAgentsInTrouble(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, "--collect-timeout", streamsTimeout.String())
	addr, well := proxy.addr("http"), make(chan struct{})
	names := []string{"unserved", "well-0", "well-1"}
	agents := map[string]*fieldAgent{}
	for fault := range fieldFaults {
		names = append(names, fault)
	}
	for _, name := range names {
		a := startFieldAgent(t, proxy.addr("grpc"), name).serve(messages.StreamMetrics)
		agents[name] = a
		if strings.HasPrefix(name, "well") {
			a.serve(otherStreams...)
		} else if fault := fieldFaults[name]; fault != nil {
			for _, s := range otherStreams {
				fault(a, s, well)
			}
		}
	}
	check := func(round string) {
		var mu sync.Mutex
		eachAtOnce(func(s messages.Stream) {
			seen, a, err := seenOf(addr, s)
			mu.Lock()
			defer mu.Unlock()
			if !(err == nil && a.status == http.StatusOK) {
				t.Errorf("%s, %s: %v, status %d: %.300s", round, s, err, a.status, a.body)
				return
			}
			t.Logf("%s, %s: after %s, missing: %v", round, s, a.took, a.missing)
			for _, pod := range []string{"well-0", "well-1"} {
				if !slices.Equal(wellSeen(s, pod), seen[pod]) {
					t.Errorf("%s, %s: %s says %q", round, s, pod, seen[pod])
				}
				if a.missing[pod] != "" {
					t.Errorf("%s, %s: %s is missing: %s", round, s, pod, a.missing[pod])
				}
			}
			for fault := range fieldFaults {
				// An agent of the field cannot say that it has no crash records: that nothing comes is an answer, if no agent owes one.
				if a.missing[fault] == "" && !(s == messages.StreamCrashes && (fault == "mute" || fault == "late")) {
					t.Errorf("%s, %s: %s is not said to be missing", round, s, fault)
				}
				if s != messages.StreamCrashes && len(seen[fault]) > 0 {
					t.Errorf("%s, %s: half an answer of %s is shown: %v", round, s, fault, seen[fault])
				}
			}
			if a.missing["unserved"] != "" {
				t.Errorf("%s, %s: unserved=%s", round, s, a.missing["unserved"])
			}
			if a.took > streamsTimeout+slack {
				t.Errorf("%s, %s: after %s", round, s, a.took)
			}
		})
	}
	check("first")
	check("again")
	requireUndisturbed(t, proxy, len(names))
	close(well)
	within(t, 45*time.Second, "all are well again", func() error {
		for s := range streamPaths {
			seen, a, err := seenOf(addr, s)
			if err != nil || len(a.missing) > 0 {
				return fmt.Errorf("%s: %v, missing: %v", s, err, a.missing)
			}
			for fault := range fieldFaults {
				if want := wellSeen(s, fault); !(slices.Equal(want, seen[fault]) || s == messages.StreamCrashes && fault == "endless") {
					return fmt.Errorf("%s: %s says %q, want %q", s, fault, seen[fault], want)
				}
			}
		}
		return nil
	})
	requireUndisturbed(t, proxy, len(names))
	_ = agents
}
