package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/crash"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// recordsAt is records whose time is told in seconds after a start.
type recordsAt struct {
	t     *testing.T
	start time.Time
	r     *crashRecords
}

func newRecordsAt(t *testing.T, limit int) *recordsAt {
	start := time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC)
	return &recordsAt{t: t, start: start, r: newCrashRecords("n1", limit, start)}
}

func (r *recordsAt) at(seconds float64) time.Time {
	return r.start.Add(time.Duration(seconds * float64(time.Second)))
}

func (r *recordsAt) panics(at float64, value string, fields ...string) *messages.PanicRecord {
	p := &messages.PanicRecord{OccurredAt: r.at(at), Component: "c", PanicValue: value, ProcessMetadata: map[string]string{}}
	for i := 0; i < len(fields); i += 2 {
		p.ProcessMetadata[fields[i]] = fields[i+1]
	}
	return p
}

func (r *recordsAt) artifact(at float64, value string, fields ...string) *messages.Crash {
	return &messages.Crash{FetchedAt: r.at(at), ArtifactDir: fmt.Sprintf("/crash/%g", at), Panic: *r.panics(at, value, fields...)}
}

func (r *recordsAt) exit(at float64, pid int, signal string, code int) crash.Exit {
	return crash.Exit{At: r.at(at), PID: pid, Signal: signal, Code: code, Text: "ended by " + signal}
}

// shows expects the records as they are shown.
func (r *recordsAt) shows(want ...string) {
	r.t.Helper()
	got := []string{}
	for _, c := range r.r.all {
		require.Equal(r.t, "n1", c.SourceEndpoint)
		text := fmt.Sprintf("%g %s", c.Panic.OccurredAt.Sub(r.start).Seconds(), c.Panic.PanicValue)
		for _, name := range []string{"pid", "exit_signal", "exit_code", "out_of_memory", "log_file"} {
			if v, ok := c.Panic.ProcessMetadata[name]; ok {
				text += " " + name + "=" + v
			}
		}
		got = append(got, text)
	}
	require.Equal(r.t, append([]string{}, want...), got)
}

