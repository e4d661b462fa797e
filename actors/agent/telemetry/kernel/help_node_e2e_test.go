//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testNode is a process that does what it is told: this executable with helperVariable.
type testNode struct {
	*exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
	first int64 // its answer when it has begun: the id that it has for itself
}

// startNode starts a node. It must end within the time of a test's patience after the test's end.
func startNode(t *testing.T, options ...func(*exec.Cmd)) *testNode {
	t.Helper()
	n := &testNode{Cmd: exec.CommandContext(t.Context(), "/proc/self/exe")}
	n.Env = append(os.Environ(), helperVariable+"=node")
	n.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	for _, o := range options {
		o(n.Cmd)
	}
	var err error
	n.stdin, err = n.StdinPipe()
	require.NoError(t, err)
	out, err := n.StdoutPipe()
	require.NoError(t, err)
	n.lines = bufio.NewScanner(out)
	require.NoError(t, n.Start())
	t.Cleanup(func() {
		_ = n.Process.Kill()
		_ = n.Wait()
	})
	n.first = n.answer(t)
	return n
}

// tell says what to do, without an answer.
func (n *testNode) tell(t *testing.T, order string, args ...any) {
	t.Helper()
	_, err := io.WriteString(n.stdin, fmt.Sprintf(order, args...)+"\n")
	require.NoError(t, err)
}

// do says what to do, and returns the answer: a number.
func (n *testNode) do(t *testing.T, order string, args ...any) int64 {
	t.Helper()
	n.tell(t, order, args...)
	return n.answer(t)
}

func (n *testNode) answer(t *testing.T) (number int64) {
	t.Helper()
	late := time.AfterFunc(2*patience, func() { _ = n.Process.Kill() })
	defer late.Stop()
	require.True(t, n.lines.Scan(), "the node has ended, or does not answer")
	require.True(t, strings.HasPrefix(n.lines.Text(), "ok "), n.lines.Text())
	_, err := fmt.Sscan(n.lines.Text()[3:], &number)
	require.NoError(t, err)
	return number
}

func (n *testNode) pid() int { return n.Process.Pid }

// playNode is the node: it reads a line, does it, and answers with a line.
func playNode() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	fmt.Println("ok", os.Getpid())
	in := make([]byte, 0, 256)
	for { // A byte at a time, so that an exec finds the rest.
		var b [1]byte
		if n, err := os.Stdin.Read(b[:]); n != 1 || err != nil {
			return
		}
		if b[0] != '\n' {
			in = append(in, b[0])
			continue
		}
		words := strings.Fields(string(in))
		in = in[:0]
		number, err := orders[words[0]](words[1:])
		if err != nil {
			fmt.Println("error", err)
			continue
		}
		fmt.Println("ok", number)
	}
}
