package crash

import (
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watch tells of changes in a directory, where the system can tell.
type watch struct {
	path    string
	changed func()

	mu      sync.Mutex
	watcher *fsnotify.Watcher // nil: none
	closed  bool
}

// begin begins to watch, or watches the directory that has taken the place of the former one. It may block
// as long as the disk does. Without a watch, changes are found by the next scan.
func (w *watch) begin() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	if w.watcher == nil {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			return // the limits of the system
		}
		w.watcher = watcher
		go follow(watcher, w.changed)
	}
	// It is the same watch as before, if the directory is.
	_ = w.watcher.Add(w.path)
}

// follow calls changed for each event until the watcher is closed.
func follow(watcher *fsnotify.Watcher, changed func()) {
	for {
		select {
		case _, open := <-watcher.Events:
			if !open {
				return
			}
			changed()
		case _, open := <-watcher.Errors: // lost events, say
			if !open {
				return
			}
			changed()
		}
	}
}

func (w *watch) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.watcher != nil {
		_ = w.watcher.Close()
		w.watcher = nil
	}
}