// The end of a process becomes a part of the record of its crash, whichever of both comes first.
func TestExitsAreMerged(t *testing.T) {
	f := func(name string, do func(r *recordsAt), want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			r := newRecordsAt(t, 64)
			do(r)
			r.shows(want...)
		})
	}
	told := func(r *recordsAt, p *messages.PanicRecord) { r.r.told("/log/a", p, r.at(50)) }
	f("after a log", func(r *recordsAt) {
		told(r, r.panics(0, "boom"))
		r.r.exited("/log/a", r.exit(1, 5, "SIGABRT", -1), r.at(1))
		r.r.exited("/log/a", r.exit(1, 0, "", 134), r.at(1))
	}, "0 boom pid=5 exit_signal=SIGABRT exit_code=134")
	f("before a log", func(r *recordsAt) {
		r.r.exited("", r.exit(1, 5, "SIGABRT", -1), r.at(1))
		r.r.due(r.at(5))
		told(r, r.panics(0, "boom", "pid", "5"))
		r.r.due(r.at(60))
	}, "0 boom pid=5 exit_signal=SIGABRT")
	f("after an artifact", func(r *recordsAt) {
		r.r.scanned("/crash", []*messages.Crash{r.artifact(0, "boom")}, r.at(1))
		r.r.exited("", r.exit(1, 5, "", 2), r.at(1))
	}, "0 boom pid=5 exit_code=2")
	f("before an artifact", func(r *recordsAt) {
		r.r.exited("", r.exit(1, 5, "", 2), r.at(1))
		r.r.scanned("/crash", []*messages.Crash{r.artifact(0, "boom"), r.artifact(-100, "old")}, r.at(1))
	}, "-100 old", "0 boom pid=5 exit_code=2")
	f("told by the kernel alone", func(r *recordsAt) {
		r.r.exited("", r.exit(1, 5, "SIGKILL", -1), r.at(1))
		r.r.due(r.at(6))
		require.Equal(t, "kernel", r.r.all[0].Panic.Component)
	}, "1 ended by SIGKILL pid=5 exit_signal=SIGKILL")
	f("of another process", func(r *recordsAt) {
		told(r, r.panics(0, "boom", "pid", "4"))
		r.r.exited("/log/a", r.exit(1, 5, "SIGKILL", -1), r.at(1))
		r.r.due(r.at(6))
	}, "0 boom pid=4", "1 ended by SIGKILL pid=5 exit_signal=SIGKILL log_file=a")
	f("a kill of who knows which process", func(r *recordsAt) {
		told(r, r.panics(0, "boom"))
		r.r.exited("/log/a", r.exit(1, 0, "SIGKILL", -1), r.at(1))
		r.r.exited("/log/a", r.exit(1, 0, "SIGSEGV", -1), r.at(1))
		r.r.exited("/log/a", r.exit(2, 0, "", 2), r.at(2))
		r.r.due(r.at(7))
	}, "0 boom exit_signal=SIGSEGV exit_code=2", "1 ended by SIGKILL exit_signal=SIGKILL log_file=a")
	f("a kill of that process", func(r *recordsAt) {
		told(r, r.panics(0, "boom", "pid", "5"))
		r.r.exited("/log/a", r.exit(1, 5, "SIGKILL", -1), r.at(1))
	}, "0 boom pid=5 exit_signal=SIGKILL")
	f("far away in time", func(r *recordsAt) {
		told(r, r.panics(0, "boom"))
		r.r.exited("/log/a", r.exit(-3, 0, "SIGKILL", -1), r.at(1))
		r.r.exited("/log/a", r.exit(11, 0, "SIGSEGV", -1), r.at(11))
		r.r.due(r.at(16))
	}, "-3 ended by SIGKILL exit_signal=SIGKILL log_file=a", "0 boom", "11 ended by SIGSEGV exit_signal=SIGSEGV log_file=a")
	f("of a panic that was recovered", func(r *recordsAt) {
		p := r.panics(0, "boom")
		p.Recovered = true
		told(r, p)
		r.r.exited("/log/a", r.exit(1, 0, "SIGKILL", -1), r.at(1))
		r.r.due(r.at(6))
	}, "0 boom", "1 ended by SIGKILL exit_signal=SIGKILL log_file=a")
	f("no record waits too long", func(r *recordsAt) {
		r.r.exited("/log/a", r.exit(0, 0, "SIGKILL", -1), r.at(0))
		require.Equal(t, r.at(5), r.r.nextDue())
		r.r.due(r.at(4.9))
	})
	f("of no failure", func(r *recordsAt) {
		r.r.exited("", r.exit(0, 5, "", 1), r.at(0))
		r.r.due(r.at(5))
		require.Zero(t, r.r.nextDue())
	})
	f("that is told several times", func(r *recordsAt) {
		r.r.exited("/log/a", r.exit(0, 0, "SIGKILL", -1), r.at(0))
		oom := r.exit(1, 5, "SIGKILL", -1)
		oom.OutOfMemory = true
		r.r.exited("/log/a", oom, r.at(1))
		r.r.exited("/log/a", r.exit(1, 5, "", 137), r.at(1))
		r.r.due(r.at(5))
		r.r.exited("", r.exit(2, 5, "SIGKILL", -1), r.at(6))
		r.r.due(r.at(60))
	}, "0 ended by SIGKILL pid=5 exit_signal=SIGKILL exit_code=137 out_of_memory=true log_file=a")
}

// What a log tells of a crash of which there is an artifact is a part of that.
func TestOneCrashIsOneRecord(t *testing.T) {
	r := newRecordsAt(t, 64)
	logged := r.panics(1, "boom [recovered]", "log_file", "a")
	logged.GoroutineStack = "goroutine 1"
	require.Len(t, r.r.told("/log/a", logged, r.at(2)), 1)
	r.shows("1 boom [recovered] log_file=a")
	require.Len(t, r.r.scanned("/crash", []*messages.Crash{r.artifact(0, "boom", "pid", "5")}, r.at(3)), 1)
	r.shows("0 boom pid=5 log_file=a")
	require.Equal(t, "goroutine 1", r.r.all[0].Panic.GoroutineStack)
	require.Empty(t, r.r.told("/log/a", r.panics(2, "boom", "pid", "5"), r.at(3)))
	require.Len(t, r.r.told("/log/a", r.panics(2.5, "boom", "pid", "6"), r.at(3)), 1)
	require.Len(t, r.r.told("/log/a", r.panics(11, "boom"), r.at(11)), 1)
	require.Len(t, r.r.told("/log/a", r.panics(1.5, "other"), r.at(11)), 1)
	r.shows("0 boom pid=5 log_file=a", "1.5 other", "2.5 boom pid=6", "11 boom")
	r.r.scanned("/crash", nil, r.at(12))
	r.shows("1 boom [recovered] log_file=a", "1.5 other", "2 boom pid=5", "2.5 boom pid=6", "11 boom")
}

