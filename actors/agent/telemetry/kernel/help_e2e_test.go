//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Variables of this executable when it is run as a process of its own.
const (
	// namespaceVariable says that the process is in a mount namespace of its own, with tracefs.
	namespaceVariable = "FODC_TEST_NAMESPACE"
	// helperVariable has what the process is to be.
	helperVariable = "FODC_TEST_HELPER"
)

// helpers are what this executable can be instead of the tests.
var helpers = map[string]func(){"node": playNode, "tracer": playTracer, "status": playStatus, "peers": playPeers}

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// The tests mount file systems. They do so in a mount namespace of their own, so that nothing of it is left, however they end.
func init() {
	if of := os.Getenv(helperVariable); of != "" {
		helpers[of]()
		os.Exit(0)
	}
	if os.Geteuid() != 0 || os.Getenv(namespaceVariable) != "" {
		return
	}
	runtime.LockOSThread()
	if err := enterNamespace(); err != nil {
		fmt.Fprintln(os.Stderr, "a mount namespace for the tests:", err)
		return
	}
	err := unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), namespaceVariable+"=1"))
	fmt.Fprintln(os.Stderr, "again in the mount namespace:", err)
	os.Exit(1)
}

func enterNamespace() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, "")
}

// needs skips the test where it has no privileges. In CI that is a failure.
func needs(t *testing.T, here bool, what string) {
	t.Helper()
	if here {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("needs " + what)
	}
	t.Skip("needs " + what)
}

// startTracer starts the tracer, all of whose programs must run.
func startTracer(t *testing.T, dirs ...string) *Tracer {
	t.Helper()
	needs(t, os.Geteuid() == 0 && os.Getenv(namespaceVariable) != "", "root and a mount namespace")
	tr := Start(Config{DataDirs: dirs})
	t.Cleanup(tr.Close)
	status := tr.Wait(t.Context())
	needs(t, status.Err == nil, "eBPF: "+status.String())
	require.Equal(t, len(allPrograms), status.Running(), status.String())
	if len(dirs) > 0 {
		require.Eventually(t, func() bool {
			require.Empty(t, failures(tr))
			tr.mu.Lock()
			defer tr.mu.Unlock()
			return len(tr.of.fileSystems) > 0
		}, patience, time.Millisecond)
	}
	return tr
}

// failures are the errors of one reading of a tracer.
func failures(tr *Tracer) (errs []error) {
	for _, o := range tr.Source().Read(time.Now()).Outcomes {
		if o.Err != nil {
			errs = append(errs, o.Err)
		}
	}
	return errs
}

func countsOf(t *testing.T, tr *Tracer) *counts {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	c, err := tr.loaded.read()
	require.NoError(t, err)
	return c
}

// count is how often something took time.
func (h *Histogram) count() (n uint64) {
	for _, of := range h.Slots {
		n += of
	}
	return n
}

// since returns what a histogram has counted since it was an earlier one.
func (h Histogram) since(earlier Histogram) Histogram {
	h.Sum -= earlier.Sum
	for i, n := range earlier.Slots {
		h.Slots[i] -= n
	}
	return h
}

// within checks a number that two ways of measuring must agree on, but for a part of it.
func within(t *testing.T, want, got, part float64, what string) {
	t.Helper()
	t.Logf("%s: %.6g, the kernel's programs say %.6g", what, want, got)
	require.InDelta(t, want, got, want*part, what)
}

// nextEvent waits for an event that is wanted. It returns those before, too.
func nextEvent(t *testing.T, tr *Tracer, wanted func(Event) bool) (e Event, before []Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		e, err := tr.Next(ctx)
		require.NoError(t, err, "after %v", before)
		if wanted(e) {
			return e, before
		}
		before = append(before, e)
	}
}

// run runs a program of the system, and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return strings.TrimSpace(string(out))
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
