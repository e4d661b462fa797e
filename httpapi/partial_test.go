package httpapi

import (
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// partialNodes is threeNodes, of which the one that has answered has less than what was asked for.
func partialNodes() *messages.Collection {
	c := threeNodes()
	c.Nodes[0].Partial = messages.PartialJournal
	return c
}

func TestPartialAnswersAreShownAndNamed(t *testing.T) {
	p := newFakeProxy()
	p.collection = partialNodes()
	f := func(target, content, sample string) {
		t.Helper()
		w := p.get(target)
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Header().Get("Content-Type"), content)
		require.Equal(t, "n1=journal", w.Header().Get("X-Fodc-Partial"))
		require.Equal(t, "n2=timeout,n3=unconnected", w.Header().Get("X-Fodc-Missing"))
		require.Contains(t, w.Body.String(), sample)
	}
	const reason = "fodc_agent_partial_reason{reason=\"journal\",node_id=\"n1\",node_role=\"liaison\",pod_name=\"p1\"} 1\n"
	f("/metrics", "text/plain", reason)
	f("/metrics-windows", "text/plain", reason)
	f("/metrics-windows?format=openmetrics", "application/openmetrics-text", "2.5")
	f("/metrics-windows?format=json", "application/json", "2.5")

	p.collection = threeNodes()
	w := p.get("/metrics-windows")
	require.NotContains(t, w.Header(), "X-Fodc-Partial")
	require.NotContains(t, w.Body.String(), "partial")
}

func TestPartialAnswersAreAnErrorForStrictRequests(t *testing.T) {
	p := newFakeProxy()
	f := func(c *messages.Collection, target, text string) {
		t.Helper()
		p.collection = c
		w := p.get(target)
		requireError(t, w, 503, messages.ErrUnavailable, text)
		require.Equal(t, "n1=journal", w.Header().Get("X-Fodc-Partial"))
		require.Equal(t, "1", w.Header().Get("Retry-After"))
	}
	one := &messages.Collection{Nodes: partialNodes().Nodes[:1]}
	f(one, "/metrics-windows?strict=1", "1 of 1 nodes are partial: n1=journal")
	f(one, "/metrics-windows?strict=1&format=json", "1 of 1 nodes are partial: n1=journal")
	f(one, "/metrics?strict=1", "1 of 1 nodes are partial: n1=journal")
	f(one, "/agents/n1/metrics?strict=1", "1 of 1 nodes are partial: n1=journal")
	f(partialNodes(), "/metrics-windows?strict=1",
		"2 of 3 nodes are missing: n2=timeout,n3=unconnected; 1 of 3 nodes are partial: n1=journal")
	require.Equal(t, 200, p.get("/metrics-windows?strict=0").Code)
}

func TestACollectionWithAPartialAnswerCountsAsPartial(t *testing.T) {
	p := newFakeProxy()
	p.collection = &messages.Collection{Nodes: partialNodes().Nodes[:1]}
	p.get("/metrics-windows")
	p.get("/metrics-windows?strict=1")
	p.collection = &messages.Collection{Nodes: threeNodes().Nodes[:1]}
	p.get("/metrics-windows")
	page := p.get("/metrics/self").Body.String()
	require.Contains(t, page, "fodc_proxy_collections_total{result=\"partial\"} 2\n")
	require.Contains(t, page, "fodc_proxy_collections_total{result=\"whole\"} 1\n")
	require.Contains(t, page, "fodc_proxy_agents_missing_total{reason=\"error\"} 0\n", "nobody is missing")
}
