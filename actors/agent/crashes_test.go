package agent

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/agent/crash"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// fakeCrashes are directories and logs that a test sets.
type fakeCrashes struct {
	readers []*fakeCrashReader
	changed func(source int)
}

// fakeCrashReader is a directory or a log.
type fakeCrashReader struct {
	isLog  bool
	mu     sync.Mutex
	next   func(ctx context.Context) crashRead
	begun  int
	times  []time.Time
	closed bool
}

func (f *fakeCrashReader) read(ctx context.Context, now time.Time) crashRead {
	f.mu.Lock()
	f.begun++
	f.times = append(f.times, now)
	next := f.next
	f.mu.Unlock()
	return next(ctx)
}

func (f *fakeCrashReader) failed(err error) crashRead {
	if f.isLog {
		return crashLogFile{}.failed(err)
	}
	return new(crashDirectory).failed(err)
}

func (f *fakeCrashReader) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

// does says what the next reads do.
func (f *fakeCrashReader) does(next func(context.Context) crashRead) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

// reads returns how many have begun, and when since the last call.
func (f *fakeCrashReader) reads() (begun int, times []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	times, f.times = f.times, nil
	return f.begun, times
}

func (f *fakeCrashReader) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// withCrashes gives the agent directories and logs.
func (w *world) withCrashes(dirs, logs int) *fakeCrashes {
	f := &fakeCrashes{}
	cfg := &CrashConfig{MaxArtifacts: 64}
	for i := range dirs + logs {
		r := &fakeCrashReader{next: func(context.Context) crashRead { return crashRead{scan: &crash.Scan{}} }}
		if i < dirs {
			cfg.Dirs = append(cfg.Dirs, fmt.Sprintf("/crash/%d", i))
		} else {
			cfg.Logs = append(cfg.Logs, fmt.Sprintf("/log/%d", i-dirs))
			r.isLog, r.next = true, func(context.Context) crashRead { return crashRead{log: &crash.LogRead{}} }
		}
		f.readers = append(f.readers, r)
	}
	cfg.readers = func(changed func(int)) []crashReader {
		f.changed = changed
		var readers []crashReader
		for _, r := range f.readers {
			readers = append(readers, r)
		}
		return readers
	}
	w.cfg.Crashes = cfg
	return f
}

// scans makes a directory have the artifacts.
func (f *fakeCrashReader) scans(scan crash.Scan) {
	f.does(func(context.Context) crashRead { return crashRead{scan: &scan} })
}

// tells makes the next read of a log find something.
func (f *fakeCrashReader) tells(read crash.LogRead) {
	f.does(func(context.Context) crashRead {
		f.does(func(context.Context) crashRead { return crashRead{log: &crash.LogRead{}} })
		return crashRead{log: &read}
	})
}

func (w *world) artifact(value string) *messages.Crash {
	return &messages.Crash{FetchedAt: time.Now(), ArtifactDir: "/crash/" + value,
		Panic: messages.PanicRecord{OccurredAt: time.Now().UTC(), Component: "storage", PanicValue: value}}
}

// asksCrashes asks for crash records as a proxy does, and returns the values of the panics.
func (w *world) asksCrashes(known uint64) (values []string, revision uint64) {
	w.t.Helper()
	values = []string{}
	err := crashSource{w.sys, w.agent.crashes}.Answer(w.t.Context(), messages.CrashQuestion{Known: map[string]uint64{"": known}}, func(p messages.Part) error {
		require.Zero(w.t, revision, "nothing comes behind the revision")
		switch p := p.(type) {
		case *messages.Crash:
			values = append(values, p.Panic.PanicValue)
		case messages.CrashRevision:
			revision = uint64(p)
		}
		return nil
	})
	require.NoError(w.t, err)
	require.NotZero(w.t, revision)
	return values, revision
}

// crashMetric returns a metric as the agent has recorded it.
func (w *world) crashErrors() map[string]float64 {
	w.t.Helper()
	w.pass(w.cfg.ScrapeInterval)
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
	require.NoError(w.t, err)
	all := map[string]float64{}
	for i := range blocks {
		for f := range blocks[i].Each() {
			for at, s := range f.Series {
				if value := f.ValuesOf(at)[0]; f.Name == "fodc_agent_crash_source_errors_total" && value > 0 {
					all[string(s.Labels)] = value
				}
			}
		}
	}
	return all
}

