package agent

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/crash"
	"fodc/actors/agent/mask"
	"fodc/messages"

	"go.uber.org/zap"
)

// CrashConfig says where the agent finds out about crashes of the node.
type CrashConfig struct {
	// Dirs are the directories that the database writes its artifacts to, Logs the node's logs.
	Dirs, Logs []string
	// MaxArtifacts bounds the artifacts of all directories, and the records of all logs.
	MaxArtifacts int
	// RecordsFile keeps the records of logs; empty: they are in memory only. Lock takes the lock of its
	// directory before it is read or written. It may block as long as the disk does.
	RecordsFile string
	Lock        func() error

	// readers are the directories and the logs; nil is the real ones. Tests put their own in their place.
	readers func(changed func(source int)) []crashReader
	// unwatched says that the system is not asked to tell of changes.
	unwatched bool
}

// Messages to the actor of crashes.
type (
	// crashSourceChanged says that something in a directory has changed.
	crashSourceChanged struct{ source int }
	// crashSourceRead is the result of a read.
	crashSourceRead struct {
		source int
		read   crashRead
	}
	crashesLoaded struct {
		records []*messages.Crash
		damaged int
		err     error
	}
	crashesSaved struct{ err error }
	// processCrashed is the end of the node's process, as the kernel tells it.
	processCrashed struct{ exit crashExit }
	// readCrashes is answered with crashSnapshot.
	readCrashes   struct{}
	crashSnapshot struct {
		records  []*messages.Crash // oldest first
		revision messages.CrashRevision
	}
	// readCrashHealth is answered with *messages.CrashHealth.
	readCrashHealth struct{}
)

// crashes keeps the records of the node's crashes. It survives its own panics, as the recorder does.
type crashes struct {
	sys     *actors.System
	log     *zap.Logger
	cfg     CrashConfig
	state   *crashesState
	readers []crashReader
	stats   *crashStats

	timer  actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newCrashes(sys *actors.System, cfg CrashConfig, source string, stats *crashStats) *crashes {
	now := time.Now()
	records := newCrashRecords(source, cfg.MaxArtifacts, now)
	return &crashes{sys: sys, log: sys.Log(), cfg: cfg, stats: stats,
		state: newCrashesState(masked(cfg.Dirs), masked(cfg.Logs), records, cfg.RecordsFile != "", now)}
}

// masked returns the paths as they may leave the machine.
func masked(paths []string) []string {
	shown := make([]string, 0, len(paths))
	for _, p := range paths {
		shown = append(shown, mask.Text(p))
	}
	return shown
}

func (k *crashes) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		k.stop()
	case *actors.Stopped:
	case actors.Tick:
		if k.timer.Fired(m) {
			k.do(c, nil)
		}
	case crashSourceChanged:
		k.state.changed(m.source, time.Now())
		k.do(c, nil)
	case crashSourceRead:
		k.onRead(c, m)
	case crashesLoaded:
		k.onLoaded(c, m)
	case crashesSaved:
		k.do(c, k.state.storage.written(m.err, time.Now()))
	case processCrashed:
		k.do(c, k.state.exited(m.exit, time.Now()))
	case readCrashes:
		actors.Reply(c, crashSnapshot{k.state.records.all, messages.CrashRevision(k.state.records.revision)})
	case readCrashHealth:
		actors.Reply(c, k.state.health())
	default:
		unknownMessage(k.log, m)
	}
}

func (k *crashes) onStarted(c actors.Context) {
	k.ctx, k.cancel = context.WithCancelCause(context.Background())
	self := newSender(k.ctx, k.sys, c)
	changed := func(source int) { self.send(crashSourceChanged{source}) }
	if k.cfg.readers != nil {
		k.readers = k.cfg.readers(changed)
	} else {
		k.readers = newCrashReaders(k.cfg, changed)
	}
	k.do(c, nil)
}

func (k *crashes) stop() {
	k.timer.Disarm()
	k.cancel(errStopped)
	for _, r := range k.readers {
		go func() { // It waits for a read that hangs.
			_, _ = quietly(func() (struct{}, error) { r.close(); return struct{}{}, nil })
		}()
	}
}

func (k *crashes) onRead(c actors.Context, m crashSourceRead) {
	if scan := m.read.scan; scan != nil {
		k.do(c, k.state.scanned(m.source, *scan, time.Now()))
	} else {
		k.do(c, k.state.read(m.source, *m.read.log, time.Now()))
	}
}

func (k *crashes) onLoaded(c actors.Context, m crashesLoaded) {
	now := time.Now()
	if m.err == nil {
		k.state.records.loaded(m.records, now)
	}
	k.do(c, k.state.storage.read(m.records, m.damaged, m.err, now))
}

// do carries out the effects, and what is due.
func (k *crashes) do(c actors.Context, effects []crashEffect) {
	now := time.Now()
	self := newSender(k.ctx, k.sys, c)
	for _, e := range append(effects, k.state.due(now)...) {
		switch e := e.(type) {
		case startCrashRead:
			go readCrashSource(self, k.readers[e.source], e.source, now)
		case loadCrashes:
			go k.cfg.load(self)
		case saveCrashes:
			go k.cfg.save(self, e.records)
		case logCrash:
			writeEntry(k.log, e.logEntry)
		}
	}
	if next := k.state.nextDue(); !next.IsZero() {
		k.timer.Arm(c, max(next.Sub(now), 0))
	}
	k.stats.set(k.state)
}

func (cfg CrashConfig) lock() error {
	if cfg.Lock == nil {
		return nil
	}
	return cfg.Lock()
}

// load reads the records of an earlier process, which may block for ever, and sends the result.
func (cfg CrashConfig) load(self sender) {
	m, err := quietly(func() (m crashesLoaded, err error) {
		if err = cfg.lock(); err == nil {
			m.records, m.damaged, err = crash.ReadRecords(cfg.RecordsFile)
		}
		return m, err
	})
	m.err = err
	self.send(m)
}

// save writes the records, which may block for ever, and sends the result.
func (cfg CrashConfig) save(self sender, records []*messages.Crash) {
	_, err := quietly(func() (struct{}, error) {
		err := cfg.lock()
		if err == nil {
			err = crash.WriteRecords(cfg.RecordsFile, records)
		}
		return struct{}{}, err
	})
	self.send(crashesSaved{err})
}

// quietly turns a panic into an error. It leaves out the panic's text, which may have parts of a file in it.
func quietly[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unexpected %T", p)
		}
	}()
	return f()
}

// readCrashSource reads a source once, which may block for ever, and sends the result.
func readCrashSource(self sender, reader crashReader, source int, now time.Time) {
	self.send(crashSourceRead{source, readSafely(self.ctx, reader, now)})
}

// readSafely turns a panic of a parser into an error, as quietly does.
func readSafely(ctx context.Context, reader crashReader, now time.Time) (r crashRead) {
	defer func() {
		if p := recover(); p != nil {
			r = reader.failed(fmt.Errorf("unexpected %T", p))
		}
	}()
	return reader.read(ctx, now)
}

// crashStats are what the metrics of the agent show. They are read by another actor.
type crashStats struct {
	newest atomic.Pointer[crashCounts]
}

type crashCounts struct {
	records int
	errors  map[string]uint64
}

func (s *crashStats) set(state *crashesState) {
	counts := crashCounts{records: len(state.records.all), errors: map[string]uint64{}}
	for _, reason := range crashErrorReasons {
		counts.errors[reason] = state.errors[reason]
	}
	counts.errors[crashErrorStorage] += state.storage.errors
	s.newest.Store(&counts)
}
