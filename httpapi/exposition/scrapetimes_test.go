package exposition

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// withScrapeTimes is the collection with the times of scrapes between all blocks.
func withScrapeTimes(c *messages.Collection) *messages.Collection {
	times := messages.Block{Target: "agent", Times: []int64{1, 2, 3}}
	timed := &messages.Collection{}
	for _, n := range c.Nodes {
		blocks := []messages.Block{times}
		for _, b := range n.Blocks {
			b.Target = "agent"
			blocks = append(blocks, b, times, times)
		}
		n.Blocks = blocks
		timed.Nodes = append(timed.Nodes, n)
	}
	return timed
}

// A page does not show the times of scrapes.
func TestPagesOfScrapeTimes(t *testing.T) {
	b := block(1, family("x", messages.TypeGauge, "", one(`a="1"`, 1), one(`a="2"`, 2)), family("y", messages.TypeGauge, "", one("", 3)))
	shareBlock(&b)
	shared := collection(answer("n1", b), answer("n2", b), answer("n3", b))
	for _, c := range []*messages.Collection{cluster(), window(), utf8Names(), shared, collection(answer("n1"))} {
		f := func(write func(w io.Writer, c *messages.Collection) (Conflicts, error)) {
			t.Helper()
			var want, got bytes.Buffer
			wantConflicts, err := write(&want, c)
			require.NoError(t, err)
			conflicts, err := write(&got, withScrapeTimes(c))
			require.NoError(t, err)
			require.Equal(t, want.String(), got.String())
			require.Equal(t, wantConflicts, conflicts)
		}
		for _, o := range []Options{{}, {Timestamps: true}, {EscapedNames: true}} {
			f(func(w io.Writer, c *messages.Collection) (Conflicts, error) { return WriteText(w, c, o) })
			f(func(w io.Writer, c *messages.Collection) (Conflicts, error) { return WriteOpenMetrics(w, c, o) })
			f(func(w io.Writer, c *messages.Collection) (Conflicts, error) {
				return Conflicts{}, WriteNodeText(w, c.Nodes[len(c.Nodes)-1].Blocks, o)
			})
		}
		f(WriteJSON)
		require.Equal(t, PageBytes(c), PageBytes(withScrapeTimes(c)))
	}
}
