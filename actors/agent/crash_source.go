package agent

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/crash"
	"fodc/messages"
	"fodc/recorder"
)

// crashReader is a directory or a log.
type crashReader interface {
	// read may block for ever, whatever ctx says.
	read(ctx context.Context, now time.Time) crashRead
	// failed is the result of a read that has failed.
	failed(err error) crashRead
	close()
}

// crashRead is what was read of a directory, or of a log.
type crashRead struct {
	scan *crash.Scan
	log  *crash.LogRead
}

// errCrashBusy cannot happen: the state starts no read before the former one has returned.
var errCrashBusy = errors.New("a former read has not returned")

// newCrashReaders returns the directories, and then the logs.
func newCrashReaders(cfg CrashConfig, changed func(source int)) []crashReader {
	var readers []crashReader
	for i, path := range cfg.Dirs {
		d := &crashDirectory{}
		notify := func() {
			if !d.changed.Swap(true) { // One message for all changes until the next scan.
				changed(i)
			}
		}
		if cfg.unwatched {
			notify = nil
		}
		d.dir = crash.NewDirectory(path, cfg.MaxArtifacts, crash.MaxRecordsBytes/len(cfg.Dirs), notify)
		readers = append(readers, d)
	}
	for _, path := range cfg.Logs {
		readers = append(readers, crashLogFile{crash.NewLogFile(path)})
	}
	return readers
}

type crashDirectory struct {
	dir     *crash.Directory
	changed atomic.Bool // since the last scan began
}

func (d *crashDirectory) read(ctx context.Context, now time.Time) crashRead {
	d.changed.Store(false)
	scan, ok := d.dir.Scan(ctx, now)
	if !ok {
		return d.failed(errCrashBusy)
	}
	return crashRead{scan: &scan}
}

func (d *crashDirectory) failed(err error) crashRead { return crashRead{scan: &crash.Scan{Err: err}} }
func (d *crashDirectory) close()                     { d.dir.Close() }

type crashLogFile struct{ log *crash.LogFile }

func (l crashLogFile) read(ctx context.Context, now time.Time) crashRead {
	read, ok := l.log.Read(ctx, now)
	if !ok {
		return l.failed(errCrashBusy)
	}
	return crashRead{log: &read}
}

func (l crashLogFile) failed(err error) crashRead { return crashRead{log: &crash.LogRead{Err: err}} }
func (l crashLogFile) close()                     { l.log.Close() }

// crashSource answers the questions for crash records.
type crashSource struct {
	sys  *actors.System
	keep *actors.PID
}

// Answer implements Source. A proxy that has the records of the present revision gets only that.
func (s crashSource) Answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) error {
	now, err := actors.Ask[crashSnapshot](ctx, s.sys, s.keep, readCrashes{})
	if err != nil {
		return err
	}
	if !knows(q, now.revision) {
		for _, c := range now.records {
			if err := emit(c); err != nil {
				return err
			}
		}
	}
	return emit(now.revision)
}

// knows reports whether whoever asks has the records of the revision.
func knows(q messages.Question, revision messages.CrashRevision) bool {
	question, ok := q.(messages.CrashQuestion)
	if !ok {
		return false
	}
	for _, known := range question.Known { // It has one entry: that of this agent.
		if known == uint64(revision) {
			return true
		}
	}
	return false
}

// startCrashes starts the actor that finds out about crashes, and makes it the source of their stream. The
// metrics are among the agent's own.
func (a *Agent) startCrashes(cfg *Config) {
	if cfg.Crashes == nil {
		return
	}
	crashes, source, stats := *cfg.Crashes, registrationOf(*cfg).Identity().NodeID, &crashStats{}
	a.crashes = a.sys.Spawn("crashsource", actors.ResumeOnFailure(), func() actors.Actor {
		return newCrashes(a.sys, crashes, source, stats)
	})
	cfg.Sources = withSource(cfg.Sources, messages.StreamCrashes, crashSource{a.sys, a.crashes})
	cfg.more = append(cfg.more, stats.samples)
}

// samples are the metrics of crash records.
func (s *crashStats) samples() []recorder.Sample {
	counts := s.newest.Load()
	if counts == nil {
		return nil
	}
	samples := []recorder.Sample{gauge("fodc_agent_crash_records", "Crash records of the node that the agent has.", float64(counts.records))}
	for _, reason := range crashErrorReasons {
		samples = append(samples, labelled(counter("fodc_agent_crash_source_errors_total",
			"What could not be read of crash artifacts and logs, by reason.", float64(counts.errors[reason])), "reason", reason))
	}
	return samples
}
