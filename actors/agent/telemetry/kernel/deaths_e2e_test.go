//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// punctual is how far an event's time may be from the time at which it was made to happen.
const punctual = 100 * time.Millisecond

var deaths = []struct {
	name string
	// orders are said to the node first. kill is what a shell does then, with the node's id.
	orders []string
	kill   string
	signal Event
	exit   Event
}{
	{"KillByAShell", nil, "kill -KILL %d; :", Event{Signal: 9, Sender: SenderProcess}, Event{Signal: 9}},
	{"TermByAShell", []string{"default 15"}, "kill -TERM %d; :", Event{Signal: 15, Sender: SenderProcess}, Event{Signal: 15}},
	{"Exit0", []string{"exit 0"}, "", Event{}, Event{}},
	{"Exit2", []string{"exit 2"}, "", Event{}, Event{Code: 2}},
	{"Exit255", []string{"exit 255"}, "", Event{}, Event{Code: 255}},
	{"Panic", []string{"panic"}, "", Event{}, Event{Code: 2}},
	{"FaultOfAThread", []string{"default 11", "fault"}, "", Event{Signal: 11, Sender: SenderKernel}, Event{Signal: 11}},
	{"AbortOfItself", []string{"default 6", "raise 6"}, "", Event{Signal: 6, Sender: SenderSelf}, Event{Signal: 6}},
}

func TestE2EDeaths(t *testing.T) {
	tr := startTracer(t)
	for _, of := range deaths {
		t.Run(of.name, func(t *testing.T) {
			n := startNode(t)
			require.NoError(t, tr.Follow(n.pid()))
			from := time.Now()
			for i, order := range of.orders {
				n.tell(t, "%s", order)
				if i < len(of.orders)-1 {
					n.answer(t)
				}
			}
			if of.kill != "" {
				if len(of.orders) > 0 {
					n.answer(t)
				}
				from = time.Now()
				shell := exec.CommandContext(t.Context(), "/bin/sh", "-c", fmt.Sprintf(of.kill, n.pid()))
				require.NoError(t, shell.Run())
				of.signal.SenderPID, of.signal.SenderComm = shell.Process.Pid, "sh"
			} else if of.signal.Sender == SenderSelf {
				of.signal.SenderPID, of.signal.SenderComm = n.pid(), "exe"
			}
			_ = n.Wait()
			to := time.Now()
			exit, before := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
			checkEvent(t, n, of.exit, exit, ProcessExit, from, to)
			status, ok := n.ProcessState.Sys().(syscall.WaitStatus)
			require.True(t, ok)
			require.Equal(t, exitOf(int32(status)).Code, exit.Code)
			require.Equal(t, exitOf(int32(status)).Signal, exit.Signal)
			if of.signal.Signal == 0 {
				require.Empty(t, before)
				return
			}
			require.Len(t, before, 1)
			checkEvent(t, n, of.signal, before[0], ProcessSignal, from, to)
		})
	}
	require.Zero(t, countsOf(t, tr).Lost)
}

func checkEvent(t *testing.T, n *testNode, want, got Event, kind EventKind, from, to time.Time) {
	t.Helper()
	require.WithinRange(t, got.At, from.Add(-punctual), to.Add(punctual))
	want.Kind, want.At, want.PID, want.Comm = kind, got.At, n.pid(), "exe"
	require.Equal(t, want, got)
}

// Threads that end at the same time on two processors are one end of the process.
func TestE2EManyThreadsDieOnce(t *testing.T) {
	tr := startTracer(t)
	told := map[int]int{}
	for range 60 {
		n := startNode(t)
		n.do(t, "threads 50")
		require.NoError(t, tr.Follow(n.pid()))
		require.NoError(t, n.Process.Kill())
		_ = n.Wait()
		last := startNode(t)
		require.NoError(t, tr.Follow(last.pid()))
		last.tell(t, "exit 7")
		_ = last.Wait()
		_, before := nextEvent(t, tr, func(e Event) bool { return e.PID == last.pid() })
		told[last.pid()]++
		for _, e := range before {
			if e.Kind == ProcessExit {
				told[e.PID]++
			}
		}
		require.Equal(t, 1, told[n.pid()])
		for pid, times := range told {
			require.Equal(t, 1, times, "exits of process %d", pid)
		}
	}
}

// A process that handles signals may get any number. Who has killed it is told all the same.
func TestE2EManySignalsHideNoDeath(t *testing.T) {
	const burst = 1000
	tr := startTracer(t)
	n := startNode(t)
	n.do(t, "handle 15")
	require.NoError(t, tr.Follow(n.pid()))
	for range burst {
		require.NoError(t, unix.Kill(n.pid(), unix.SIGTERM))
		n.do(t, "nothing") // Signals that wait to be handled are one.
	}
	require.NoError(t, unix.Kill(n.pid(), unix.SIGKILL))
	_ = n.Wait()
	exit, before := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
	require.Equal(t, 9, exit.Signal)
	require.NotEmpty(t, before)
	kill := before[len(before)-1]
	require.Equal(t, 9, kill.Signal)
	require.Equal(t, SenderProcess, kill.Sender)
	require.Equal(t, unix.Getpid(), kill.SenderPID)
	lost := countsOf(t, tr).Lost
	require.Positive(t, lost, "of %d signals %d were told", burst, len(before))
	require.LessOrEqual(t, len(before)+int(lost), burst+1)
}

func TestE2EEventsAreToldAfterAWaitWasGivenUp(t *testing.T) {
	tr := startTracer(t)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := tr.Next(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	n.tell(t, "exit 7")
	e, _ := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
	require.Equal(t, 7, e.Code)
}
