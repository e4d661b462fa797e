package modes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// configs returns each node's status and runtime configuration, as lines.
func (w *cluster) configs(f messages.NodeFilter) string {
	w.t.Helper()
	configs, err := w.proxy.Configs(w.t.Context(), f)
	require.NoError(w.t, err)
	var lines []string
	for _, n := range configs {
		line := fmt.Sprintf("%s %s:", n.Identity.NodeID, n.Status)
		if n.Config == nil {
			line += " none"
		} else {
			for _, p := range n.Config.RuntimeConfig {
				line += " " + p.Key + "=" + p.Value
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// A node's configuration is known from its registration on, a change within one
// heartbeat, and what it was last as long as the node is.
func TestClusterConfig(t *testing.T) {
	const heartbeat = 10 * time.Second
	inCluster(t, 3, func(t *testing.T, w *cluster) {
		require.Equal(t, "n0 online: id=\"n0\"\nn1 online: id=\"n1\"\nn2 online: id=\"n2\"", w.configs(messages.NodeFilter{}))
		require.Equal(t, "n1 online: id=\"n1\"", w.configs(messages.NodeFilter{NodeIDs: []string{"n1"}}))
		require.Empty(t, w.configs(messages.NodeFilter{Roles: []string{"x"}}))

		// The moment of the change within the interval makes no difference.
		for i := range 10 {
			w.agents[1].configure(fmt.Sprintf("id: n1\nround: %d\ntoken: hunter2", i))
			w.pass(heartbeat + time.Second)
			require.Contains(t, w.configs(messages.NodeFilter{}), fmt.Sprintf("n1 online: id=\"n1\" round=%d token=\"***\"\n", i))
		}

		w.agents[1].configure("id: n1\nlast: 1")
		w.pass(heartbeat)
		w.net.refuse.Store(true)
		require.Equal(t, 3, w.net.cut())
		w.agents[1].configure("id: n1\nlast: 2") // while nobody hears it
		w.pass(time.Minute)
		require.Equal(t, "n0 unconnected: id=\"n0\"\nn1 unconnected: id=\"n1\" last=1\nn2 unconnected: id=\"n2\"", w.configs(messages.NodeFilter{}))
		w.net.refuse.Store(false)
		w.pass(clusterReconnect + time.Second)
		require.Equal(t, "n0 online: id=\"n0\"\nn1 online: id=\"n1\" last=2\nn2 online: id=\"n2\"", w.configs(messages.NodeFilter{}))
	})
}
