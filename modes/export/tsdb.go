package export

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"fodc/messages"
	"fodc/recorder/blocks"
)

// walDir is the directory of the write-ahead log in that of a database. It stays empty, but without
// it promtool tsdb dump takes the blocks for no database.
const walDir = "wal"

// writeBlocks writes the samples as blocks into a directory, one range of time after the other.
func (e *exporter) writeBlocks(ctx context.Context, dir string) (_ written, err error) {
	if err := os.Mkdir(filepath.Join(dir, walDir), 0o777); err != nil {
		return written{}, err
	}
	s, err := surveyRanges(ctx, e)
	if err != nil {
		return written{}, err
	}
	w := blocks.NewWriter(dir, blocks.Options{Keep: e.Match.keep()})
	defer func() { err = errors.Join(err, w.Close()) }()
	begins := s.begins()
	for i, from := range begins {
		e.report.progress("block", i+1, len(begins))
		if err := e.writeRange(ctx, w, from); err != nil {
			return written{}, err
		}
	}
	c := w.Counts()
	if c.Samples == 0 {
		return written{}, e.nothing(s.samples)
	}
	e.report.leftOut(c.Duplicates, "samples", "their series have another one for the same time")
	e.report.leftOut(c.OutOfOrder, "samples", "the clock was set back too often")
	e.report.leftOut(c.Invalid, "series", "their names or labels cannot be written")
	return written{samples: int64(c.Samples), blocks: c.Blocks, overlapping: c.Overlapping}, nil
}

func (e *exporter) writeRange(ctx context.Context, w *blocks.Writer, at int64) error {
	from, to := blocks.RangeOf(at)
	from, to = max(from, e.from), min(to, e.to)
	for _, n := range e.nodes {
		err := n.each(ctx, e.report, from, to, nil, func(b *messages.Block) error { return w.Append(n.labels, b) })
		if err != nil {
			return err
		}
	}
	return w.Flush(ctx)
}
