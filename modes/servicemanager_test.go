package modes

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestWatchdogState(t *testing.T) {
	busy := func(seconds float64) []messages.ActorNode {
		return []messages.ActorNode{{ID: "recorder-1"}, {ID: "link-1", Children: []messages.ActorNode{{ID: "link-1/uplink-1", Busy: "answer", BusySeconds: seconds}}}}
	}
	s := watchdogState{limit: time.Minute}
	f := func(pingErr error, actors []messages.ActorNode, wantWell bool, wantLine string) {
		t.Helper()
		well, line := s.checked(pingErr, actors)
		require.Equal(t, wantWell, well)
		require.Equal(t, wantLine, line)
	}
	f(nil, nil, true, "")
	f(nil, busy(60), true, "")
	f(nil, busy(60.1), false, `actor link-1/uplink-1 has been busy with "answer" for 60.1 s, the limit is 1m0s`)
	f(nil, busy(80.1), false, "")
	f(nil, busy(0), true, "the actors answer again")
	f(nil, busy(0), true, "")
	f(context.DeadlineExceeded, busy(0), false, "no actor answers: context deadline exceeded")
	f(context.DeadlineExceeded, busy(99), false, "")
	f(nil, busy(99), false, "")
	f(nil, nil, true, "the actors answer again")
}

// managed is a service manager that writes down what it is told, and when.
type managed struct {
	*serviceManager
	begin time.Time
	mu    sync.Mutex
	told  []string
}

func newManaged(log *zap.Logger, watchdog time.Duration) *managed {
	m := &managed{begin: time.Now()}
	m.serviceManager = newServiceManager(log, watchdog, func(note string) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.told = append(m.told, time.Since(m.begin).String()+" "+strings.ReplaceAll(note, "\n", " "))
		return nil
	})
	return m
}

func (m *managed) take() []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.told = nil }()
	return m.told
}

// The service manager hears from a process whose actors answer, and not from one in which an actor is stuck.
func TestServiceManagerHearsWhileActorsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.ErrorLevel)
		sys := actors.NewSystem(zap.New(core))
		release := make(chan struct{})
		pid := sys.Spawn("stuck", actors.ResumeOnFailure(), func() actors.Actor { return stuck{release} })
		m := newManaged(zap.New(core), 30*time.Second)
		stop := m.ready(sys, "serving")
		require.Equal(t, []string{"0s READY=1 STATUS=serving", "0s WATCHDOG=1"}, m.take())
		time.Sleep(20 * time.Second)
		require.Equal(t, []string{"10s WATCHDOG=1", "20s WATCHDOG=1"}, m.take())
		sys.Send(pid, "hold this")
		time.Sleep(30 * time.Second)
		require.Len(t, m.take(), 3)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{`1m0s STATUS=actor stuck-1 has been busy with "string" for 40.0 s, the limit is 30s`}, m.take())
		require.Equal(t, 1, logs.Len())
		time.Sleep(20 * time.Second)
		require.Empty(t, m.take())
		close(release)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"1m30s WATCHDOG=1 STATUS=the actors answer again"}, m.take())
		stop()
		time.Sleep(time.Hour)
		require.Empty(t, m.take())
		m.stopping(errors.New("the disk\nis gone"))
		m.end()
		require.Equal(t, []string{`1h1m30s STOPPING=1 STATUS=stopping after a failure: the disk\nis gone`}, m.take())
		require.NoError(t, sys.Stop(t.Context(), pid))
	})
}

// A service manager that reads nothing holds nothing up.
func TestServiceManagerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := newServiceManager(zap.NewNop(), 0, func(string) error { <-release; return nil })
		begin := time.Now()
		for range 10 * notesWaiting {
			m.tell("STATUS=x")
		}
		m.end()
		require.Equal(t, lastNoteTimeout, time.Since(begin))
		close(release)
	})
}

func TestServiceManagerThatIsGoneIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		m := newServiceManager(zap.New(core), 0, func(string) error { return errors.New("connection refused") })
		m.tell("READY=1")
		m.tell("STOPPING=1")
		m.end()
		require.Equal(t, 1, logs.Len())
	})
}

func TestStatusLine(t *testing.T) {
	require.Equal(t, `STATUS=a\nREADY=1`, statusLine("a\nREADY=1"))
	long := statusLine(strings.Repeat("ü", 200))
	require.Equal(t, "STATUS="+strings.Repeat("ü", maxStatusBytes/2)+"...", long)
	require.Equal(t, "STATUS=x"+strings.Repeat("ü", maxStatusBytes/2-1)+"...", statusLine("x"+strings.Repeat("ü", 200)))
}

// listenAsServiceManager makes this process one that a service manager has started.
func listenAsServiceManager(t *testing.T) (next func() string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Skipf("this system has no sockets of the kind that systemd uses: %v", err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return func() string {
		note := make([]byte, 1024)
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(time.Minute)))
		n, err := socket.Read(note)
		require.NoError(t, err)
		return string(note[:n])
	}
}

// A whole run, over a real socket.
func TestServiceManagerIsToldOfAMode(t *testing.T) {
	next := listenAsServiceManager(t)
	t.Setenv("WATCHDOG_USEC", "60000000")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- await(ctx, actors.NewSystem(zap.NewNop()), zap.NewNop(), newFakeMode(func(context.Context) error { return nil }), newFakeMode(func(context.Context) error { return nil }))
	}()
	require.Equal(t, "READY=1\nSTATUS=fake; fake", next())
	require.Equal(t, "WATCHDOG=1", next())
	cancel()
	require.Equal(t, "STOPPING=1\nSTATUS=stopping", next())
	require.NoError(t, <-ended)
}

// What the environment says of another process, or cannot mean, is no reason to end.
func TestServiceManagerOfTheEnvironment(t *testing.T) {
	f := func(usec, pid string, want time.Duration, wantWarnings int) {
		t.Run(usec+" "+pid, func(t *testing.T) {
			listenAsServiceManager(t)
			t.Setenv("WATCHDOG_USEC", usec)
			t.Setenv("WATCHDOG_PID", pid)
			core, logs := observer.New(zapcore.WarnLevel)
			m := findServiceManager(zap.New(core))
			defer m.end()
			require.Equal(t, want, m.watchdog)
			require.Equal(t, wantWarnings, logs.Len())
		})
	}
	f("", "", 0, 0)
	f("5000000", "", 5*time.Second, 0)
	f("5000000", "1", 0, 0) // of another process
	f("x", "", 0, 1)
	f("0", "", 0, 1)
	f("9223372036854775807", "", 0, 1) // more than a duration can be
}

func TestNoServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := findServiceManager(zap.NewNop())
	require.Nil(t, m)
	m.ready(nil, "")()
	m.stopping(nil)
	m.end()
}
