package files

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Interval is how often files are compared with what was read of them.
const Interval = 5 * time.Second

// Watcher reads the files of its values again when they change. Each value has a goroutine of its own, so that files
// which hang delay no others. All methods may be called from anywhere.
type Watcher struct {
	log *zap.Logger

	mu       sync.Mutex
	statuses map[string]Status
	stop     chan struct{}
	stopped  bool
	nudges   []chan struct{}
}

// NewWatcher returns a watcher without values.
func NewWatcher(log *zap.Logger) *Watcher {
	return &Watcher{log: log, statuses: map[string]Status{}, stop: make(chan struct{})}
}

// Statuses returns the status of each value, by the name of its flag. It never blocks for long.
func (w *Watcher) Statuses() []Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Status, 0, len(w.statuses))
	for _, s := range w.statuses {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Flag, b.Flag) })
	return all
}

// Check lets all files be compared now, and does not wait for it.
func (w *Watcher) Check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.nudges {
		select {
		case n <- struct{}{}:
		default: // It is about to be.
		}
	}
}

// Stop ends the watching. It does not wait for files that hang.
func (w *Watcher) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.stopped = true
		close(w.stop)
	}
}

// loadFunc makes a value, and returns what puts it in force.
type loadFunc func(*Reader, time.Time) (put func(), certificates []Certificate, err error)

// watched is a value that is watched. Its goroutine alone uses it.
type watched struct {
	state  *watchState
	load   loadFunc
	reader *Reader
	log    *zap.Logger
}

func (w *Watcher) add(flag string, load loadFunc) error {
	v := &watched{state: newWatchState(flag), load: load, log: w.log.With(zap.String("flag", flag))}
	if err := v.reload(time.Now()); err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	v.warn(time.Now())
	w.publish(v.state.status)
	nudge := make(chan struct{}, 1)
	w.mu.Lock()
	w.nudges = append(w.nudges, nudge)
	w.mu.Unlock()
	go w.watch(v, nudge)
	return nil
}

func (w *Watcher) watch(v *watched, nudge <-chan struct{}) {
	timer := time.NewTimer(v.state.next())
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-timer.C:
		case <-nudge:
		}
		v.check(time.Now())
		w.publish(v.state.status)
		timer.Reset(v.state.next())
	}
}

func (w *Watcher) publish(s Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses[s.Flag] = s
}

// check compares the files, and makes the value anew if need be.
func (v *watched) check(now time.Time) {
	if v.state.mustLoad(v.reader.unchanged()) {
		if err := v.reload(now); err == nil {
			v.log.Info("files are read again, and in use")
		} else if v.state.failed(err) {
			v.log.Error("files cannot be used: what was read before stays in force", zap.Error(err))
		}
	}
	v.warn(now)
}

// reload makes the value. What changes while it is read is read once more at the next comparison, as its digest differs.
func (v *watched) reload(now time.Time) error {
	reader := newReader()
	put, certificates, err := v.load(reader, now)
	v.reader = reader
	if err != nil {
		return err
	}
	put()
	v.state.loaded(certificates, now)
	return nil
}

func (v *watched) warn(now time.Time) {
	for _, c := range v.state.expiring(now) {
		log := v.log.With(zap.String("of", c.Flag), zap.String("subject", c.Subject), zap.Time("not_after", c.NotAfter))
		if now.Before(c.NotAfter) {
			log.Warn("a certificate expires in less than a week")
			continue
		}
		log.Error("a certificate has expired")
	}
}
