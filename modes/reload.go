package modes

import (
	"fmt"
	"slices"
	"sync"

	"fodc/modes/files"

	"go.uber.org/zap"
)

// Reload has the functions that read files again at SIGHUP.
type Reload struct {
	log *zap.Logger
	// watcher reads the files that it watches.
	watcher *files.Watcher

	mu    sync.Mutex
	files []*reloadedFile
	// running: the functions run now. again: run them once more afterwards.
	running, again bool
}

// reloadedFile is a file and the function that reads it.
type reloadedFile struct {
	what string
	read func() error
}

func newReload(log *zap.Logger, w *files.Watcher) *Reload { return &Reload{log: log, watcher: w} }

// Add registers a function to be called at each SIGHUP. Functions are called one at a time.
// what names the file in the log, as in "the rules of FILE". If read returns an error, it must
// leave everything as it was. remove unregisters it.
func (r *Reload) Add(what string, read func() error) (remove func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	file := &reloadedFile{what, read}
	r.files = append(r.files, file)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.files = slices.DeleteFunc(r.files, func(f *reloadedFile) bool { return f == file })
	}
}

// request starts the functions, or makes them run once more if they run already. It does not
// wait for them: a disk that hangs must not delay the next signal.
func (r *Reload) request() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again = r.running
	if !r.running {
		r.running = true
		go r.run()
	}
}

func (r *Reload) run() {
	for {
		r.mu.Lock()
		all := slices.Clone(r.files)
		r.mu.Unlock()
		r.reload(all)
		r.mu.Lock()
		r.running, r.again = r.again, false
		more := r.running
		r.mu.Unlock()
		if !more {
			return
		}
	}
}

func (r *Reload) reload(all []*reloadedFile) {
	watched := r.watcher.Statuses()
	for _, w := range watched {
		r.log.Info("compared at SIGHUP with what was read", zap.String("flag", w.Flag))
	}
	r.watcher.Check()
	if len(all)+len(watched) == 0 {
		r.log.Info("nothing to read again at SIGHUP: no files are in use")
	}
	for _, f := range all {
		if err := callReload(f.read); err != nil {
			r.log.Error("cannot read again at SIGHUP: what was read before stays in force", zap.String("what", f.what), zap.Error(err))
			continue
		}
		r.log.Info("read again at SIGHUP", zap.String("what", f.what))
	}
}

// callReload turns a panic into an error: a bad file must not end the process.
func callReload(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return read()
}
