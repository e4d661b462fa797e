package blocks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// maxUncommitted bounds the samples that the library keeps twice until they are committed. It is
// what promtool has.
const maxUncommitted = 5000

// layer is a block under way. The samples of each series must come oldest first.
type layer struct {
	block       *tsdb.BlockWriter
	appender    storage.Appender
	uncommitted int
}

func newLayer(dir string) (*layer, error) {
	// The library takes no sample that is older than half of its range before the newest one. With
	// twice the range it takes all of a block's samples in any order of series.
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, 2*rangeMillis)
	if err != nil {
		return nil, fmt.Errorf("begin a block: %w", err)
	}
	return &layer{block: w}, nil
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
		l.appender = l.block.Appender(context.Background()) // The library does not use it.
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
	if _, err := l.block.Flush(ctx); err != nil {
		return fmt.Errorf("write a block: %w", err)
	}
	return nil
}

func (l *layer) close() error {
	var err error
	if l.appender != nil {
		err = l.appender.Rollback()
	}
	return errors.Join(err, l.block.Close())
}
