package promstore

import (
	"context"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// knownStore is a store whose collection the test changes, and a function that selects from it.
func knownStore(t *testing.T, c **messages.Collection) (*Store, func(...*labels.Matcher) []string) {
	store := New(Config{Timeout: time.Second, Now: func() time.Time { return benchNow },
		Collect: func(context.Context, messages.Query) (*messages.Collection, func(), error) { return *c, nil, nil }})
	return store, func(matchers ...*labels.Matcher) (found []string) {
		end := benchNow.UnixMilli()
		q, err := store.Queryable(Options{}).Querier(end-1000, end)
		require.NoError(t, err)
		defer q.Close()
		set := q.Select(t.Context(), true, &storage.SelectHints{Start: end - 1000, End: end}, matchers...)
		for set.Next() {
			found = append(found, set.At().Labels().String())
		}
		require.NoError(t, set.Err())
		return found
	}
}

func TestLabelsAreMadeOnce(t *testing.T) {
	c := benchCollection(2, 2, 3, 1, 1)
	store, selected := knownStore(t, &c)
	family := regexpMatcher("__name__", "banyandb_family_0_total")
	first := selected(family)
	require.Len(t, first, 6)
	require.Contains(t, first[0], `group="measure-default"`)
	require.Len(t, store.known.all, 2, "a family of two nodes")
	bytes := store.known.bytes
	require.Equal(t, first, selected(family))
	require.Equal(t, bytes, store.known.bytes)
	require.Equal(t, first[1:2], selected(family, regexpMatcher("seg", "seg-0001"), regexpMatcher("node_id", "node-000.*")))
	require.Equal(t, bytes, store.known.bytes)

	selected(regexpMatcher("__name__", "banyandb_.*"))
	require.Equal(t, bytes, store.known.bytes, "queries for all families leave it as it is")

	own := *c.Nodes[0].Blocks[0].Families[0].Descriptor
	own.Own = true
	alone := &messages.Collection{Nodes: append([]messages.NodeAnswer(nil), c.Nodes[:1]...)}
	b := c.Nodes[0].Blocks[0]
	b.Families = append([]messages.Family(nil), b.Families...)
	b.Families[0].SetDescriptor(&own)
	alone.Nodes[0].Blocks = []messages.Block{b}
	shared := c
	c = alone
	require.Equal(t, first[:3], selected(family))
	require.Equal(t, bytes, store.known.bytes, "what one answer has alone is not kept")

	c = shared
	c = &messages.Collection{Nodes: append([]messages.NodeAnswer(nil), c.Nodes[:1]...)}
	c.Nodes[0].Identity.Role = "liaison"
	other := selected(family)
	require.Len(t, other, 3)
	require.Contains(t, other[0], `node_role="liaison"`, "the node has another identity")
}

func TestKnownLabelsAreBounded(t *testing.T) {
	c := benchCollection(20, 1, 250, 1, 1)
	for i := range c.Nodes {
		c.Nodes[i].Identity.Labels = map[string]string{"zone": strings.Repeat("z", 4000)}
	}
	store, selected := knownStore(t, &c)
	family := regexpMatcher("__name__", "banyandb_family_0_total")
	first := selected(family)
	require.Len(t, first, 5000)
	require.NotEmpty(t, store.known.all)
	require.Less(t, len(store.known.all), 20)
	require.LessOrEqual(t, store.known.bytes, maxKnownBytes)
	require.Equal(t, first, selected(family))

	c = benchCollection(1, 1, 2500, 1, 1)
	c.Nodes[0].Identity.Labels = map[string]string{"zone": strings.Repeat("z", 4000)}
	kept := store.known.bytes
	require.Len(t, selected(family), 2500)
	require.Equal(t, kept, store.known.bytes, "one family would take more than half")
}
