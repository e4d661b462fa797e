package blocks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// maxUncommitted bounds the samples that the library keeps twice until they are committed. It is
// what promtool has.
const maxUncommitted = 5000

// noLog discards what the library says.
var noLog = slog.New(slog.DiscardHandler)

// layer is a block under way. The samples of each series must come oldest first.
type layer struct {
	dir, chunkDir string
	head          *tsdb.Head
	appender      storage.Appender
	uncommitted   int
}

const (
	// headRange is the range of the library's head. It takes no sample that is older than half of that
	// before the newest one: with twice the range it takes all of a block's samples in any order of series.
	headRange = 2 * rangeMillis
	// headStripes is how many maps the head has for its series.
	headStripes = 256
	// headPattern names the folder of the chunks that are full, while the block is under way.
	headPattern = "chunks.tmp-*"
)

// newLayer begins a block. What it has on disk meanwhile is in the folder, too, for a container may have
// no other one in which it can write.
func newLayer(dir string) (_ *layer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("begin a block: %w", err)
		}
	}()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	l := &layer{dir: dir}
	if l.chunkDir, err = os.MkdirTemp(dir, headPattern); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	o := tsdb.DefaultHeadOptions()
	o.ChunkRange, o.ChunkDirRoot, o.StripeSize = headRange, l.chunkDir, headStripes
	if l.head, err = tsdb.NewHead(nil, noLog, nil, nil, o, tsdb.NewHeadStats()); err != nil {
		return nil, err
	}
	return l, l.head.Init(math.MinInt64)
}

// append appends a sample. ref is what the call before has returned for the same series, 0 if there
// was none.
func (l *layer) append(ref storage.SeriesRef, series labels.Labels, at int64, v float64) (storage.SeriesRef, error) {
	if l.uncommitted == maxUncommitted {
		if err := l.commit(); err != nil {
			return 0, err
		}
	}
	if l.appender == nil {
		l.appender = l.head.Appender(context.Background()) // The library does not use it.
	}
	l.uncommitted++
	ref, err := l.appender.Append(ref, series, at, v)
	if err != nil {
		return 0, fmt.Errorf("append a sample of %s: %w", series, err)
	}
	return ref, nil
}

func (l *layer) commit() error {
	if l.appender == nil {
		return nil
	}
	err := l.appender.Commit()
	l.appender, l.uncommitted = nil, 0
	if err != nil {
		return fmt.Errorf("commit samples: %w", err)
	}
	return nil
}

// flush writes the block, in a folder that has its name only when it is whole.
func (l *layer) flush(ctx context.Context) error {
	if err := l.commit(); err != nil {
		return err
	}
	compactor, err := tsdb.NewLeveledCompactor(ctx, nil, noLog, []int64{headRange}, chunkenc.NewPool(), nil)
	if err == nil {
		// A block ends before its last time.
		_, err = compactor.Write(l.dir, l.head, l.head.MinTime(), l.head.MaxTime()+1, nil)
	}
	if err != nil {
		return fmt.Errorf("write a block: %w", err)
	}
	return nil
}

func (l *layer) close() (err error) {
	if l.appender != nil {
		err = l.appender.Rollback()
	}
	if l.head != nil {
		err = errors.Join(err, l.head.Close())
	}
	return errors.Join(err, os.RemoveAll(l.chunkDir))
}
