//go:build e2e && linux && (amd64 || arm64)

package modes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fodc/actors/agent/telemetry/kernel"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// cannotHere skips a test, but where all tests must run.
func cannotHere(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// requireKernelTelemetry skips a test where no program may run in the kernel.
func requireKernelTelemetry(t *testing.T) {
	t.Helper()
	tracer := kernel.Start(kernel.Config{})
	defer tracer.Close()
	if status := tracer.Wait(t.Context()); status.Err != nil {
		cannotHere(t, status.Err.Error())
	}
}

// requireExits skips a test where the kernel does not tell how a process has ended.
func requireExits(t *testing.T) {
	t.Helper()
	var of unix.Utsname
	require.NoError(t, unix.Uname(&of))
	var major, minor int
	_, err := fmt.Sscanf(unix.ByteSliceToString(of.Release[:]), "%d.%d", &major, &minor)
	require.NoError(t, err)
	if major < 6 || major == 6 && minor < 15 {
		cannotHere(t, "the kernel is older than 6.15")
	}
}

// programsOf returns the ids of the programs in the kernel that a process holds.
func programsOf(t *testing.T, pid int) (ids []ebpf.ProgramID) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	require.NoError(t, err)
	seen := map[uint64]bool{}
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if kind, id, _ := strings.Cut(line, ":"); kind == "prog_id" {
				number, err := strconv.ParseUint(strings.TrimSpace(id), 10, 32)
				require.NoError(t, err)
				if !seen[number] {
					seen[number] = true
					ids = append(ids, ebpf.ProgramID(number))
				}
			}
		}
	}
	return ids
}

// programsLeft counts those that are in the kernel.
func programsLeft(ids []ebpf.ProgramID) (n int) {
	for _, id := range ids {
		if p, err := ebpf.NewProgramFromID(id); err == nil {
			_ = p.Close()
			n++
		}
	}
	return n
}
