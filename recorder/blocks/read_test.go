package blocks

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

// point is a sample as a database has it. A time may be there twice: in blocks that overlap.
type point struct {
	series string
	at     int64
	bits   uint64
}

// readBlocks returns the samples of all blocks in the folder, and the metadata of the blocks.
func readBlocks(t require.TestingT, dir string) (points map[point]int, metas []tsdb.BlockMeta) {
	points = map[point]int{}
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return points, nil
	}
	require.NoError(t, err)
	for _, e := range entries {
		b, err := tsdb.OpenBlock(nil, filepath.Join(dir, e.Name()), nil, nil)
		require.NoError(t, err)
		readBlock(t, b, points)
		metas = append(metas, b.Meta())
		require.NoError(t, b.Close())
	}
	return points, metas
}

func readBlock(t require.TestingT, b *tsdb.Block, points map[point]int) {
	q, err := tsdb.NewBlockQuerier(b, math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	all := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, ".+"))
	for all.Next() {
		s := all.At()
		it := s.Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			points[point{s.Labels().String(), at, math.Float64bits(v)}]++
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, all.Err())
	require.NoError(t, q.Close())
}

// flushed writes with f, and returns what the blocks have.
func flushed(t *testing.T, o Options, f func(*Writer)) (map[point]int, []tsdb.BlockMeta, Counts) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blocks")
	w := NewWriter(dir, o)
	f(w)
	require.NoError(t, w.Flush(context.Background()))
	points, metas := readBlocks(t, dir)
	return points, metas, w.Counts()
}
