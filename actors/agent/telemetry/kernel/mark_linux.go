//go:build amd64 || arm64

package kernel

import (
	"errors"
	"fmt"
	"io"
)

// agentMark is the mark of the agent's threads. Those of the node are numbered from 1 on.
const agentMark = 0xffffffff

// maxIteratorBytes bounds what is read of a run over all threads, which writes nothing.
const maxIteratorBytes = 4096

// markOf returns the mark of a process; 0: it has none.
func (l *loaded) markOf(pidfd int) uint32 {
	var t programsThread
	if l.maps["threads"].Lookup(int32(pidfd), &t) != nil {
		return 0
	}
	return t.Mark
}

// markProcess marks the first thread of a process, and then the others that it has.
func (l *loaded) markProcess(pidfd int, mark uint32) error {
	const runs = 4 // WAITS_RUNS
	if err := l.maps["threads"].Put(int32(pidfd), programsThread{Mark: mark, WaitsFor: runs}); err != nil {
		return err
	}
	return l.markThreads()
}

// markAgain marks a process again whose first thread has lost its mark: exec of another thread makes that the first one.
func (l *loaded) markAgain(pidfd int, mark uint32) {
	if l.markOf(pidfd) == mark {
		return
	}
	_ = l.markProcess(pidfd, mark)
}

// markThreads gives all threads the marks of the first threads of their processes.
func (l *loaded) markThreads() error {
	if l.iterator == nil {
		return errors.New("mark_threads does not run")
	}
	run, err := l.iterator.Open()
	if err != nil {
		return fmt.Errorf("run over all threads: %w", err)
	}
	defer func() { _ = run.Close() }()
	_, err = io.CopyN(io.Discard, run, maxIteratorBytes)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}
