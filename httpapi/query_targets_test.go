package httpapi

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"fodc/httpapi/promapi"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestNodesAreTargets(t *testing.T) {
	p := newFakeProxy()
	p.ExternalURL = &url.URL{Scheme: "https", Host: "h", Path: "/fodc"}
	at := time.Unix(1_700_000_000, 0)
	p.cluster = messages.Cluster{Nodes: []messages.NodeStatus{
		{Identity: messages.Identity{NodeID: "n1", Role: "liaison", PodName: "p1", Labels: map[string]string{"zone": "a"}}, Status: messages.StatusOnline,
			LastHeartbeat: at, Timing: &messages.Timing{RoundTrip: time.Millisecond}},
		{Identity: messages.Identity{NodeID: "n2", Role: "data", PodName: "n2", PodNameIsNodeID: true}, Status: messages.StatusUnconnected, LastError: "gone"},
		{Identity: messages.Identity{NodeID: "n3"}, Status: "of a later version"},
	}}
	got, err := p.QueryTargets(10*time.Second, 30*time.Second)(t.Context())
	require.NoError(t, err)
	want := func(id, health string, labels map[string]string) promapi.Target {
		return promapi.Target{Labels: labels, Pool: "fodc", URL: "https://h/fodc/agents/" + id + "/metrics", Health: health,
			Interval: 10 * time.Second, Timeout: 30 * time.Second}
	}
	one := want("n1", "up", map[string]string{"node_id": "n1", "node_role": "liaison", "pod_name": "p1", "node_zone": "a"})
	one.LastScrape, one.LastScrapeDuration = at, time.Millisecond
	two := want("n2", "down", map[string]string{"node_id": "n2", "node_role": "data", "pod_name": "n2"})
	two.LastError = "gone"
	require.Equal(t, []promapi.Target{one, two, want("n3", "unknown", map[string]string{"node_id": "n3"})}, got)

	p.ExternalURL = nil
	got, err = p.QueryTargets(0, 0)(t.Context())
	require.NoError(t, err)
	require.Equal(t, "/agents/n1/metrics", got[0].URL)
	p.clusterErr = errors.New("no registry")
	_, err = p.QueryTargets(0, 0)(t.Context())
	require.ErrorIs(t, err, p.clusterErr)
}

func TestTargetsOfAnAgent(t *testing.T) {
	_, a := newFakeAgent()
	a.Identity = func() messages.Identity { return messages.Identity{NodeID: "n1", Role: "liaison", PodName: "p1"} }
	at := time.Unix(1_700_000_000, 0)
	health := messages.AgentHealth{Targets: []messages.TargetHealth{
		{Endpoint: "http://a/metrics", ContainerName: "db", Up: true, LastScrape: at, DurationSeconds: 0.25, Error: "line 3: no value"},
		{Endpoint: "http://b/metrics", LastScrape: at, Error: "connection refused"},
		{Endpoint: "http://c/metrics"},
	}}
	var failure error
	a.Health = func(context.Context) (messages.AgentHealth, error) { return health, failure }
	got, err := a.QueryTargets(10 * time.Second)(t.Context())
	require.NoError(t, err)
	target := func(url, health, failure string) promapi.Target {
		return promapi.Target{Labels: map[string]string{"node_id": "n1", "node_role": "liaison", "pod_name": "p1"}, Pool: "fodc", URL: url, Health: health,
			LastError: failure, LastScrape: at, Interval: 10 * time.Second, Timeout: 10 * time.Second}
	}
	one, three := target("http://a/metrics", "up", "line 3: no value"), target("http://c/metrics", "unknown", "")
	one.Labels["container_name"], one.LastScrapeDuration, three.LastScrape = "db", 250*time.Millisecond, time.Time{}
	require.Equal(t, []promapi.Target{one, target("http://b/metrics", "down", "connection refused"), three}, got)
	failure = errors.New("no recorder")
	_, err = a.QueryTargets(0)(t.Context())
	require.ErrorIs(t, err, failure)
}
