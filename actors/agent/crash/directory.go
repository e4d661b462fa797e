package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"fodc/messages"
)

const (
	// maxEntries bounds the entries of a directory of artifacts that are looked at.
	maxEntries = 10_000
	// maxCandidates bounds the subdirectories, newest first, that a scan looks into.
	maxCandidates = 1024
	// maxScanBytes bounds what a scan reads of all panic.json together. The rest is for the next one.
	maxScanBytes = 16 << 20
	// maxProblems bounds the problems that a scan names.
	maxProblems = 16
)

// Reason is a class of what is wrong with crash artifacts, for metrics.
type Reason string

// The reasons.
const (
	// ReasonInvalid is a panic.json that is no record, and has not changed for a while.
	ReasonInvalid Reason = "invalid"
	// ReasonTooLarge is a panic.json above MaxPanicFileBytes, or a directory with too many entries.
	ReasonTooLarge Reason = "too_large"
	// ReasonLink is a link: none is followed.
	ReasonLink Reason = "link"
	// ReasonUnreadable is what the system does not let the agent read.
	ReasonUnreadable Reason = "unreadable"
)

// Problem is an artifact that cannot be read, and why.
type Problem struct {
	// Name is the subdirectory; empty for the directory itself.
	Name   string
	Reason Reason
	Err    error
}

// Scan is what a directory has.
type Scan struct {
	// Artifacts are the newest, in no order. An artifact that has not changed is the same pointer as
	// in the scan before.
	Artifacts []*messages.Crash
	// Problems are those that the scan before did not have, at most maxProblems; Unnamed is how many
	// more there are.
	Problems []Problem
	Unnamed  int
	// Waiting says that something is being written, so that the next scan should be soon.
	Waiting bool
	// Err says why the directory cannot be read. Artifacts are then what the scan before had,
	// unless it does not exist.
	Err error
}

// Directory is a directory that the database writes its crash artifacts to: a subdirectory each.
type Directory struct {
	path  string
	keep  int
	bytes int
	busy  atomic.Bool

	entries map[string]*entry
	newest  []*messages.Crash
	crowded bool // it had too many entries
	watch   *watch
	// perScan bounds what a scan reads, in bytes.
	perScan int64
	// open opens a file below the directory for reading. Tests put their own in its place.
	open func(root *os.Root, name string) (*os.File, error)
}

// NewDirectory returns a directory of which the newest artifacts are kept, as many as keep, in as many
// bytes of memory. changed is called by another goroutine when something in the directory has
// changed, where the system tells, and may be nil. Nothing is read yet.
func NewDirectory(path string, keep, bytes int, changed func()) *Directory {
	d := &Directory{path: path, keep: keep, bytes: bytes, entries: map[string]*entry{}, perScan: maxScanBytes, open: openIn}
	if changed != nil {
		d.watch = &watch{path: path, changed: changed}
	}
	return d
}

// Close ends the watch. It may block as long as the disk does.
func (d *Directory) Close() { d.watch.close() }

// Scan looks at the directory. It may hang in a file system, whatever ctx says. While it hangs,
// another call returns false at once.
func (d *Directory) Scan(ctx context.Context, now time.Time) (Scan, bool) {
	if !d.busy.CompareAndSwap(false, true) {
		return Scan{}, false
	}
	defer d.busy.Store(false)
	return d.scan(ctx, now), true
}

func (d *Directory) scan(ctx context.Context, now time.Time) Scan {
	var s Scan
	d.watch.begin()
	found, crowded, err := d.list()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			d.entries, d.newest = map[string]*entry{}, nil
		}
		return Scan{Artifacts: d.newest, Err: err}
	}
	defer found.root.Close()
	if crowded && !d.crowded {
		s.add(Problem{Reason: ReasonTooLarge, Err: fmt.Errorf("it has more than %d entries: not all are looked at", maxEntries)})
	}
	d.crowded = crowded
	reader := &artifactReader{dir: d.path, root: found.root, open: d.open, now: now, bytesLeft: d.perScan}
	entries := map[string]*entry{}
	var crashes []*messages.Crash
	bytes := 0
	for i, c := range found.candidates {
		if ctx.Err() != nil {
			return Scan{Artifacts: d.newest, Err: ctx.Err()}
		}
		if i == maxCandidates || len(crashes) == d.keep {
			break
		}
		e := d.entries[c.name]
		if e == nil {
			e = &entry{found: now}
		}
		entries[c.name] = e
		had := e.problem
		reader.read(c, e)
		if e.crash != nil {
			if bytes += e.crash.MemoryBytes(); bytes > d.bytes {
				delete(entries, c.name)
				break
			}
			crashes = append(crashes, e.crash)
		}
		if e.problem.Reason != "" && (e.problem.Reason != had.Reason || e.problem.Err.Error() != had.Err.Error()) {
			s.add(e.problem)
		}
		s.Waiting = s.Waiting || e.waiting
	}
	d.entries, d.newest = entries, crashes
	s.Artifacts = crashes
	return s
}

func (s *Scan) add(p Problem) {
	if len(s.Problems) == maxProblems {
		s.Unnamed++
		return
	}
	s.Problems = append(s.Problems, p)
}

// candidate is an entry that may be an artifact.
type candidate struct {
	name string
	at   time.Time // of its name or its change
	link bool
}

// candidates are those of a directory, newest first. root is to be closed.
type candidates struct {
	root       *os.Root
	candidates []candidate
}

// list returns what may be artifacts. crowded says that there are more entries than are looked at.
func (d *Directory) list() (found candidates, crowded bool, err error) {
	info, err := os.Stat(d.path)
	if err != nil {
		return found, false, err
	}
	if !info.IsDir() { // A pipe would block.
		return found, false, &fs.PathError{Op: "open", Path: d.path, Err: errNoDirectory}
	}
	if found.root, err = os.OpenRoot(d.path); err != nil {
		return found, false, err
	}
	entries, crowded, err := readNames(found.root, ".", maxEntries)
	if err != nil {
		_ = found.root.Close()
		return found, false, err
	}
	for _, e := range entries {
		link := e.Type()&fs.ModeSymlink != 0
		if !link && !e.IsDir() {
			continue
		}
		c := candidate{name: e.Name(), at: parseDirName(e.Name()).at, link: link}
		if c.at.IsZero() {
			info, err := found.root.Lstat(e.Name())
			if err != nil {
				continue // It has gone.
			}
			c.at = info.ModTime()
		}
		found.candidates = append(found.candidates, c)
	}
	slices.SortFunc(found.candidates, func(a, b candidate) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.name, a.name))
	})
	return found, crowded, nil
}

var errNoDirectory = errors.New("it is no directory")

// readNames returns the entries of a directory below root, and whether there are more than limit.
func readNames(root *os.Root, name string, limit int) (entries []fs.DirEntry, more bool, err error) {
	dir, err := openIn(root, name)
	if err != nil {
		return nil, false, err
	}
	defer dir.Close()
	entries, err = dir.ReadDir(limit + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	return entries[:min(len(entries), limit)], len(entries) > limit, nil
}

// openIn opens a file below root. It follows no link that leads out of it, and a pipe does not block it.
func openIn(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|openFlags, 0)
}
