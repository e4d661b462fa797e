package pressure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"fodc/messages"
)

// Event is why profiles are captured.
type Event struct {
	At time.Time
	// SourceEndpoint is where they are captured.
	SourceEndpoint       string
	RSSBytes, LimitBytes uint64
	TriggerPercent       uint32
	ThresholdBytes       uint64
}

// Profile is one that is to be captured. Its names must be plain: see isPlainName.
type Profile struct {
	Type, Filename, Format string
	// Fetch writes it. What it has written is removed if it returns an error. That wraps an error of
	// the writer.
	Fetch func(ctx context.Context, w io.Writer) error
}

// Captured is what a capture has done.
type Captured struct {
	// Profile is the artifact. Missing says which of its profiles could not be captured, and why; nil:
	// it has all of them.
	Profile messages.PressureProfile
	Missing error
	Usage   Usage
	// Evicted is how many artifacts were removed for it, also if it failed.
	Evicted int
}

// Capture captures profiles one after the other, and keeps them as an artifact. A profile that fails is
// missing; if all fail, nothing is kept. Room is made as it is needed: artifacts are evicted for bytes
// that have come, and one for the artifact itself when it is whole. The error wraps ErrNoRoom where the limits
// leave no room for any, ErrDisk where the disk fails. Captured.Usage is right unless the disk failed
// or ctx has ended.
func (s *Store) Capture(ctx context.Context, e Event, profiles []Profile) (Captured, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Captured{}, context.Cause(ctx)
	}
	root, b, err := s.open()
	if err != nil {
		return Captured{}, err
	}
	defer root.Close()
	w := &writing{store: s, root: root, budget: b}
	made, missing, err := w.run(ctx, e, profiles)
	done := Captured{Usage: b.usage(), Evicted: b.evicted, Missing: missing}
	if err != nil {
		return done, err
	}
	done.Profile = s.recordOf(made)
	return done, nil
}

// writing is an artifact that is being written.
type writing struct {
	store  *Store
	root   *os.Root
	budget *budget
	half   string // its directory
}

func (w *writing) run(ctx context.Context, e Event, profiles []Profile) (made artifact, missing, err error) {
	b := w.budget
	b.reserve = maxMetaBytes
	if err := cmp.Or(b.hasPlace(), b.fits(1)); err != nil {
		return made, nil, err
	}
	at := w.freeTime(e.At)
	w.half = halfPrefix + idOf(at)
	defer func() {
		b.writing, b.reserve = 0, 0
		if err != nil && w.root.RemoveAll(w.half) != nil {
			w.store.isClean = false
		}
	}()
	if err := w.root.Mkdir(w.half, directoryPermissions); err != nil {
		return made, nil, diskError(err)
	}
	m := &meta{ProfileID: idOf(at), CapturedAt: at.UTC(), SourceEndpoint: cut(e.SourceEndpoint, maxTextBytes), RSSBytes: e.RSSBytes,
		CgroupLimitBytes: e.LimitBytes, TriggerPercent: e.TriggerPercent, ThresholdBytes: e.ThresholdBytes, First: len(b.artifacts) == 0}
	missing, err = w.writeProfiles(ctx, m, profiles)
	if err != nil {
		return made, missing, err
	}
	bytes, err := w.publish(m)
	if err != nil {
		return made, missing, diskError(err)
	}
	made = artifact{meta: m, at: at, bytes: bytes}
	b.artifacts = append(b.artifacts, made)
	return made, missing, nil
}

// freeTime returns the time, or the next one after it of which there is no artifact.
func (w *writing) freeTime(at time.Time) time.Time {
	for {
		if _, err := w.root.Lstat(idOf(at)); err != nil {
			return at
		}
		at = at.Add(1)
	}
}

// writeProfiles writes what can be captured, and notes it in m. The error says why there is nothing.
func (w *writing) writeProfiles(ctx context.Context, m *meta, profiles []Profile) (missing, err error) {
	for _, p := range profiles {
		size, err := w.writeFile(p.Filename, func(to io.Writer) error { return p.Fetch(ctx, to) })
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, ErrDisk):
			return nil, err
		case err != nil:
			missing = join(missing, err)
			m.Missing = append(m.Missing, metaMissing{Type: p.Type, Error: cut(err.Error(), maxErrorBytes)})
		default:
			m.Profiles = append(m.Profiles, metaFile{Type: p.Type, Filename: p.Filename, Format: p.Format, SizeBytes: size})
		}
	}
	if len(m.Profiles) == 0 {
		return nil, missing
	}
	return missing, nil
}

// join returns both errors in one line.
func join(a, b error) error {
	if a == nil {
		return b
	}
	return fmt.Errorf("%w; %w", a, b)
}

// writeFile writes a file of the artifact. If that fails, the file is not there.
func (w *writing) writeFile(name string, write func(io.Writer) error) (size int64, err error) {
	name = w.half + "/" + name
	f, err := w.store.create(w.root, name)
	if err != nil {
		return 0, diskError(err)
	}
	to := &budgetWriter{to: f, budget: w.budget}
	err = write(to)
	if err == nil {
		err = diskError(f.Sync())
	}
	if closeErr := diskError(f.Close()); err == nil {
		err = closeErr
	}
	if err != nil {
		if removeErr := w.root.Remove(name); removeErr != nil {
			return 0, diskError(removeErr)
		}
		w.budget.shrink(to.size)
		return 0, err
	}
	return to.size, nil
}

// publish writes meta.json, for which there is room already, makes a place for the artifact, and gives it
// its name. It returns the size of all of its files.
func (w *writing) publish(m *meta) (int64, error) {
	text, err := m.encode()
	if err != nil {
		return 0, err
	}
	w.budget.reserve = 0
	if _, err := w.writeFile(metaName, func(to io.Writer) error {
		_, err := to.Write(text)
		return err
	}); err != nil {
		return 0, err
	}
	if err := syncDir(w.root, w.half); err != nil {
		return 0, err
	}
	if err := w.budget.makePlace(); err != nil {
		return 0, err
	}
	if err := w.root.Rename(w.half, m.ProfileID); err != nil {
		return 0, err
	}
	if err := syncDir(w.root, "."); err != nil {
		return 0, fmt.Errorf("%s was written, and may not survive a power cut: %w", m.ProfileID, err)
	}
	return w.budget.writing, nil
}

// budgetWriter makes room for what it writes.
type budgetWriter struct {
	to     io.Writer
	budget *budget
	size   int64
}

func (w *budgetWriter) Write(p []byte) (int, error) {
	if err := w.budget.grow(int64(len(p))); err != nil {
		return 0, err
	}
	w.size += int64(len(p))
	n, err := w.to.Write(p)
	return n, diskError(err)
}
