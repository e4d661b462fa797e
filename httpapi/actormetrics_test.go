package httpapi

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func someCounts() messages.ActorCounts {
	return messages.ActorCounts{DeadLetters: 5, LateReplies: 6, Kinds: []messages.KindCounts{
		{Kind: "registry", Alive: 1, Mailbox: 2, Restarts: 3, Failures: 4},
		{Kind: "session", Alive: 7},
	}}
}

func TestActorMetrics(t *testing.T) {
	p := newFakeProxy()
	p.counts = someCounts()
	values := func(page string) string {
		var lines []string
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "fodc_actor") || strings.HasPrefix(line, "fodc_dead") || strings.HasPrefix(line, "fodc_late") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	const want = `fodc_actor_failures_total{kind="registry"} 4
fodc_actor_failures_total{kind="session"} 0
fodc_actor_mailbox_messages{kind="registry"} 2
fodc_actor_mailbox_messages{kind="session"} 0
fodc_actor_restarts_total{kind="registry"} 3
fodc_actor_restarts_total{kind="session"} 0
fodc_actors{kind="registry"} 1
fodc_actors{kind="session"} 7
fodc_dead_letters_total 5
fodc_late_replies_total 6
`
	w := p.get("/metrics/self")
	requirePage(t, w)
	requireLint(t, w.Body.Bytes())
	require.Equal(t, want, values(w.Body.String()))
	require.Equal(t, want, values(p.get("/metrics").Body.String()))
	require.Empty(t, values(p.get("/metrics?node_id=n1").Body.String()), "what was selected, and no more")

	p.counts.Kinds[1].Alive, p.counts.DeadLetters = 2, 8
	got := values(p.get("/metrics/self").Body.String())
	require.Contains(t, got, "fodc_actors{kind=\"session\"} 2\n")
	require.Contains(t, got, "fodc_dead_letters_total 8\n")
}

// Families of an agent that have these names are not on the proxy's page.
func TestActorMetricsAreTheProxysOwn(t *testing.T) {
	p := newFakeProxy()
	p.counts, p.collection = someCounts(), threeNodes()
	family := &p.collection.Nodes[0].Blocks[0].Families[0]
	for _, name := range []string{familyActors, familyActorMailbox, familyActorRestarts, familyActorFailures, familyDeadLetters, familyLateReplies} {
		family.Name = name
		w := p.get("/metrics")
		requirePage(t, w)
		requireLint(t, w.Body.Bytes())
		require.NotContains(t, w.Body.String(), name+`{path="/a"`)
	}
	family.Name = "fodc_agent_actor_restarts_total"
	require.Contains(t, p.get("/metrics").Body.String(), `fodc_agent_actor_restarts_total{path="/a",node_id="n1"`)
}

// requireLint checks the page with promtool, if it is installed.
func requireLint(t *testing.T, page []byte) {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed")
		return
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(page)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
}