// Records come in the order of their time, and are sent again when something has changed.
func TestCrashRecordsAreAnswered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(2, 1)
		w.run()
		values, none := w.asksCrashes(0)
		require.Empty(t, values)
		require.GreaterOrEqual(t, none, uint64(w.start.UnixNano()))
		one := w.artifact("one")
		w.pass(time.Second)
		two := w.artifact("two")
		f.readers[0].scans(crash.Scan{Artifacts: []*messages.Crash{two}})
		f.readers[1].scans(crash.Scan{Artifacts: []*messages.Crash{one}})
		w.pass(crashScanInterval)
		values, revision := w.asksCrashes(none)
		require.Equal(t, []string{"one", "two"}, values)
		values, _ = w.asksCrashes(revision)
		require.Empty(t, values)
		f.readers[2].tells(crash.LogRead{Found: []crash.Found{{Panic: &messages.PanicRecord{OccurredAt: time.Now(), PanicValue: "three"}}}})
		w.pass(crashLogInterval)
		values, next := w.asksCrashes(revision)
		require.Equal(t, []string{"one", "two", "three"}, values)
		require.Greater(t, next, revision)
		require.Equal(t, []string{"2 crashes of the node have been found, the newest of 2000-01-01T00:00:01Z: storage: two",
			"a crash of the node has been found, of 2000-01-01T00:00:31Z: : three"}, oneOf(w.lines("of the node ha")))
	})
}

// oneOf returns the lines, of which the first may come in two parts: directories are read at the same time.
func oneOf(lines []string) []string {
	if len(lines) == 3 {
		return append([]string{"2 crashes of the node have been found, the newest of 2000-01-01T00:00:01Z: storage: two"}, lines[2])
	}
	return lines
}

// A directory is scanned each 30 s, soon again while something is being written, and when the system
// tells of a change, but not all the time.
func TestCrashDirectoriesAreScanned(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(1, 0)
		d := f.readers[0]
		w.run()
		begins := func(within time.Duration, want ...float64) {
			t.Helper()
			d.reads()
			from := time.Now()
			w.pass(within)
			got := []float64{}
			_, times := d.reads()
			for _, at := range times {
				got = append(got, at.Sub(from).Seconds())
			}
			require.Equal(t, append([]float64{}, want...), got)
		}
		begins(60*time.Second, 30, 60)
		d.scans(crash.Scan{Waiting: true})
		begins(36*time.Second, 30, 32, 34, 36)
		d.scans(crash.Scan{})
		begins(62*time.Second, 2, 32, 62)
		w.pass(10 * time.Second)
		f.changed(0)
		f.changed(0)
		begins(20*time.Second, 0.2)
		for range 30 {
			f.changed(0)
			w.pass(100 * time.Millisecond)
		}
		_, times := d.reads()
		require.Len(t, times, 3, "once a second")
		w.pass(30 * time.Second)

		// A change during a slow scan is looked at after that, when the pause is over.
		d.does(func(context.Context) crashRead {
			<-time.After(3 * time.Second)
			return crashRead{scan: &crash.Scan{}}
		})
		f.changed(0)
		w.pass(time.Second)
		f.changed(0)
		begins(20*time.Second, 2.2+4*3)
	})
}

// A log is read each second, and on and on while there is more.
func TestNodeLogsAreRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(0, 1)
		l := f.readers[0]
		w.run()
		w.pass(10 * time.Second)
		begun, _ := l.reads()
		require.Equal(t, 11, begun)
		left := 5
		l.does(func(context.Context) crashRead {
			left--
			return crashRead{log: &crash.LogRead{More: left > 0}}
		})
		w.pass(time.Second)
		begun, _ = l.reads()
		require.Equal(t, 16, begun)
		l.tells(crash.LogRead{Skipped: 5000, Dropped: 3})
		w.pass(time.Second)
		require.Equal(t, []string{"a part of the node's log is left out: it grows faster than it is read: /log/0: 5000 bytes, 3 crashes"}, w.lines("is left out"))
		require.Equal(t, map[string]float64{`reason="skipped"`: 1}, w.crashErrors())
	})
}