// The revision changes with each record that is added, changed or removed, and with nothing else.
func TestCrashRevision(t *testing.T) {
	r := newRecordsAt(t, 64)
	last := r.r.revision
	require.Equal(t, uint64(r.start.UnixNano()), last)
	changes := func(want bool, do func()) {
		t.Helper()
		do()
		require.Equal(t, want, r.r.revision > last, "%d, %d before", r.r.revision, last)
		last = r.r.revision
	}
	one := r.artifact(0, "one", "pid", "4")
	scanned := func(a ...*messages.Crash) func() { return func() { r.r.scanned("/crash", a, r.at(0)) } }
	changes(false, scanned())
	changes(true, scanned(one))
	first := r.r.all[0]
	changes(false, scanned(one))
	changes(false, func() { same := *one; scanned(&same)() })
	require.Same(t, first, r.r.all[0])
	changes(true, func() { more := *one; more.Files = []string{"a"}; scanned(&more)() })
	changes(true, scanned(one, r.artifact(-1, "two")))
	changes(false, scanned(r.artifact(-1, "two"), one))
	changes(true, scanned(one))
	changes(true, func() { r.r.told("/log/a", r.panics(0, "three"), r.at(0)) })
	changes(true, func() { r.r.exited("", r.exit(0, 5, "SIGABRT", -1), r.at(0)) })
	changes(false, func() { r.r.exited("", r.exit(0, 5, "SIGABRT", -1), r.at(0)) })
	changes(false, func() { r.r.exited("", r.exit(0, 77, "SIGABRT", -1), r.at(0)) })
	changes(true, func() { r.r.due(r.at(6)) })
	changes(true, scanned())
	require.Greater(t, newCrashRecords("n1", 64, r.at(1)).revision, newRecordsAt(t, 64).r.revision, "a later process begins above an earlier one")
}

// The newest are kept, of artifacts and of logs each; no two of a log have the same time.
func TestCrashRecordsAreBounded(t *testing.T) {
	r := newRecordsAt(t, 3)
	for i := range 5 {
		r.r.scanned(fmt.Sprintf("/crash%d", i), []*messages.Crash{r.artifact(float64(i), "artifact")}, r.at(9))
		r.r.told("/log/a", r.panics(10, "log"), r.at(9))
	}
	require.Len(t, r.r.all, 6)
	require.Equal(t, r.at(2), r.r.all[0].Panic.OccurredAt)
	require.Equal(t, []time.Duration{2, 3, 4}, []time.Duration{r.r.all[3].Panic.OccurredAt.Sub(r.at(10)),
		r.r.all[4].Panic.OccurredAt.Sub(r.at(10)), r.r.all[5].Panic.OccurredAt.Sub(r.at(10))})

	r = newRecordsAt(t, 1000)
	for i := range 100 {
		p := r.panics(float64(i), "log")
		p.GoroutineStack = strings.Repeat("x", 256<<10)
		r.r.told("/log/a", p, r.at(200))
	}
	bytes := 0
	for _, c := range r.r.all {
		bytes += c.MemoryBytes()
	}
	require.LessOrEqual(t, bytes, crash.MaxRecordsBytes)
	require.Greater(t, bytes, crash.MaxRecordsBytes*9/10)
	require.Equal(t, r.at(99), r.r.all[len(r.r.all)-1].Panic.OccurredAt)
	for i := range 2 * maxExits {
		r.r.exited("/log/a", r.exit(1000+100*float64(i), 0, "SIGKILL", -1), r.at(1000))
	}
	require.Len(t, r.r.waiting, maxExits)
}
