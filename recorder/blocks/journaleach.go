package blocks

import (
	"context"

	"fodc/recorder/journal"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// EachOfJournal calls f with each series of a node's segments and its samples, at most the newest of them, until it returns an
// error: what Reader.Each has of the blocks that FromJournal makes of them. It makes none, for which the library takes tens of
// megabytes.
//
// It keeps the decoded values of passCells in memory.
func EachOfJournal(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions, most int, f func(l labels.Labels, times []int64, values []float64) error) (JournalCounts, error) {
	return eachOfJournal(ctx, v, files, o, most, passCells, f)
}

func eachOfJournal(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions, most, cells int, f func(l labels.Labels, times []int64, values []float64) error) (JournalCounts, error) {
	c, from, to := newConversion(ctx, v, files, o)
	c.passCells = cells
	if from > to {
		return c.counted(), nil
	}
	newest := newestSamples{most: most}
	c.take = func(l labels.Labels, it chunkenc.Iterator, from int64) error {
		newest.reset()
		for t := it.Seek(from); t != chunkenc.ValNone; t = it.Next() {
			at, v := it.At()
			isMarker := value.IsStaleNaN(v)
			if isMarker && c.unnamed {
				continue
			}
			newest.add(at, v)
			if !isMarker {
				c.count(at)
			}
		}
		if err := it.Err(); err != nil || len(newest.times) == 0 {
			return err
		}
		c.counts.Series++
		return f(newest.series(l))
	}
	passes, err := c.passes(from, to)
	if err != nil {
		return c.counts, err
	}
	for _, names := range passes {
		if err := c.addPass(names, from, to); err != nil {
			return c.counts, err
		}
	}
	return c.counted(), nil
}
