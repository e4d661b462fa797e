//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// inKernel are the ids of what a process has in the kernel, by kind: "prog_id", "map_id", "link_id".
type inKernel map[string]map[uint32]bool

// heldBy returns what a process holds by its file descriptors.
func heldBy(t *testing.T, pid int) inKernel {
	t.Helper()
	held := inKernel{"prog_id": {}, "map_id": {}, "link_id": {}}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	require.NoError(t, err)
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			kind, id, _ := strings.Cut(line, ":")
			if ids := held[kind]; ids != nil {
				ids[uint32(numberOf(strings.TrimSpace(id)))] = true
			}
		}
	}
	return held
}

// left counts what of it is in the kernel.
func (k inKernel) left() (n int) {
	open := map[string]func(id uint32) (interface{ Close() error }, error){
		"prog_id": func(id uint32) (interface{ Close() error }, error) { return ebpf.NewProgramFromID(ebpf.ProgramID(id)) },
		"map_id":  func(id uint32) (interface{ Close() error }, error) { return ebpf.NewMapFromID(ebpf.MapID(id)) },
		"link_id": func(id uint32) (interface{ Close() error }, error) { return link.NewFromID(link.ID(id)) },
	}
	for kind, ids := range k {
		for id := range ids {
			of, err := open[kind](id)
			if err == nil {
				_ = of.Close()
			}
			if !errors.Is(err, os.ErrNotExist) {
				n++
			}
		}
	}
	return n
}

// However a process with a tracer ends, nothing of it stays in the kernel.
func TestE2ENothingStaysInTheKernel(t *testing.T) {
	startTracer(t) // So that it is skipped where nothing runs.
	for name, signal := range map[string]unix.Signal{"Close": 0, "TERM": unix.SIGTERM, "KILL": unix.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			c := exec.CommandContext(t.Context(), "/proc/self/exe")
			c.Env = append(os.Environ(), helperVariable+"=tracer")
			in, err := c.StdinPipe()
			require.NoError(t, err)
			out, err := c.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			held := heldBy(t, c.Process.Pid)
			require.GreaterOrEqual(t, len(held["prog_id"]), len(allPrograms))
			require.NotEmpty(t, held["map_id"])
			require.NotEmpty(t, held["link_id"])
			require.GreaterOrEqual(t, held.left(), len(allPrograms))
			if signal == 0 {
				_, err = in.Write([]byte{0})
				require.NoError(t, err)
				require.True(t, lines.Scan()) // It has closed the tracer, and goes on.
			} else {
				require.NoError(t, c.Process.Signal(signal))
				_ = c.Wait()
			}
			require.Eventually(t, func() bool { return held.left() == 0 }, patience, 10*time.Millisecond)
			_ = in.Close()
			_ = c.Wait()
		})
	}
}
