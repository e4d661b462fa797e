package capture

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestCrashArtifacts(t *testing.T) {
	dir := t.TempDir()
	from := time.Now().Add(-time.Minute)
	artifact := func(name string, at time.Time, files map[string]string) {
		for file, text := range files {
			path := filepath.Join(dir, name, file)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			require.NoError(t, os.Chtimes(path, at, at))
		}
	}
	old := from.Add(-time.Hour)
	artifact("20200101T000000.000000000Z-storage-1", old, map[string]string{"panic.json": "old"})
	zip := string(zipped("\x0a\x04\x08\x01\x10\x02profile"))
	artifact("new", from.Add(time.Second), map[string]string{"panic.json": `{"password":"hunter2"}` + "\n", "heap.pprof": zip, "core": "\x7fELF\x00\x01", "stack txt": "ok"})
	require.NoError(t, os.Truncate(filepath.Join(dir, "new", "core"), maxCrashFile+1))
	artifact("new", from.Add(time.Second), map[string]string{"state.bin": "\x7fELF\x00\x01"})
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "new", "link")))
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "20300101T000000.000000000Z-link-1")))

	e := newEvidence()
	cfg := Config{CrashDirs: []string{dir, filepath.Join(dir, "none")}, From: from,
		Crashes: func(context.Context) ([]*messages.Crash, error) {
			at := time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)
			return []*messages.Crash{{FetchedAt: old, Panic: messages.PanicRecord{OccurredAt: old}},
				{FetchedAt: from.Add(time.Second), Panic: messages.PanicRecord{OccurredAt: at, Component: "../storage", PanicValue: "boom"}}}, nil
		}}
	steps := PlanFreeze(cfg)
	require.Len(t, steps, 2)
	e.runner().Run(t.Context(), steps)
	require.Equal(t, `{"password":***}`+"\n", e.files["crashes/new/panic.json"])
	require.Equal(t, zip, e.files["crashes/new/heap.pprof"])
	require.Equal(t, "ok\n", e.files["crashes/new/stack_txt"])
	require.Contains(t, e.files["crashes/20260301T031200.000Z-.._storage.json"], `"panic_value": "boom"`)
	require.Len(t, e.files, 4)
	require.Equal(t, "new/core has 16777217 bytes, at most 16777216 are taken", e.reason("crashes/artifacts"))
	require.Equal(t, "new/state.bin is neither text nor gzipped: it could have secrets in it", e.reason("crashes/new/state.bin"))

	// What there is, is not captured again.
	e2 := newEvidence()
	cfg.Have = func(p string) bool { _, has := e.files[p]; return has }
	e2.runner().Run(t.Context(), PlanFreeze(cfg))
	require.Empty(t, e2.files)
}

func TestCrashArtifactsWithinLimits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "x"), nil, 0o644))
		require.NoError(t, os.Truncate(filepath.Join(dir, name, "x"), maxCrashFile))
	}
	cfg := Config{CrashDirs: []string{dir}}
	steps, err := cfg.artifacts()
	require.Len(t, steps, 4)
	require.EqualError(t, err, "1 files of crash artifacts are left out: all may have 67108864 bytes")
	require.True(t, strings.HasPrefix(steps[0].Path, "crashes/"))
}
