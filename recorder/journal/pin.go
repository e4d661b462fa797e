package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

// Pin has retention keep a segment until Unpin. It survives the process.
func (w *Writer) Pin(number int64) error {
	f := w.files.find(number)
	if f == nil {
		return fmt.Errorf("segment %d: %w", number, fs.ErrNotExist)
	}
	file, err := w.fs.Create(pinName(number))
	if err == nil {
		err = file.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		w.stats.Errors[OpCreate]++
		return err
	}
	return w.setPinned(f, true)
}

// Unpin leaves a segment to retention again, unless somebody has pinned it by hand.
func (w *Writer) Unpin(number int64) error {
	f := w.files.find(number)
	if f == nil {
		return fmt.Errorf("segment %d: %w", number, fs.ErrNotExist)
	}
	if err := w.fs.Remove(pinName(number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.stats.Errors[OpRemove]++
		return err
	}
	return w.setPinned(f, f.info.PinnedByHand)
}

func (w *Writer) setPinned(f *segmentFile, pinned bool) error {
	f.info.Pinned, w.view = pinned, nil
	if err := w.fs.SyncDir(); err != nil {
		w.stats.Errors[OpSync]++
		return err
	}
	return nil
}
