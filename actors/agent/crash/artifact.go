package crash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"fodc/messages"
)

const (
	panicFileName = "panic.json"
	// maxListed bounds the entries of an artifact that are looked at.
	maxListed = 4096
	// writingTime is how long a panic.json may stay as it is before it counts as written. One that
	// is no record then is ignored until it changes.
	writingTime = time.Minute
	// mtimeResolution is the coarsest resolution of a file's modification time: within it, a file may
	// change again with the same time.
	mtimeResolution = 2 * time.Second
)

// entry is what is known of a subdirectory.
type entry struct {
	found time.Time // when it was seen first
	// info is the panic.json of which crash or err are; nil: none was read. final says that
	// it cannot change any more without a change of info, since when info is what it is.
	info  fs.FileInfo
	final bool
	since time.Time
	err   error

	crash *messages.Crash // nil: none yet
	// problem is empty while there is none.
	problem Problem
	waiting bool
}

// artifactReader reads artifacts during one scan.
type artifactReader struct {
	dir       string
	root      *os.Root
	open      func(root *os.Root, name string) (*os.File, error)
	now       time.Time
	bytesLeft int64
}

var (
	errLink      = errors.New("it is a link, and links are not followed")
	errIrregular = errors.New("panic.json is no regular file")
	errChanged   = errors.New("panic.json is being written")
)

// read brings the entry up to date.
func (r *artifactReader) read(c candidate, e *entry) {
	e.waiting, e.problem = false, Problem{}
	fail := func(reason Reason, err error) {
		e.crash, e.info, e.problem = nil, nil, Problem{c.name, reason, err}
	}
	if c.link {
		fail(ReasonLink, errLink)
		return
	}
	info, err := r.root.Lstat(filepath.Join(c.name, panicFileName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.crash, e.info = nil, nil
		e.waiting = r.now.Sub(e.found) < writingTime
	case err != nil:
		fail(ReasonUnreadable, err)
	case info.Mode()&fs.ModeSymlink != 0:
		fail(ReasonLink, fmt.Errorf("%s: %w", panicFileName, errLink))
	case !info.Mode().IsRegular():
		fail(ReasonInvalid, errIrregular)
	case info.Size() > MaxPanicFileBytes:
		fail(ReasonTooLarge, fmt.Errorf("panic.json has %d bytes, %d are allowed", info.Size(), MaxPanicFileBytes))
	default:
		r.readPanic(c.name, e, info)
	}
}

// readPanic reads panic.json unless it is as it was, and lists the files.
func (r *artifactReader) readPanic(name string, e *entry, info fs.FileInfo) {
	var record *messages.PanicRecord
	if !e.final || !sameVersion(e.info, info) {
		if r.bytesLeft < info.Size() {
			e.waiting = true
			return
		}
		r.bytesLeft -= info.Size()
		p, err := r.parse(name, info)
		if isAccess(err) {
			e.crash, e.info, e.problem = nil, nil, Problem{name, ReasonUnreadable, err}
			return
		}
		if !sameVersion(e.info, info) {
			e.since = r.now
		}
		age := r.now.Sub(info.ModTime()).Abs()
		e.info, e.err, e.final = info, err, age > mtimeResolution && !errors.Is(err, errChanged)
		if err == nil {
			record = &p
		}
	}
	if e.err != nil {
		// What it was before it is written anew stays.
		if e.waiting = r.now.Sub(e.since) < writingTime; !e.waiting {
			e.crash, e.problem = nil, Problem{name, ReasonInvalid, e.err}
		}
		return
	}
	files, err := r.files(name)
	if err != nil {
		e.problem = Problem{name, ReasonUnreadable, err}
	}
	e.update(record, files, r.dir, name, r.now)
}

// update sets the artifact, unless it is what it was. record is nil if it has not been read again.
func (e *entry) update(record *messages.PanicRecord, files []string, dir, name string, now time.Time) {
	if record == nil {
		record = &e.crash.Panic
	} else {
		complete(record, name, e.info.ModTime())
	}
	if e.crash != nil && slices.Equal(e.crash.Files, files) && reflect.DeepEqual(&e.crash.Panic, record) {
		return
	}
	e.crash = &messages.Crash{FetchedAt: now.UTC().Round(0), ArtifactDir: clean(filepath.Join(dir, name), maxPathBytes), Files: files, Panic: *record}
}

// complete fills in what panic.json does not say.
func complete(p *messages.PanicRecord, name string, modified time.Time) {
	n := parseDirName(name)
	if p.OccurredAt.IsZero() {
		p.OccurredAt = n.at
	}
	if p.OccurredAt.IsZero() {
		p.OccurredAt = modified.UTC()
	}
	if p.Component == "" {
		p.Component = n.component
	}
	if n.pid != "" && p.ProcessMetadata[PIDField] == "" {
		if p.ProcessMetadata == nil {
			p.ProcessMetadata = map[string]string{}
		}
		setField(p.ProcessMetadata, PIDField, n.pid)
	}
}

// parse reads and parses a panic.json that is a regular file, as info says. The error is errChanged if it has
// changed meanwhile.
func (r *artifactReader) parse(name string, info fs.FileInfo) (messages.PanicRecord, error) {
	file, err := r.open(r.root, filepath.Join(name, panicFileName))
	if err != nil {
		return messages.PanicRecord{}, err
	}
	defer file.Close()
	opened, err := file.Stat()
	if err != nil {
		return messages.PanicRecord{}, err
	}
	if !sameVersion(info, opened) || !opened.Mode().IsRegular() {
		return messages.PanicRecord{}, errChanged
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxPanicFileBytes+1))
	if err != nil {
		return messages.PanicRecord{}, err
	}
	after, err := file.Stat()
	if err != nil {
		return messages.PanicRecord{}, err
	}
	if !sameVersion(opened, after) || int64(len(data)) != after.Size() {
		return messages.PanicRecord{}, errChanged
	}
	return ParsePanic(data)
}

// files returns the names of the artifact's files, sorted.
func (r *artifactReader) files(name string) ([]string, error) {
	entries, _, err := readNames(r.root, name, maxListed)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, cleanName(e.Name()))
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxFiles)], nil
}

// sameVersion reports whether two states of a file are of the same contents, as far as can be seen.
func sameVersion(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// isAccess reports whether an error is of the system, and not of the contents.
func isAccess(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist)
}
