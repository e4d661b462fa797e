package journal

import (
	"errors"
	"fmt"
	"io"
	"time"

	"fodc/recorder"
)

// Writer writes the journal of a directory that nobody else writes. It has one owner. Its
// functions take as long as the disk does.
type Writer struct {
	fs  FS
	cfg Config

	files segmentFiles
	view  *View // nil when it has to be made anew

	// current is the segment that is being written, nil if there is none; then file and encoder
	// are nil, too.
	current *segmentFile
	file    File
	encoder *encoder
	// unsynced is when the first record was written that is not synced; zero: all are.
	// unsyncedDir is set while files were created or removed since the directory was synced.
	unsynced    time.Time
	unsyncedDir bool
	// buffer is that of the frames.
	buffer []byte

	// started is when the journal was opened. It is written into the first segment; markStart is
	// set until it was.
	started   time.Time
	markStart bool
	// renamed is when a segment ended last because the node had got another role or other labels.
	renamed time.Time
	// list is set when the directory may have other files than are known, vanished when it may be
	// another directory, with other files of the same names: its file system was mounted late, say.
	list, vanished bool
	// lastSegment is the highest number of a segment, or of a pin, that was ever seen.
	lastSegment int64
	// newest is the number of the newest scrape, without Base.
	newest int64
	// wanted is how many bytes had no room beside the pinned segments, 0 if that is not why the
	// writer pauses.
	wanted int64
	upkeep time.Time // when the next one is due

	retention retention
	rotation  rotation
	backoff   backoff
	failure   error // the newest one
	space     freeSpace
	stats     Stats
}

// maxIdleBuffer is how large a buffer is kept for the next frame, in bytes. The first scrape of a
// segment, which defines all series, may take much more than the others.
const maxIdleBuffer = 256 << 10

// NewWriter returns a writer that is not open yet.
func NewWriter(fs FS, cfg Config) *Writer {
	return &Writer{
		fs: fs, cfg: cfg,
		retention: retention{bytes: cfg.RetentionBytes, time: cfg.RetentionTime},
		rotation:  newRotation(&cfg),
		space:     freeSpace{min: cfg.MinFree},
		stats:     Stats{State: StateClosed, Dropped: map[DropReason]Loss{}, Errors: map[Operation]uint64{}},
	}
}

// Append writes a scrape. After an error it is not in the journal, as far as is known: it must
// not be appended again. The error is ErrPaused, ErrClosed, or wraps ErrInvalid; any other one
// comes from the disk, and returns until that is tried again: see NextDue.
func (w *Writer) Append(b *recorder.Batch, now time.Time) error {
	err := w.ready(now)
	if err == nil {
		err = w.append(b, now)
	}
	if err != nil {
		w.stats.drop(b, err)
	}
	return err
}

func (w *Writer) append(b *recorder.Batch, now time.Time) error {
	w.newest = max(w.newest, b.Number)
	if w.current != nil && (w.rotation.isDue(&w.current.info, b.At) || w.encoder.isStale() || w.isRenamed(now)) {
		if err := w.closeSegment(now); err != nil {
			return err
		}
	}
	for {
		if w.current == nil {
			if err := w.beginSegment(now); err != nil {
				return err
			}
		}
		isFresh := w.current.info.LastNumber == 0
		frame, err := w.encoder.appendScrape(w.buffer[:0], b, w.stats.Base+b.Number)
		w.keepBuffer(frame)
		fits, size := false, int64(len(frame))+reserve(w.encoder)
		switch {
		case errors.Is(err, errSegmentFull) && !isFresh:
		case err != nil:
			return fmt.Errorf("%w: target %s: %w", ErrInvalid, b.Target, err)
		default:
			if fits, err = w.makeRoom(size, now); err != nil {
				return err
			}
		}
		if fits {
			if err := w.takeSpace(size, now); err != nil {
				return err
			}
			return w.write(frame, len(b.Values), now)
		}
		// The segment can take no more. If it has something, another one may, or its own bytes.
		if isFresh {
			return w.pauseFull(w.current.bytes+size, now)
		}
		if err := w.closeSegment(now); err != nil {
			return err
		}
	}
}

// write writes a frame of a scrape.
func (w *Writer) write(frame []byte, samples int, now time.Time) error {
	if err := w.writeFrame(frame, now); err != nil {
		return err
	}
	w.markStart = false
	w.stats.Written.Scrapes++
	w.stats.Written.Samples += uint64(samples)
	w.stats.setState(StateWriting, nil, now)
	return nil
}

// writeFrame writes what the encoder has made, and makes its information that of the segment.
func (w *Writer) writeFrame(frame []byte, now time.Time) error {
	n, err := w.file.Write(frame)
	if err == nil && n < len(frame) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return w.failed(OpWrite, err, now)
	}
	w.current.bytes += int64(len(frame))
	if w.unsynced.IsZero() {
		w.unsynced = now
	}
	w.stats.WrittenBytes += uint64(len(frame))
	c := w.current
	was := c.info
	c.info = w.encoder.info.clone()
	c.info.Name, c.info.Pinned, c.info.PinnedByHand, c.info.Size = was.Name, was.Pinned, was.PinnedByHand, c.bytes
	w.view = nil
	return nil
}

func (w *Writer) keepBuffer(b []byte) {
	w.buffer = b[:0]
	if cap(b) > maxIdleBuffer {
		w.buffer = nil
	}
}

// ready returns why nothing can be written now, nil if something can.
func (w *Writer) ready(now time.Time) error {
	switch {
	case w.stats.State == StateClosed:
		return ErrClosed
	case w.stats.State == StateFailing && w.backoff.holds(now):
		return w.failure
	}
	return w.keepUp(now)
}

// failed counts an operation that has failed, and returns the error. The segment is never written
// again.
func (w *Writer) failed(op Operation, err error, now time.Time) error {
	w.stats.Errors[op]++
	return w.retry(err, now)
}

// retry has the writer wait until the disk is tried again, and returns the error. What was written
// before is synced if it can be: nobody does it later.
func (w *Writer) retry(err error, now time.Time) error {
	if !w.unsynced.IsZero() {
		_ = w.syncAll()
	}
	w.Abandon()
	w.failure = err
	w.backoff.failed(now)
	w.stats.setState(StateFailing, err, now)
	return err
}

// View returns the segments of the node, with what can be read of them now.
func (w *Writer) View() *View {
	if w.view == nil {
		w.view = w.files.view(w.cfg.Node.NodeID)
	}
	return w.view
}
