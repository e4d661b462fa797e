//go:build e2e && linux

package modes_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// changing are the fields of a topology that may change between two requests.
var changing = regexp.MustCompile(`"(status|last_heartbeat)":"[^"]*",?`)

// TestE2ETopologyOfAThousandNodes: the answers of a hundred agents are one topology, sorted and merged, the same each time; those of a
// thousand come within the time of a collection.
func TestE2ETopologyOfAThousandNodes(t *testing.T) {
	proxy := startProxy(t, "--max-agents", "2000")
	addr := proxy.addr("http")
	name := func(i int) string { return fmt.Sprintf("node-%04d", i) }
	add := func(from, to int) {
		for i := from; i < to; i++ {
			a := startFieldAgent(t, proxy.addr("grpc"), name(i))
			_, err := a.Serve(messages.StreamTopology, func(fields) []fields {
				nodes, calls := []any{databaseNode(a.pod, 2)}, []any{}
				for k := 1; k <= 3; k++ {
					other := name((i + k) % to)
					nodes = append(nodes, databaseNode(other, 2))
					calls = append(calls, fields{"id": a.pod + "-" + other, "source": a.pod, "target": other})
				}
				slices.Reverse(nodes)
				return []fields{{"topology": fields{"nodes": nodes, "calls": calls}}}
			})
			require.NoError(t, err)
		}
	}
	check := func(n int) {
		var texts []string
		for range 3 {
			var v topologyAnswer
			var a asked
			eventually(t, "the topology", func() (err error) {
				v = topologyAnswer{}
				if a, err = askProxy(addr, "/cluster/topology", &v); err == nil && (len(a.missing) > 0 || len(v.Nodes) != n) {
					err = fmt.Errorf("%d nodes, %d are missing", len(v.Nodes), len(a.missing))
				}
				return err
			})
			t.Logf("%d nodes, %d calls, %d KiB in %s", len(v.Nodes), len(v.Calls), len(a.body)>>10, a.took)
			require.Len(t, v.Calls, 3*n)
			for i := range v.Nodes {
				require.Equal(t, name(i), v.Nodes[i].Metadata.Name)
				require.Equal(t, "online", v.Nodes[i].Status)
			}
			require.Less(t, a.took, 10*time.Second, "the time of a collection")
			texts = append(texts, strings.ReplaceAll(changing.ReplaceAllString(a.body, ""), ",}", "}"))
		}
		require.Equal(t, texts[0], texts[1])
		require.Equal(t, texts[1], texts[2])
	}
	add(0, 100)
	check(100)
	// The others' calls of the first hundred are among themselves.
	add(100, 1000)
	check(1000)
}
