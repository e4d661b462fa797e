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
	// System is what Root is of, if it is "/", as runtime.GOOS has it; empty is this system.
	// Tests put another one in its place.
	System string
	// DataDirs are absolute paths; of each, the space of its file system is read.
	DataDirs []string
	// NodePIDFile is the file that the node writes its process id to, NodeProcess the
	// name of its process. With both, the process of the file must have the name. With
	// neither, no process is read.
	NodePIDFile, NodeProcess string
	// Stat reads the file system of a directory; nil is the real one. Tests put their
	// own in its place.
	Stat func(dir string) (Space, error)
}

// Result is what a read of a source gave.
type Result struct {
	Readings []recorder.Sample
	// Same says what was read: of two results with the same text, one is enough. Where
	// it is empty, there is no other.
	Same string
	// Outcomes are of the source and of those of its collectors that were tried.
	Outcomes []Outcome
}

// Outcome says how a part of the telemetry was read.
type Outcome struct {
	Part string
	// Err is nil if all of it was there.
	Err error
}

// Source is a part of the host that is read on its own, since it may block. It may be
// used by several goroutines.
type Source struct {
	name string
	busy atomic.Bool
	read func(now time.Time) Result
	lost func() Result
}

var errBusy = errors.New("a former read has not returned")

// Sources returns what the configuration asks for.
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
	for _, dir := range c.DataDirs {
		sources = append(sources, newDataDir(proc, dir, c.Stat))
	}
	return sources
}

// Name is for the log.
func (s *Source) Name() string { return s.name }

// Read reads the source, which may block. While it does, another Read says so, and
// returns at once what Lost does.
func (s *Source) Read(now time.Time) Result {
	if !s.busy.CompareAndSwap(false, true) {
		r := s.Lost()
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

// readSafely takes a panic for an error, as collectors do.
func (s *Source) readSafely(now time.Time) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			r = Result{Outcomes: []Outcome{{s.name, unexpected(s.name, p)}}}
		}
	}()
	return s.read(now)
}

// Lost returns what there is to record of a source whose Read has not returned. It
// does not block.
func (s *Source) Lost() Result {
	if s.lost == nil {
		return Result{}
	}
	return s.lost()
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
