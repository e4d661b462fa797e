package telemetry

import (
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"fodc/recorder"

	"github.com/prometheus/procfs"
)

// Config says what is read.
type Config struct {
	// Root is the directory that has proc and sys in it; empty is "/".
	Root string
	// System is the operating system of a Root "/", in the words of runtime.GOOS; empty is
	// this one. Tests set another one.
	System string
	// DataDirs are absolute paths. The space of the file system of each one is read.
	DataDirs []string
	// NodePIDFile is the file that the node writes its process id to, NodeProcess the
	// name of its process. With both, the process of the file must have the name. With
	// neither, no process is read.
	NodePIDFile, NodeProcess string
	// Stat reads the file system of a directory; nil is statfs. Tests set their own.
	Stat func(dir string) (Space, error)
}

// Result is the result of one read of a source.
type Result struct {
	Samples []recorder.Sample
	// DedupKey is equal for results with the same series, of which only one may be recorded.
	// It is empty if there is no other such source.
	DedupKey string
	// Outcomes has one entry for the source and one for each collector that ran.
	Outcomes []Outcome
}

// Outcome says whether a part of the telemetry could be read.
type Outcome struct {
	Part string
	// Err is nil if the part was read completely.
	Err error
}

// Source is a part of the host that is read on its own, since the read may hang. Its methods
// may be called by several goroutines.
type Source struct {
	name     string
	busy     atomic.Bool
	read     func(now time.Time) Result
	fallback func() Result
}

var errBusy = errors.New("a former read has not returned")

// Sources returns the sources that the configuration asks for.
func Sources(c Config) []*Source {
	if c.Root == "" {
		c.Root = "/"
	}
	if c.Stat == nil {
		c.Stat = statDir
	}
	proc, sys := filepath.Join(c.Root, "proc"), filepath.Join(c.Root, "sys")
	sources := []*Source{newHost(proc), newOwnCgroup(proc, sys)}
	if c.NodePIDFile != "" || c.NodeProcess != "" {
		sources = append(sources, newNodeProcess(proc, sys, c.NodePIDFile, c.NodeProcess))
	}
	var dirs []*dataDir
	for _, dir := range c.DataDirs {
		d := newDataDir(proc, dir, c.Stat)
		dirs = append(dirs, d)
		sources = append(sources, d.source())
	}
	if len(dirs) > 0 {
		sources = append(sources, newExt4(sys, dirs))
	}
	return sources
}

// NewSource returns a source that other packages read. The read is called by one goroutine at a time, and may hang.
func NewSource(name string, read func(now time.Time) Result) *Source {
	return &Source{name: name, read: read}
}

// Name returns the name for the log.
func (s *Source) Name() string { return s.name }

// Read reads the source, and may hang. While it does, another Read returns at once, with
// the samples of Fallback and an outcome that says so.
func (s *Source) Read(now time.Time) Result {
	if !s.busy.CompareAndSwap(false, true) {
		r := s.Fallback()
		r.Outcomes = []Outcome{{s.name, errBusy}}
		return r
	}
	defer s.busy.Store(false)
	r := s.readSafely(now)
	if !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Part == s.name }) {
		r.Outcomes = append(r.Outcomes, Outcome{Part: s.name})
	}
	return r
}

// readSafely turns a panic into an error.
func (s *Source) readSafely(now time.Time) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			r = Result{Outcomes: []Outcome{{s.name, unexpected(s.name, p)}}}
		}
	}()
	return s.read(now)
}

// Fallback returns the samples to record while a Read has not returned. It does not block.
func (s *Source) Fallback() Result {
	if s.fallback == nil {
		return Result{}
	}
	return s.fallback()
}

// newSource returns a source of collectors that read files of procfs.
func newSource(name, proc string, collectors func(fs procfs.FS, now time.Time) []collector) *Source {
	return &Source{name: name, read: func(now time.Time) Result {
		fs, err := procfs.NewFS(proc)
		if err != nil {
			return Result{Outcomes: []Outcome{{name, err}}}
		}
		return collect(collectors(fs, now))
	}}
}
