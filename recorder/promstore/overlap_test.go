package promstore

import (
	"context"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

// overlapping selects a series of a node with blocks of two samples each: block i has them at
// i*step and i*step+length, in milliseconds.
func overlapping(t *testing.T, blocks int, step, length int64) (set storage.SeriesSet, end int64) {
	t.Helper()
	a := messages.NodeAnswer{Identity: messages.Identity{NodeID: "n"}}
	for i := range int64(blocks) {
		a.Blocks = append(a.Blocks, messages.Block{Target: "t", Times: []int64{t0 + i*step, t0 + i*step + length}, Families: []messages.Family{
			{Name: "x", Type: messages.TypeGauge, Series: []messages.Series{{Values: []float64{float64(i), float64(i)}}}},
		}})
	}
	store := New(Config{Timeout: time.Minute, Now: time.Now, Collect: func(context.Context, messages.Query) (*messages.Collection, func(), error) {
		return &messages.Collection{Nodes: []messages.NodeAnswer{a}}, nil, nil
	}})
	end = t0 + int64(blocks)*step + length
	q, err := store.Queryable(Options{}).Querier(t0, end)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	return q.Select(t.Context(), false, nil, matcher("__name__", "x")), end
}

// An agent can send any blocks. However many of them overlap each other in a row, a sample costs no
// more than those that overlap at its time: else this takes minutes.
func TestBlocksThatOverlapInARow(t *testing.T) {
	const blocks = 200_000
	set, end := overlapping(t, blocks, 2, 3)
	require.True(t, set.Next())
	it, samples, last := set.At().Iterator(nil), 0, int64(0)
	for ; it.Next() != chunkenc.ValNone; samples++ {
		require.Greater(t, it.AtT(), last)
		last = it.AtT()
	}
	require.Equal(t, 2*blocks, samples)
	it = set.At().Iterator(it)
	for at := t0; at < end; at += 1001 {
		require.Equal(t, chunkenc.ValFloat, it.Seek(at))
		require.Less(t, it.AtT()-at, int64(4))
	}
	require.False(t, set.Next())
	require.Empty(t, set.Warnings())
}

// A series of which too many blocks are of the same time is left out.
func TestBlocksOfTheSameTime(t *testing.T) {
	set, _ := overlapping(t, maxOverlap, 1, 1_000_000)
	require.True(t, set.Next())
	it, samples := set.At().Iterator(nil), 0
	for ; it.Next() != chunkenc.ValNone; samples++ {
	}
	require.Equal(t, 2*maxOverlap, samples)

	set, _ = overlapping(t, maxOverlap+1, 1, 1_000_000)
	require.False(t, set.Next())
	require.NoError(t, set.Err())
	warnings, _ := set.Warnings().AsStrings("", 0, 0)
	require.Equal(t, []string{"1 series were left out, since their names, labels, values or times are invalid"}, warnings)
}
