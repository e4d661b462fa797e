package modes

import (
	"context"
	"os"
	"strings"
	"time"

	"fodc/actors"
	"fodc/modes/logsink"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

const (
	// checksPerWatchdog is how often the actors are asked within the interval in which the service
	// manager wants to hear from the process: one check may come late.
	checksPerWatchdog = 3
	// notesWaiting is how many notes to the service manager may wait. Those that are more are dropped.
	notesWaiting = 8
	// lastNoteTimeout bounds how long the end of the process waits until the last note is written.
	lastNoteTimeout = 100 * time.Millisecond
	// maxStatusBytes bounds the line that the service manager shows.
	maxStatusBytes = 300
)

// serviceManager tells the service manager, such as systemd, how the process is: by the protocol of
// sd_notify, if the process was started with NOTIFY_SOCKET. nil: there is none, and nothing is told.
type serviceManager struct {
	log *zap.Logger
	// watchdog is the interval in which the service manager wants to hear that the process is well.
	// 0: it does not want to.
	watchdog time.Duration
	send     func(note string) error
	notes    chan string
	written  chan struct{} // closed when all notes are written
}

// findServiceManager returns the service manager that has started the process, or nil.
func findServiceManager(log *zap.Logger) *serviceManager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil || watchdog < 0 {
		log.Warn("the service manager's watchdog is not served: WATCHDOG_USEC must be a number of microseconds", zap.Error(err))
		watchdog = 0
	}
	return newServiceManager(log, watchdog, func(note string) error {
		_, err := daemon.SdNotify(false, note)
		return err
	})
}

func newServiceManager(log *zap.Logger, watchdog time.Duration, send func(string) error) *serviceManager {
	m := &serviceManager{log: log, watchdog: watchdog, send: send, notes: make(chan string, notesWaiting), written: make(chan struct{})}
	go m.write()
	return m
}

// write sends the notes, one after the other: a service manager that does not read may block it.
func (m *serviceManager) write() {
	defer close(m.written)
	failed := false
	for note := range m.notes {
		err := m.send(note)
		if err != nil && !failed {
			m.log.Warn("cannot tell the service manager how this process is", zap.String("socket", os.Getenv("NOTIFY_SOCKET")), zap.Error(err))
		}
		failed = err != nil
	}
}

// tell sends the lines as one note. It never blocks.
func (m *serviceManager) tell(lines ...string) {
	if m == nil {
		return
	}
	select {
	case m.notes <- strings.Join(lines, "\n"):
	default:
		m.log.Debug("a note to the service manager is dropped: it reads none")
	}
}

// ready says that the process serves, and then that it is well, for as long as its actors answer. The
// returned function ends that.
func (m *serviceManager) ready(sys *actors.System, status string) (stop func()) {
	if m == nil {
		return func() {}
	}
	m.tell(daemon.SdNotifyReady, statusLine(status))
	if m.watchdog == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	answering := sys.Spawn("watchdog", actors.ResumeOnFailure(), func() actors.Actor { return watchdogActor{} })
	go func() {
		defer close(done)
		m.watch(ctx, sys, answering)
	}()
	return func() {
		cancel()
		<-done
		sys.StopAsync(answering)
	}
}

// watch says that the process is well, until ctx ends.
func (m *serviceManager) watch(ctx context.Context, sys *actors.System, answering *actors.PID) {
	state := watchdogState{limit: m.watchdog}
	interval := max(m.watchdog/checksPerWatchdog, time.Millisecond)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		asked, cancel := context.WithTimeout(ctx, interval)
		_, err := actors.Ask[watchdogPong](asked, sys, answering, watchdogPing{})
		cancel()
		if ctx.Err() != nil {
			return
		}
		well, line := state.checked(err, sys.Tree().Actors)
		switch {
		case line != "" && !well:
			m.log.Error("the service manager is not told any more that this process is well, and will restart it", zap.String("reason", line))
			m.tell(statusLine(line))
		case line != "":
			m.log.Info("the service manager is told again that this process is well", zap.String("reason", line))
			m.tell(daemon.SdNotifyWatchdog, statusLine(line))
		case well:
			m.tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// stopping says that the process ends; failure is why, or nil if it was told to.
func (m *serviceManager) stopping(failure error) {
	status := "stopping"
	if failure != nil {
		status = "stopping after a failure: " + failure.Error()
	}
	m.tell(daemon.SdNotifyStopping, statusLine(status))
}

// end waits for a short time until everything is written. Nothing may be told afterwards.
func (m *serviceManager) end() {
	if m == nil {
		return
	}
	close(m.notes)
	select {
	case <-m.written:
	case <-time.After(lastNoteTimeout):
	}
}

// statusLine is what the service manager shows of the process.
func statusLine(text string) string {
	text = logsink.Printable(text)
	if len(text) > maxStatusBytes {
		text = strings.ToValidUTF8(text[:maxStatusBytes], "") + "..."
	}
	return "STATUS=" + text
}

type (
	watchdogPing struct{}
	watchdogPong struct{}
)

// watchdogActor answers, to show that actors run.
type watchdogActor struct{}

func (watchdogActor) Receive(c actors.Context) {
	if _, ok := c.Message().(watchdogPing); ok {
		actors.Reply(c, watchdogPong{})
	}
}
