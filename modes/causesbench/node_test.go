//go:build bench && linux

package causesbench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dirVariable makes the test binary play a node, or another process: it is the directory of the node's data.
const dirVariable = "FODC_CAUSES_DIR"

// processor is the one that the node has, and who takes it away from it.
const processor = "1"

// patience is how long a process may take for an order.
const patience = 3 * time.Minute

func init() {
	if dir := os.Getenv(dirVariable); dir != "" {
		playLoads(dir)
	}
}

// playLoads does what lines of the input say, and answers each with a line. It ends with its input.
func playLoads(dir string) {
	n := &loads{dir: dir}
	orders := map[string]func(){"prepare": n.prepare, "disk": n.useDisk, "processor": n.useProcessor, "warm": n.warm, "usual": n.usual, "nothing": func() {},
		"merge": n.merge, "contend": n.contend, "short": n.short, "wide": n.wide, "drop": n.drop, "burn": n.burn}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		orders[in.Text()]()
		fmt.Println("done")
	}
	os.Exit(0)
}

// player is a process that has loads.
type player struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// play starts a process, and waits until it is ready.
func play(t *testing.T, dir string) *player {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &player{Cmd: exec.Command("taskset", "-c", processor, self)}
	p.Env = append(os.Environ(), dirVariable+"="+dir, "GOMAXPROCS=64")
	p.Stderr, p.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.in, err = p.StdinPipe()
	require.NoError(t, err)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewScanner(out)
	require.NoError(t, p.Start())
	t.Cleanup(p.end)
	p.answer(t)
	return p
}

func (p *player) end() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// do gives an order, and waits until it is done or has begun.
func (p *player) do(t *testing.T, order string) {
	t.Helper()
	_, err := fmt.Fprintln(p.in, order)
	require.NoError(t, err)
	p.answer(t)
}

func (p *player) answer(t *testing.T) {
	t.Helper()
	late := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	defer late.Stop()
	require.True(t, p.out.Scan(), "the process has ended, or does not answer")
}
