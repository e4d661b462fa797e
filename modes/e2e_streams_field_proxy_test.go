//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// askField asks an agent for a list or the like, and returns its answer.
func askField(t *testing.T, s *actorstest.PlainSession, of messages.Stream) []fields {
	t.Helper()
	enough := actorstest.Count(1)
	switch of {
	case messages.StreamProfiles:
		enough = actorstest.Until("listComplete")
	case messages.StreamSchema:
		enough = actorstest.Until("done")
	}
	return collect(t, s, of, actorstest.PlainQuestion(of), enough)
}

func listOfFields(f any) (all []fields) {
	list, _ := f.([]any)
	for _, e := range list {
		all = append(all, e.(fields))
	}
	return all
}

// TestE2EStreamsAtAFieldProxy: an agent answers a proxy of the field on all streams in the forms that such a proxy knows, whatever its
// node answers; what is wrong on one of them disturbs neither the others nor the session.
func TestE2EStreamsAtAFieldProxy(t *testing.T) {
	t.Parallel()
	proxy, d := startFieldProxy(t), startDatabase(t, "data-0")
	agent := d.startAgent(proxy.addr)
	s := proxy.session(t, 0)
	require.Equal(t, "ROLE_DATA", s.Requests()[0]["nodeRole"], "before the first registration")
	require.Equal(t, fields{"type": "hot", "pod_name": "pod-data-0"}, s.Requests()[0]["labels"])

	topology := askField(t, s, messages.StreamTopology)
	nodes, calls := listOfFields(actorstest.Field(topology[0], "topology.nodes")), listOfFields(actorstest.Field(topology[0], "topology.calls"))
	require.Len(t, nodes, 2)
	require.Equal(t, "data-0", actorstest.Field(nodes[0], "metadata.name"))
	require.Equal(t, "other:17912", nodes[1]["grpcAddress"])
	require.Equal(t, []fields{{"id": "data-0-other", "source": "data-0", "target": "other"}}, calls)

	lifecycle := askField(t, s, messages.StreamLifecycle)
	require.Equal(t, "pod-data-0", lifecycle[0]["podName"])
	require.Equal(t, []fields{{"filename": "data-0.json", "reportJson": `{"of":"data-0"}`}}, listOfFields(actorstest.Field(lifecycle[0], "lifecycleData.reports")))
	groups := listOfFields(actorstest.Field(lifecycle[0], "lifecycleData.groups"))
	require.Len(t, groups, 2)
	slices.SortFunc(groups, func(a, b fields) int { return len(a["name"].(string)) - len(b["name"].(string)) })
	require.Equal(t, "shared", groups[0]["name"])
	require.Equal(t, "4294967296", listOfFields(groups[1]["dataInfo"])[0]["dataSizeBytes"])

	schema := askField(t, s, messages.StreamSchema)
	require.NotEmpty(t, actorstest.Field(schema[0], "group.error"))
	require.Nil(t, actorstest.Field(schema[0], "group.group"))

	// What is no question is answered by nothing, or ends its stream, and is no other's trouble.
	for _, of := range s.Streams() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		stream, err := s.Stream(ctx, of)
		require.NoError(t, err)
		require.NoError(t, stream.SendRaw([]byte{0xff, 0xff, 0xff}))
		cancel()
	}
	eventually(t, "the answers after garbage", func() error {
		for _, of := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamSchema} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := s.Collect(ctx, of, actorstest.PlainQuestion(of), actorstest.Count(1))
			cancel()
			if err != nil {
				return fmt.Errorf("%s: %w", of, err)
			}
		}
		return nil
	})

	// The node fails: the answer has no groups, and comes.
	d.Set(actorstest.InspectAll, actorstest.FakeCall{Err: status.Error(codes.Internal, "out of order")})
	eventually(t, "no groups", func() error {
		answer := askField(t, s, messages.StreamLifecycle)
		if n := len(listOfFields(actorstest.Field(answer[0], "lifecycleData.groups"))); n != 0 {
			return fmt.Errorf("%d groups", n)
		}
		return nil
	})
	// It hangs, and nothing else waits for it.
	d.Set(actorstest.InspectAll, actorstest.FakeCall{Delay: -1})
	require.NoError(t, s.Ask(t.Context(), messages.StreamLifecycle, actorstest.PlainQuestion(messages.StreamLifecycle)))
	require.Len(t, listOfFields(actorstest.Field(askField(t, s, messages.StreamTopology)[0], "topology.nodes")), 2)
	metrics := askField(t, s, messages.StreamMetrics)
	require.NotEmpty(t, metrics[0]["metrics"])
	require.NoError(t, s.Ended())
	require.Empty(t, agent.said("lost the session with the proxy"))
}

// TestE2EStreamsThatAFieldProxyRefuses: an agent whose proxy has none of the other streams answers for metrics in one session.
func TestE2EStreamsThatAFieldProxyRefuses(t *testing.T) {
	t.Parallel()
	proxy, d := startFieldProxy(t, otherStreams...), startDatabase(t, "data-0")
	agent := d.startAgent(proxy.addr)
	s := proxy.session(t, 0)
	eventually(t, "the streams", func() error {
		if n := len(proxy.refusals()); n == 0 {
			return fmt.Errorf("none was opened")
		}
		return nil
	})
	require.NotEmpty(t, askField(t, s, messages.StreamMetrics)[0]["metrics"])
	require.Equal(t, []messages.Stream{messages.StreamMetrics}, s.Streams())
	require.NoError(t, s.Ended())
	require.Empty(t, agent.said("lost the session with the proxy"))
	require.LessOrEqual(t, len(proxy.refusals()), len(otherStreams), "each is opened once in a session")
}
