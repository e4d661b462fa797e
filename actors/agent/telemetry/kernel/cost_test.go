//go:build bench && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// loadVariable makes the test binary play a process under load instead.
const loadVariable = "FODC_KERNEL_LOAD"

func init() {
	if load := os.Getenv(loadVariable); load != "" {
		playLoad(load)
	}
}

// playLoad plays a process until it is killed: "switches N" passes a byte between two threads N times a second, or as often as
// possible, "reads FILE" reads 4 KiB from anywhere in a file past the page cache.
func playLoad(load string) {
	kind, file, _ := strings.Cut(load, " ")
	if kind == "reads" {
		readPast(file)
	}
	var there, back [2]int
	if unix.Pipe(there[:]) != nil || unix.Pipe(back[:]) != nil {
		os.Exit(1)
	}
	pass := func(from, to int) {
		runtime.LockOSThread()
		one := make([]byte, 1)
		for {
			_, _ = unix.Read(from, one)
			_, _ = unix.Write(to, one)
		}
	}
	go pass(there[0], back[1])
	_, _ = unix.Write(there[1], []byte{0})
	pass(back[0], there[1])
}

func readPast(file string) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		os.Exit(1)
	}
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		os.Exit(1)
	}
	for i := int64(0); ; i++ {
		_, _ = unix.Pread(fd, page, i*7919%(64<<8)*4096)
	}
}

// startLoad starts a process under load.
func startLoad(t *testing.T, load string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loadVariable+"="+load)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// runs is how often a program has run, and for how long.
type runs struct {
	times uint64
	total time.Duration
}

func runsOf(t *testing.T, p *ebpf.Program) runs {
	t.Helper()
	stats, err := p.Stats()
	require.NoError(t, err)
	return runs{stats.RunCount, stats.Runtime}
}

// spent is what programs have spent in a time, by name.
func spent(t *testing.T, programs map[string]*ebpf.Program, over time.Duration) map[string]runs {
	t.Helper()
	before, during := map[string]runs{}, map[string]runs{}
	for name, p := range programs {
		before[name] = runsOf(t, p)
	}
	<-time.After(over)
	for name, p := range programs {
		now := runsOf(t, p)
		during[name] = runs{now.times - before[name].times, now.total - before[name].total}
	}
	return during
}

func (r runs) each() float64 { return float64(r.total) / float64(max(r.times, 1)) }

const loadTime = 3 * time.Second

// What the programs cost, beside an empty program at the scheduler, with which the kernel measures itself.
func TestBenchKernel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, exec.Command("dd", "if=/dev/zero", "of="+file, "bs=1M", "count=64", "conv=fsync").Run())
	tr := Start(Config{DataDirs: []string{filepath.Dir(file)}})
	t.Cleanup(tr.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, tr.Wait(ctx).Err)
	t.Log(tr.Status())
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	require.NoError(t, err)
	defer func(c io.Closer) { _ = c.Close() }(stats)
	programs := map[string]*ebpf.Program{"empty": emptyProgram(t)}
	for name, p := range tr.loaded.programs {
		programs[name] = p
	}
	for tr.read(time.Now()); len(tr.of.disks) == 0; tr.read(time.Now()) {
		require.NoError(t, ctx.Err())
	}

	switches := startLoad(t, "switches")
	show := func(whose string, during map[string]runs, names ...string) {
		for _, name := range append(names, "empty") {
			t.Logf("%-30s %-16s %9d runs, %4.0f ns each", whose, name, during[name].times, during[name].each())
		}
	}
	show("threads of others", spent(t, programs, loadTime), "thread_switch", "thread_wakeup")
	require.NoError(t, tr.Follow(switches.Process.Pid))
	show("threads of the node", spent(t, programs, loadTime), "thread_switch", "thread_wakeup")
	require.NoError(t, switches.Process.Signal(syscall.SIGSTOP))
	reads := startLoad(t, "reads "+file)
	require.NoError(t, tr.Follow(reads.Process.Pid))
	during := spent(t, programs, loadTime)
	show("requests of a disk", during, "disk_request", "thread_switch", "thread_wakeup")
	all, empty := time.Duration(0), during["empty"]
	for name, r := range during {
		if name != "empty" {
			all += r.total
		}
	}
	perSecond := func(r runs) float64 { return float64(r.times) / loadTime.Seconds() }
	t.Logf("%.0f switches and %.0f requests a second: %.2f %% of one processor", perSecond(empty), perSecond(during["disk_request"]),
		100*all.Seconds()/loadTime.Seconds())
	begin := time.Now()
	const reading = 100
	for range reading {
		tr.read(time.Now())
	}
	t.Logf("reading all: %s; maps: %d KiB on %d processors", time.Since(begin)/reading, mapBytes(t, tr.loaded)>>10, runtime.NumCPU())
}

// emptyProgram is at the scheduler, and does nothing.
func emptyProgram(t *testing.T) *ebpf.Program {
	t.Helper()
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "empty", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "sched_switch",
		License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}})
	require.NoError(t, err)
	to, err := link.AttachTracing(link.TracingOptions{Program: p})
	require.NoError(t, err)
	t.Cleanup(func() { _ = to.Close(); _ = p.Close() })
	return p
}

func mapBytes(t *testing.T, l *loaded) (bytes uint64) {
	t.Helper()
	for _, m := range l.maps {
		info, err := m.Info()
		require.NoError(t, err)
		n, _ := info.Memlock()
		bytes += n
	}
	return bytes
}
