package kernel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// watchVariable has the id and the start time of a process that this executable waits for, as a process of its own.
const watchVariable = "FODC_TEST_WATCH"

func TestMain(m *testing.M) {
	if of := os.Getenv(watchVariable); of != "" {
		watchAsProcess(of)
		return
	}
	os.Exit(m.Run())
}

// watchAsProcess prints a line when it watches, and one with the event.
func watchAsProcess(of string) {
	var pid int
	var started uint64
	_, _ = fmt.Sscan(of, &pid, &started)
	w, err := openExit(pid, started)
	fmt.Println(err)
	if err != nil {
		return
	}
	defer w.close()
	e, err := w.wait(context.Background())
	_ = json.NewEncoder(os.Stdout).Encode(e)
	fmt.Println(err)
}

// process is a shell that waits for a line, and then does what its script says.
type process struct {
	*exec.Cmd
	stdin   io.WriteCloser
	started uint64
}

func startProcess(t *testing.T, script string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("/bin/sh", "-c", "read line; "+script)}
	stdin, err := p.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	p.stdin = stdin
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	stat, err := statOf(p.Process.Pid)
	require.NoError(t, err)
	p.started = stat.Starttime
	return p
}

func (p *process) goOn(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.stdin, "\n")
	require.NoError(t, err)
}

// hasStatus skips the test if the kernel does not tell how a process has ended.
func hasStatus(t *testing.T) {
	t.Helper()
	p := startProcess(t, "exit 0")
	w, err := openExit(p.Process.Pid, p.started)
	require.NoError(t, err)
	defer w.close()
	p.goOn(t)
	require.NoError(t, p.Wait())
	if _, _, err = w.status(w.pid); err != nil {
		t.Skip(err)
	}
}

var endings = []struct {
	script string
	want   Event
}{
	{"exit 0", Event{}},
	{"exit 2", Event{Code: 2}},
	{"exit 255", Event{Code: 255}},
	{"kill -KILL $$", Event{Signal: 9}},
	{"kill -TERM $$", Event{Signal: 15}},
	{"ulimit -c 0; kill -SEGV $$", Event{Signal: 11}},
	{"trap '' TERM; kill -TERM $$; exit 3", Event{Code: 3}},
}

func checkExit(t *testing.T, p *process, want, got Event, from time.Time) {
	t.Helper()
	require.WithinRange(t, got.At, from.Truncate(time.Millisecond), time.Now())
	require.Zero(t, got.At.Nanosecond()%int(time.Millisecond))
	want.Kind, want.PID, want.Comm, want.At = ProcessExit, p.Process.Pid, "sh", got.At
	require.Equal(t, want, got)
}

func TestExitOfAProcess(t *testing.T) {
	hasStatus(t)
	for _, ending := range endings {
		t.Run(ending.script, func(t *testing.T) {
			p := startProcess(t, ending.script)
			w, err := openExit(p.Process.Pid, p.started)
			require.NoError(t, err)
			defer w.close()
			from := time.Now()
			p.goOn(t)
			reaped := make(chan struct{})
			go func() { // The parent asks while the watch waits.
				defer close(reaped)
				_ = p.Wait()
			}()
			e, err := w.wait(t.Context())
			<-reaped
			require.NoError(t, err)
			checkExit(t, p, ending.want, e, from)
		})
	}
}

// A process that has no privilege sees how one of root ends that is not its child.
func TestExitOfAStrangersProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	hasStatus(t)
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	for _, ending := range endings {
		t.Run(ending.script, func(t *testing.T) {
			p := startProcess(t, ending.script)
			watcher := exec.CommandContext(t.Context(), "/proc/self/fd/3")
			watcher.ExtraFiles, watcher.Dir = []*os.File{self}, "/"
			watcher.Env = []string{watchVariable + "=" + fmt.Sprint(p.Process.Pid, p.started)}
			watcher.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := watcher.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, watcher.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			require.Equal(t, "<nil>", lines.Text())
			from := time.Now()
			p.goOn(t)
			_ = p.Wait()
			require.True(t, lines.Scan())
			var e Event
			require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
			require.NoError(t, watcher.Wait())
			e.At = e.At.Local()
			checkExit(t, p, ending.want, e, from)
		})
	}
}

// A parent that does not ask how its child has ended does not hide that it has.
func TestExitOfAProcessThatIsNotReaped(t *testing.T) {
	p := startProcess(t, "exit 2")
	w, err := openExit(p.Process.Pid, p.started)
	require.NoError(t, err)
	defer w.close()
	from := time.Now()
	p.goOn(t)
	e, err := w.wait(t.Context())
	require.NoError(t, err)
	checkExit(t, p, Event{Unknown: true}, e, from)
}

func TestExitWithAnOldKernel(t *testing.T) {
	for _, err := range []error{unix.ENOTTY, unix.EINVAL, unix.ESRCH} {
		p := startProcess(t, "exit 2")
		w, openErr := openExit(p.Process.Pid, p.started)
		require.NoError(t, openErr)
		w.status = func(int) (int32, bool, error) { return 0, false, errors.Join(errNoStatus, err) }
		from := time.Now()
		p.goOn(t)
		e, waitErr := w.wait(t.Context())
		w.close()
		require.NoError(t, waitErr)
		checkExit(t, p, Event{Unknown: true}, e, from)
	}
}

// A process may be reaped while the kernel is asked: then it has no status and no process for a moment.
func TestExitOfAProcessThatIsReapedJustThen(t *testing.T) {
	p := startProcess(t, "exit 2")
	w, err := openExit(p.Process.Pid, p.started)
	require.NoError(t, err)
	defer w.close()
	asked := 0
	w.status = func(int) (int32, bool, error) {
		if asked++; asked == 1 {
			return 0, false, errors.Join(errNoStatus, unix.ESRCH)
		}
		return 0x200, true, nil
	}
	from := time.Now()
	p.goOn(t)
	e, err := w.wait(t.Context())
	require.NoError(t, err)
	checkExit(t, p, Event{Code: 2}, e, from)
}

func TestExitOfAnotherProcess(t *testing.T) {
	p := startProcess(t, "exit 0")
	_, err := WaitExit(t.Context(), p.Process.Pid, p.started+1)
	require.ErrorIs(t, err, ErrNoProcess)
	p.goOn(t)
	require.NoError(t, p.Wait())
	_, err = WaitExit(t.Context(), p.Process.Pid, p.started)
	require.ErrorIs(t, err, ErrNoProcess)
}

func TestExitWaitIsStopped(t *testing.T) {
	files := openFiles(t)
	for _, early := range []bool{true, false} {
		p := startProcess(t, "exit 0")
		ctx, cancel := context.WithCancel(t.Context())
		if early {
			cancel()
		}
		done := make(chan error)
		go func() {
			_, err := WaitExit(ctx, p.Process.Pid, p.started)
			done <- err
		}()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		p.goOn(t)
		require.NoError(t, p.Wait())
	}
	require.LessOrEqual(t, openFiles(t), files)
}

// openFiles counts the descriptors of pidfds and eventfds.
func openFiles(t *testing.T) (n int) {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if _, err := strconv.Atoi(e.Name()); err == nil && to == "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}
