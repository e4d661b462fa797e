package modes

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// changingPage has families of which some have other series, another help or another
// type from one scrape to the next, and some are not always there.
func changingPage(id string, scrape int) []byte {
	var b strings.Builder
	random := rand.New(rand.NewPCG(uint64(len(id)), uint64(scrape/3)))
	for family := range 12 {
		if random.IntN(6) == 0 {
			continue
		}
		kind := []string{"gauge", "counter"}[random.IntN(20)/19]
		fmt.Fprintf(&b, "# HELP f%d Help %d.\n# TYPE f%d %s\n", family, random.IntN(20)/19, family, kind)
		for series := range 1 + random.IntN(3) {
			fmt.Fprintf(&b, "f%d{node=%q,series=\"%d\"} %d\n", family, id, series, scrape*100+series)
		}
	}
	return []byte(b.String())
}

// blocksText returns the blocks as text, without the agents' own metrics: these change from
// one request to the next.
func blocksText(blocks []messages.Block) (all []string) {
	for _, b := range blocks {
		for f := range b.Each() {
			if strings.HasPrefix(f.Name, "fodc_") {
				continue
			}
			for i := range f.Series {
				s := f.At(i)
				all = append(all, fmt.Sprint(b.Times, f.Name, f.Type, f.Help, s.Suffix, s.AllLabels(), s.Values))
			}
		}
	}
	slices.Sort(all)
	return all
}

// Whatever changes on the nodes' pages, and whatever restarts: the proxy shows what the
// agents have recorded.
func TestProxyKnowsWhatAgentsDescribe(t *testing.T) {
	inClusterOf(t, 3, changingPage, func(t *testing.T, w *cluster) {
		for round := range 60 {
			switch round % 20 {
			case 7:
				w.net.cut()
				w.pass(2 * clusterReconnect)
			case 13:
				crash(w.agents[round%3].sys, actorsOf(w.agents[round%3].sys, "uplink")[0].ID)
				w.pass(2 * clusterReconnect)
			case 17:
				w.pass(6 * time.Minute) // Nobody asks.
			}
			c, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience)})
			require.NoError(t, err)
			require.Len(t, c.Nodes, len(w.agents))
			for i, n := range c.Nodes {
				require.Empty(t, n.Missing, "round %d, node %s", round, n.Identity.NodeID)
				want, err := w.agents[i].agent.Latest(t.Context(), messages.Selection{})
				require.NoError(t, err)
				require.Equal(t, blocksText(want), blocksText(n.Blocks), "round %d", round)
				require.NotEmpty(t, blocksText(want))
			}
			w.pass(clusterScrapes)
		}
		require.Zero(t, w.proxy.Counts().FramesRejected["lost"])
	})
}

// What nodes really send is what pages show without looking at each series, and what nodes
// have in common is there once.
func TestFamiliesOfRealPagesAreSettled(t *testing.T) {
	page, err := os.ReadFile("../testdata/banyandb/standalone-04.prom")
	require.NoError(t, err)
	inClusterOf(t, 2, func(string, int) []byte { return page }, func(t *testing.T, w *cluster) {
		w.pass(clusterScrapes)
		c, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience)})
		require.NoError(t, err)
		shapes := map[*messages.Descriptor]int{}
		series := 0
		for _, n := range c.Nodes {
			for _, b := range n.Blocks {
				for f := range b.Each() {
					require.True(t, f.Descriptor.Normalized, "%s", f.Name)
					shapes[f.Descriptor]++
					series += len(f.Series)
				}
			}
		}
		require.Greater(t, series, 100)
		own := 0
		for shape, nodes := range shapes {
			if nodes != len(c.Nodes) {
				own++
				require.True(t, strings.HasPrefix(shape.Name, "fodc_"), "%s is there more than once", shape.Name)
			}
		}
		require.Less(t, own, len(shapes)/4)
	})
}