// What cannot be read is logged when that begins and ends, and is in the agent's health; it delays no other source.
func TestCrashSourcesFail(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(2, 1)
		hang := make(chan struct{})
		f.readers[0].does(func(context.Context) crashRead {
			<-hang
			return crashRead{scan: &crash.Scan{}}
		})
		f.readers[1].scans(crash.Scan{Err: &fs.PathError{Op: "stat", Path: "/crash/1", Err: fs.ErrNotExist}})
		f.readers[2].does(func(context.Context) crashRead { panic("a secret") })
		w.run()
		w.pass(time.Minute)
		for i, want := range []int{1, 13, 61} {
			begun, _ := f.readers[i].reads()
			require.Equal(t, want, begun)
		}
		require.ElementsMatch(t, []string{
			"the directory of crash artifacts /crash/0 cannot be read: it does not answer",
			"the directory of crash artifacts /crash/1 cannot be read: stat /crash/1: file does not exist",
			"the node's log /log/0 cannot be read: unexpected string"}, w.lines("cannot be read"))
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, &messages.CrashHealth{Sources: []messages.CrashSourceHealth{
			{Kind: "directory", Path: "/crash/0", Error: "it does not answer"},
			{Kind: "directory", Path: "/crash/1", Error: "stat /crash/1: file does not exist"},
			{Kind: "log", Path: "/log/0", Error: "unexpected string"}}}, h.Crashes)
		require.Equal(t, map[string]float64{`reason="hangs"`: 1, `reason="source"`: 70}, w.crashErrors())

		f.readers[0].scans(crash.Scan{})
		f.readers[1].scans(crash.Scan{Problems: []crash.Problem{{Name: "a\nb", Reason: crash.ReasonLink, Err: errors.New("no")}}, Unnamed: 7})
		f.readers[2].tells(crash.LogRead{})
		close(hang)
		w.pass(crashScanInterval)
		require.Len(t, w.lines(" is read"), 3)
		require.Equal(t, []string{`a crash artifact is left out: /crash/1: "a\nb": no`}, w.lines("a crash artifact is left out")[:1])
		require.Equal(t, []string{`further crash artifacts are left out: /crash/1: 7`}, w.lines("further")[:1])
		w.stop()
		for _, r := range f.readers {
			require.True(t, r.isClosed())
		}
	})
}

// A source that hangs does not keep the agent from stopping.
func TestStopWhileACrashSourceHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(1, 0)
		hang := make(chan struct{})
		defer close(hang)
		f.readers[0].does(func(context.Context) crashRead { <-hang; return crashRead{scan: &crash.Scan{}} })
		w.run()
		start := time.Now()
		w.stop()
		require.Zero(t, time.Since(start))
	})
}

// onDisk gives the agent a directory of artifacts and a log, with files.
func (w *world) onDisk() (dir, log string) {
	root := w.t.TempDir()
	dir, log = filepath.Join(root, "crash"), filepath.Join(root, "node.log")
	w.cfg.Crashes = &CrashConfig{Dirs: []string{dir}, Logs: []string{log}, MaxArtifacts: 64, unwatched: true,
		RecordsFile: filepath.Join(root, "records")}
	return dir, log
}

func (w *world) write(path, text string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(w.t, err)
	defer file.Close()
	_, err = file.WriteString(text)
	require.NoError(w.t, err)
}

// Records survive the agent: those of artifacts because these are on disk, those of logs in a file.
func TestCrashRecordsSurviveTheAgent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir, log := w.onDisk()
		w.run()
		w.pass(time.Second)
		w.write(filepath.Join(dir, "20000101T000000Z-storage-7", "panic.json"), `{"panicValue":"written","goroutineStack":"g"}`)
		w.write(log, "panic: told\n\ngoroutine 1 [running]:\nmain.main()\nexit status 2\nAborted\n")
		w.pass(crashScanInterval + exitWait)
		values, revision := w.asksCrashes(0)
		require.Equal(t, []string{"written", "told"}, values)
		w.stop()

		w.write(log, "Killed\n") // nobody is there
		w.run()
		w.pass(time.Second)
		values, later := w.asksCrashes(revision)
		require.Equal(t, []string{"written", "told"}, values)
		require.Greater(t, later, revision)
		w.write(log, "panic: again\nexit status 2\n")
		w.pass(time.Second)
		values, _ = w.asksCrashes(later)
		require.Equal(t, []string{"written", "told", "again"}, values)
		records, _, err := crash.ReadRecords(w.cfg.Crashes.RecordsFile)
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.Equal(t, "SIGABRT", records[0].Panic.ProcessMetadata["exit_signal"])
		require.Equal(t, "2", records[0].Panic.ProcessMetadata["exit_code"])
	})
}

