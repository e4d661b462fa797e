package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 123, time.UTC)

func crash(dir string) messages.KnownCrash {
	return messages.KnownCrash{Identity: messages.Identity{NodeID: "n/../1", PodName: "p", Role: "datanode", Labels: map[string]string{"zone": "a"}}, AgentID: "agent", KeptSince: noon.Add(time.Second),
		Crash: messages.Crash{FetchedAt: noon, SourceEndpoint: "e", ArtifactDir: dir, Files: []string{"deep-dump.json"},
			Panic: messages.PanicRecord{OccurredAt: noon, Component: "storage", PanicValue: "boom", Recovered: true, GoroutineStack: "goroutine 1",
				Breadcrumbs: []messages.Breadcrumb{{Time: noon, Stage: "s", Component: "c", Fields: map[string]string{"k": "v"}}}, ProcessMetadata: map[string]string{"pid": "7"}}}}
}

func load(t *testing.T, s *Crashes) map[string]messages.KnownCrash {
	t.Helper()
	records, err := s.Load()
	require.NoError(t, err)
	byDir := map[string]messages.KnownCrash{}
	for _, r := range records {
		byDir[r.ArtifactDir] = r
	}
	require.Len(t, byDir, len(records))
	return byDir
}

func TestCrashesComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	s := NewCrashes(dir)
	require.Empty(t, load(t, s))
	one, other := crash("a"), crash("../../b")
	require.NoError(t, s.Save(&one))
	require.NoError(t, s.Save(&other))
	require.Equal(t, map[string]messages.KnownCrash{"a": one, "../../b": other}, load(t, NewCrashes(dir)))
	newer := crash("a")
	newer.Panic.PanicValue = "boom, and why"
	require.NoError(t, s.Save(&newer))
	require.NoError(t, s.Remove(other.Key()))
	require.NoError(t, s.Remove(other.Key()), "it is gone already")
	require.Equal(t, map[string]messages.KnownCrash{"a": newer}, load(t, NewCrashes(dir)))
	entries, err := os.ReadDir(filepath.Join(dir, crashesName))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// A later version of this program reads what this one has written.
func TestCrashFileStaysReadable(t *testing.T) {
	want, err := os.ReadFile("testdata/crash.json")
	require.NoError(t, err)
	got, err := decodeCrash(want)
	require.NoError(t, err)
	require.Equal(t, crash("a"), got)
	b, err := encodeCrash(&got)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(b))
}

// What cannot be read is named, stays where it is, and costs no other record.
func TestCrashesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	s := NewCrashes(dir)
	one := crash("a")
	require.NoError(t, s.Save(&one))
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, crashesName, name), []byte(text), 0o600))
	}
	write("half.json", `{"version":1,"node_id":"n`)
	write("later.json", `{"version":2,"node_id":"n"}`)
	write("nobody.json", `{"version":1}`)
	write("unrelated.txt", "x")
	write("interrupted.json.tmp", "x")
	f, err := os.Create(filepath.Join(dir, crashesName, "huge.json"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(1<<30))
	require.NoError(t, f.Close())
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(dir, crashesName, "link.json")))

	records, err := s.Load()
	require.Equal(t, []messages.KnownCrash{one}, records)
	for _, text := range []string{"half.json: unexpected end", "later.json: version 2", "nobody.json: it names no node", "huge.json: it has more than 16777216 bytes"} {
		require.ErrorContains(t, err, text)
	}
	require.Equal(t, 3, strings.Count(err.Error(), "\n"))
	_, err = os.Stat(filepath.Join(dir, crashesName, "interrupted.json.tmp"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = os.Stat(filepath.Join(dir, crashesName, "half.json"))
	require.NoError(t, err)
}

func TestCrashesWithoutADisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s := NewCrashes(file)
	one := crash("a")
	require.Error(t, s.Save(&one))
	_, err := s.Load()
	require.Error(t, err)
}
