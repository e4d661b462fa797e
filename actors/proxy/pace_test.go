package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// aWindow is a selection of a window.
var aWindow = messages.Selection{Window: messages.Window{Start: time.Unix(1, 0)}}

// However many nodes are silent, the nodes after them are asked and have time to answer. A
// collection of windows asks few nodes at a time until the pace requires more.
func TestSilentNodesDelayNoCollection(t *testing.T) {
	f := func(silent, maxConcurrent int, within time.Duration, s messages.Selection) {
		t.Helper()
		inWorld(t, testConfig, func(t *testing.T, w *world) {
			var agents []*fakeAgent
			want := map[string]any{}
			for i := range silent {
				name := fmt.Sprintf("a%03d", i)
				agents, want[name] = append(agents, w.agent(baseline(name), never)), messages.MissingTimeout
			}
			w.agent(baseline("z"), always(1))
			want["z"] = 1.
			start := time.Now()
			done := make(chan *messages.Collection, 1)
			go func() { done <- w.collect(messages.Query{Selection: s, Deadline: start.Add(within)}) }()
			synctest.Wait()
			for i, a := range agents {
				require.Equal(t, i < maxConcurrent, len(a.requests()) == 1, "agent %d", i)
			}
			c := <-done
			require.Equal(t, within, time.Since(start))
			require.Equal(t, want, shown(c))
			synctest.Wait()
			for i, a := range agents {
				require.Len(t, a.requests(), 1, "agent %d", i)
				require.GreaterOrEqual(t, c.Nodes[i].Took, within/2, "it was asked in the first half")
			}
		})
	}
	f(3*maxConcurrentWindows, maxConcurrentWindows, 5*time.Second, aWindow)
	f(maxConcurrentLatest+10, maxConcurrentLatest, 5*time.Second, messages.Selection{})
	f(3*maxConcurrentWindows, maxConcurrentWindows, 10*time.Millisecond, aWindow)
}