// A disk that fails or hangs costs no record of this process, and they are written when it works again.
func TestCrashRecordsOnADiskThatFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, log := w.onDisk()
		disk := make(chan error, 1) // how it does; empty while it hangs
		disk <- errors.New("no disk")
		w.cfg.Crashes.Lock = func() error {
			err := <-disk
			disk <- err
			return err
		}
		require.NoError(t, crash.WriteRecords(w.cfg.Crashes.RecordsFile, []*messages.Crash{w.artifact("old")}))
		w.run()
		w.pass(time.Second)
		w.write(log, "panic: one\nexit status 2\n")
		w.pass(time.Minute)
		values, _ := w.asksCrashes(0)
		require.Equal(t, []string{"one"}, values)
		require.Equal(t, []string{"crash records that logs have told of are not on disk: no disk"}, w.lines("on disk"))
		<-disk
		disk <- nil
		w.pass(crashSaveRetry)
		values, _ = w.asksCrashes(0)
		require.Equal(t, []string{"old", "one"}, values)
		w.pass(time.Second)
		records, _, err := crash.ReadRecords(w.cfg.Crashes.RecordsFile)
		require.NoError(t, err)
		require.Len(t, records, 2)

		<-disk
		for i := range 3 {
			w.write(log, fmt.Sprintf("panic: %d\nexit status 2\n", i))
			w.pass(time.Minute)
		}
		require.Contains(t, w.lines("on disk"), "crash records that logs have told of are not on disk: the disk does not answer")
		values, _ = w.asksCrashes(0)
		require.Len(t, values, 5)
		disk <- nil
		w.pass(time.Second)
		records, _, err = crash.ReadRecords(w.cfg.Crashes.RecordsFile)
		require.NoError(t, err)
		require.Len(t, records, 5)
	})
}

// Nothing of a secret is in what the agent tells of a crash, in its log or in its health.
func TestCrashesAreMasked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const secret = "hunter2hunter2"
		dir, log := w.onDisk()
		w.run()
		w.pass(time.Second)
		w.write(filepath.Join(dir, "20000101T000000Z-storage-7", "panic.json"), `{"panicValue":"password=`+secret+`","processMetadata":{"token":"`+secret+`"}}`)
		w.write(filepath.Join(dir, "20000101T000000Z-storage-8", "panic.json"), `{"panicValue":"password=`+secret+``)
		w.write(log, `{"level":"panic","message":"password=`+secret+`"}`+"\npanic: dial postgres://u:"+secret+"@h/\n\ngoroutine 1 [running]:\nmain.f(token="+secret+")\nrun.sh: line 5: 77 Killed   ./db --password "+secret+"\n")
		w.pass(3 * time.Minute)
		shown, err := actorsAnswer(w)
		require.NoError(t, err)
		require.Len(t, shown, 3)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		text, err := json.Marshal([]any{shown, h})
		require.NoError(t, err)
		require.NotContains(t, string(text), secret)
		require.Contains(t, string(text), "***")
		require.Len(t, w.lines("is left out"), 1)
		for _, e := range w.logs.All() {
			require.NotContains(t, fmt.Sprint(e.Message, e.ContextMap()), secret)
		}
		kept, err := os.ReadFile(w.cfg.Crashes.RecordsFile)
		require.NoError(t, err)
		require.False(t, strings.Contains(string(kept), secret))
	})
}

func actorsAnswer(w *world) (all []*messages.Crash, err error) {
	err = crashSource{w.sys, w.agent.crashes}.Answer(w.t.Context(), messages.CrashQuestion{}, func(p messages.Part) error {
		if c, ok := p.(*messages.Crash); ok {
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

// An answer ends when nobody takes it any more.
func TestCrashAnswerIsCut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withCrashes(1, 0)
		f.readers[0].scans(crash.Scan{Artifacts: []*messages.Crash{w.artifact("one")}})
		w.run()
		gone := errors.New("gone")
		err := crashSource{w.sys, w.agent.crashes}.Answer(t.Context(), messages.CrashQuestion{}, func(messages.Part) error { return gone })
		require.ErrorIs(t, err, gone)
	})
}

// The page is also what docs/metrics.md is compared with.
func TestCrashMetrics(t *testing.T) {
	r := newRecordsAt(t, 64)
	r.r.scanned("/crash", []*messages.Crash{r.artifact(0, "boom")}, r.at(0))
	s := newCrashesState(nil, nil, r.r, false, r.at(0))
	for i, reason := range crashErrorReasons {
		s.errors[reason] = uint64(i)
	}
	var stats crashStats
	require.Empty(t, stats.samples())
	stats.set(s)
	page := pageOf(stats.samples())
	const golden = "testdata/crashes.prom"
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(golden, []byte(page), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), page)
}
