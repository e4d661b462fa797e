package blockstest

import (
	"context"
	"math"
	"os"
	"path/filepath"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

// Point is a sample as a database has it.
type Point struct {
	// Series is the text of its labels.
	Series string
	// At is in unix milliseconds.
	At   int64
	Bits uint64
}

// Read returns how often each sample is in the blocks of a directory, and the metadata of the
// blocks. Blocks that overlap may have a sample twice. A directory that does not exist has none. Of
// what else a database has, the write-ahead log may be there.
func Read(t require.TestingT, dir string) (points map[Point]int, metas []tsdb.BlockMeta) {
	points = map[Point]int{}
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return points, nil
	}
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() == "wal" {
			continue
		}
		b, err := tsdb.OpenBlock(nil, filepath.Join(dir, e.Name()), nil, nil)
		require.NoError(t, err)
		readBlock(t, b, points)
		metas = append(metas, b.Meta())
		require.NoError(t, b.Close())
	}
	return points, metas
}

func readBlock(t require.TestingT, b *tsdb.Block, points map[Point]int) {
	q, err := tsdb.NewBlockQuerier(b, math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	all := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	for all.Next() {
		s := all.At()
		it := s.Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			points[Point{s.Labels().String(), at, math.Float64bits(v)}]++
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, all.Err())
	require.NoError(t, q.Close())
}
