package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// source is a directory of artifacts.
type source struct {
	t   *testing.T
	dir string
	d   *Directory
	now time.Time
}

func newSource(t *testing.T) *source {
	dir := t.TempDir()
	return &source{t: t, dir: dir, d: NewDirectory(dir, 64, 16<<20, nil), now: time.Now()}
}

// write writes a file of an artifact, as if it had been an hour ago.
func (s *source) write(artifact, name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, artifact, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o644))
	s.age(artifact, name)
}

func (s *source) age(artifact, name string) {
	s.t.Helper()
	at := s.now.Add(-time.Hour)
	require.NoError(s.t, os.Chtimes(filepath.Join(s.dir, artifact, name), at, at))
}

// scan scans after a time, and returns the values of the panics, sorted.
func (s *source) scan(after time.Duration) ([]string, Scan) {
	s.t.Helper()
	s.now = s.now.Add(after)
	r, ok := s.d.Scan(s.t.Context(), s.now)
	require.True(s.t, ok)
	values := []string{}
	for _, c := range r.Artifacts {
		values = append(values, c.Panic.PanicValue)
	}
	slices.Sort(values)
	return values, r
}

func problems(s Scan) []string {
	var all []string
	for _, p := range s.Problems {
		all = append(all, fmt.Sprintf("%s: %s: %v", p.Name, p.Reason, p.Err))
	}
	return all
}

const anyName = "20260718T101530.123456789Z-storage-4242"

func panicJSON(value string) string {
	return fmt.Sprintf(`{"occurredAt":"2026-07-18T10:15:30.5Z","component":"storage","panicValue":%q,"goroutineStack":"goroutine 1 [running]:\nmain.main()","recovered":true}`, value)
}

func TestArtifactIsRead(t *testing.T) {
	s := newSource(t)
	s.write(anyName, "panic.json", `{"occurredAt":"2026-07-18T12:15:30.5+02:00","component":"storage","panicValue":"boom",
		"goroutineStack":"goroutine 1 [running]:\nmain.main()","recovered":true,
		"breadcrumbs":[{"time":"2026-07-18T10:15:29Z","stage":"flush","component":"tst","fields":{"part":12,"password":"hunter2"}}],
		"processMetadata":{"version":"0.9","args":["a","b"]},"stateDump":{"path":"deep-dump.json","truncated":true,"error":""},"more":{"a":[1,2]}}`)
	s.write(anyName, "deep-dump.json", "{}")
	s.write(anyName, "deeper/file", "x")
	_, r := s.scan(0)
	require.Len(t, r.Artifacts, 1)
	require.Equal(t, &messages.Crash{
		FetchedAt: s.now.UTC(), ArtifactDir: filepath.Join(s.dir, anyName), Files: []string{"deep-dump.json", "panic.json"},
		Panic: messages.PanicRecord{
			OccurredAt: time.Date(2026, 7, 18, 10, 15, 30, 5e8, time.UTC), Component: "storage", PanicValue: "boom", Recovered: true,
			GoroutineStack: "goroutine 1 [running]:\nmain.main()",
			Breadcrumbs: []messages.Breadcrumb{{Time: time.Date(2026, 7, 18, 10, 15, 29, 0, time.UTC), Stage: "flush", Component: "tst",
				Fields: map[string]string{"part": "12", "password": "***"}}},
			ProcessMetadata: map[string]string{"version": "0.9", "args": `["a","b"]`, "pid": "4242",
				"state_dump_path": "deep-dump.json", "state_dump_truncated": "true", "state_dump_error": ""},
		}}, r.Artifacts[0])
	require.False(t, r.Waiting)
	require.Empty(t, r.Problems)
	_, again := s.scan(time.Second)
	require.Same(t, r.Artifacts[0], again.Artifacts[0])

	s.write(anyName, "heap.pprof", "x")
	_, more := s.scan(time.Second)
	require.Equal(t, []string{"deep-dump.json", "heap.pprof", "panic.json"}, more.Artifacts[0].Files)
	require.Equal(t, &r.Artifacts[0].Panic, &more.Artifacts[0].Panic)
}

// What panic.json does not say is taken from the directory's name, or else from the file's time.
func TestNamesCompleteRecords(t *testing.T) {
	f := func(name string, at time.Time, component, pid string) {
		t.Helper()
		s := newSource(t)
		s.write(name, "panic.json", `{"panicValue":"boom"}`)
		_, r := s.scan(0)
		require.Len(t, r.Artifacts, 1, name)
		p := r.Artifacts[0].Panic
		if at.IsZero() {
			at = s.now.Add(-time.Hour)
		}
		require.WithinDuration(t, at, p.OccurredAt, time.Millisecond, name)
		require.Equal(t, [2]string{component, pid}, [2]string{p.Component, p.ProcessMetadata["pid"]}, name)
	}
	at := time.Date(2026, 7, 18, 10, 15, 30, 0, time.UTC)
	f("20260718T101530.000000000Z-storage-4242", at, "storage", "4242")
	f("20260718T101530Z-liaison-grpc-1", at, "liaison-grpc", "1")
	f("2026-07-18T10-15-30Z-storage-4242", at, "storage", "4242")
	f("UTC-20260718T101530Z-storage-4242", at, "storage", "4242")
	f("20260718101530-storage", at, "storage", "")
	f("20260718T101530Z-77", at, "", "77")
	f("20261318T101530Z-storage-77", time.Time{}, "", "")
	f("Speicher übergelaufen 💥", time.Time{}, "", "")
	f("-", time.Time{}, "", "")
	f("..storage-1", time.Time{}, "", "")
	f("20260718T101530Z-tägliche\nZeile-5", at, "tägliche\nZeile", "5")
}

// An artifact counts when its panic.json is complete, in whatever way that was written.
func TestHalfWrittenArtifactsWait(t *testing.T) {
	s := newSource(t)
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, anyName), 0o755))
	values, r := s.scan(0)
	require.Empty(t, values)
	require.True(t, r.Waiting, "an empty directory")

	whole := panicJSON("boom")
	for n := 0; n < len(whole); n += 37 {
		s.write(anyName, "panic.json", whole[:n])
		values, r = s.scan(10 * time.Second)
		require.Empty(t, values)
		require.True(t, r.Waiting)
		require.Empty(t, r.Problems)
	}
	s.write(anyName, "panic.json", whole)
	values, r = s.scan(time.Second)
	require.Equal(t, []string{"boom"}, values)
	require.False(t, r.Waiting)
	require.Empty(t, r.Problems)

	// Written anew, it is the same record until the new one is complete.
	s.write(anyName, "panic.json", whole[:20])
	values, r = s.scan(time.Second)
	require.Equal(t, []string{"boom"}, values)
	require.True(t, r.Waiting)
	s.write(anyName, "panic.json", panicJSON("boom again"))
	values, r = s.scan(time.Second)
	require.Equal(t, []string{"boom again"}, values)
	require.Len(t, r.Artifacts, 1)
	require.Equal(t, s.now.UTC(), r.Artifacts[0].FetchedAt)

	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, anyName)))
	values, r = s.scan(time.Second)
	require.Empty(t, values)
	require.False(t, r.Waiting)
}

// A file that changed within the resolution of its time is read again, though it looks the same.
func TestChangeWithinTheTimesResolution(t *testing.T) {
	s := newSource(t)
	path := filepath.Join(s.dir, anyName, "panic.json")
	write := func(value string) {
		s.write(anyName, "panic.json", panicJSON(value))
		require.NoError(t, os.Chtimes(path, s.now, s.now))
	}
	write("one")
	values, _ := s.scan(0)
	require.Equal(t, []string{"one"}, values)
	write("two")
	values, _ = s.scan(0)
	require.Equal(t, []string{"two"}, values)
}

// What is no record is named once, after a while, and ignored until it changes.
func TestInvalidArtifacts(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s := newSource(t)
		s.write(anyName, "panic.json", text)
		_, r := s.scan(0)
		require.True(t, r.Waiting, text)
		require.Empty(t, r.Problems, text)
		_, r = s.scan(writingTime)
		require.Equal(t, []string{anyName + ": invalid: " + want}, problems(r), text)
		require.False(t, r.Waiting, text)
		_, r = s.scan(writingTime)
		require.Empty(t, r.Problems, text)
		s.write(anyName, "panic.json", text+" ")
		_, r = s.scan(time.Second)
		require.True(t, r.Waiting, text)
		s.write(anyName, "panic.json", panicJSON("boom"))
		values, _ := s.scan(time.Second)
		require.Equal(t, []string{"boom"}, values, text)
	}
	f("", "it is no JSON, or not a whole one: unexpected end of JSON input at byte 0")
	f(`{"panicValue":"secret`, "it is no JSON, or not a whole one: unexpected end of JSON input at byte 21")
	f(`{"panicValue":"a"}{`, "it is no JSON, or not a whole one: invalid character '{' after top-level value at byte 19")
	f(`["a"]`, "it is not a JSON object")
	f(`{}`, errNoPanic.Error())
	f(`{"component":"a","panicValue":null}`, errNoPanic.Error())
	f(`{"occurredAt":"yesterday"}`, errNoPanic.Error())
	f("\x00\x01", `it is no JSON, or not a whole one: invalid character '\x00' looking for beginning of value at byte 1`)
}

// Whatever else is in the directory, the good artifacts are read.
func TestHostileEntries(t *testing.T) {
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "panic.json"), []byte(panicJSON("outside")), 0o644))
	f := func(name, want string, prepare func(s *source, artifact string)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			s := newSource(t)
			s.write("20250718T101530Z-good-1", "panic.json", panicJSON("good"))
			prepare(s, filepath.Join(s.dir, anyName))
			values, r := s.scan(0)
			require.Equal(t, []string{"good"}, values)
			if want == "" {
				require.Empty(t, r.Problems)
				return
			}
			require.Equal(t, []string{anyName + ": " + want}, problems(r))
			_, r = s.scan(2 * writingTime)
			require.Empty(t, r.Problems, "it is named once")
		})
	}
	f("link to a directory outside", "link: "+errLink.Error(), func(_ *source, artifact string) {
		require.NoError(t, os.Symlink(outside, artifact))
	})
	f("link to a directory inside", "link: "+errLink.Error(), func(s *source, artifact string) {
		require.NoError(t, os.Symlink("20250718T101530Z-good-1", artifact))
	})
	f("link to a file outside", "link: panic.json: "+errLink.Error(), func(_ *source, artifact string) {
		require.NoError(t, os.Mkdir(artifact, 0o755))
		require.NoError(t, os.Symlink(filepath.Join(outside, "panic.json"), filepath.Join(artifact, "panic.json")))
	})
	f("link to itself", "link: "+errLink.Error(), func(_ *source, artifact string) {
		require.NoError(t, os.Symlink(anyName, artifact))
	})
	f("a directory as panic.json", "invalid: "+errIrregular.Error(), func(_ *source, artifact string) {
		require.NoError(t, os.MkdirAll(filepath.Join(artifact, "panic.json"), 0o755))
	})
	f("panic.json of 1 GiB", "too_large: panic.json has 1073741824 bytes, 4194304 are allowed", func(_ *source, artifact string) {
		require.NoError(t, os.Mkdir(artifact, 0o755))
		sparse(t, filepath.Join(artifact, "panic.json"))
	})
	f("a file in the place of an artifact", "", func(_ *source, artifact string) {
		require.NoError(t, os.WriteFile(artifact, []byte(panicJSON("file")), 0o644))
	})
	f("no panic.json", "", func(_ *source, artifact string) {
		require.NoError(t, os.Mkdir(artifact, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(artifact, "panic.json.tmp"), []byte(panicJSON("tmp")), 0o644))
	})
}

// sparse makes a file of 1 GiB that takes no room.
func sparse(t *testing.T, path string) {
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, file.Truncate(1<<30))
}

func TestBigFileBesideIsListedOnly(t *testing.T) {
	s := newSource(t)
	s.write(anyName, "panic.json", panicJSON("boom"))
	sparse(t, filepath.Join(s.dir, anyName, "core"))
	_, r := s.scan(0)
	require.Equal(t, []string{"core", "panic.json"}, r.Artifacts[0].Files)
}

// Files that the system does not let the agent read, or that fail to be read, are named once.
func TestUnreadableArtifact(t *testing.T) {
	s := newSource(t)
	s.write(anyName, "panic.json", panicJSON("boom"))
	s.write("20260718T101531Z-other-1", "panic.json", panicJSON("other user's"))
	allowed := false
	s.d.open = func(root *os.Root, name string) (*os.File, error) {
		if strings.HasPrefix(name, "20260718T101531Z") && !allowed {
			return nil, &fs.PathError{Op: "openat", Path: name, Err: fs.ErrPermission}
		}
		return openIn(root, name)
	}
	values, r := s.scan(0)
	require.Equal(t, []string{"boom"}, values)
	require.Equal(t, []string{"20260718T101531Z-other-1: unreadable: openat " + filepath.Join("20260718T101531Z-other-1", "panic.json") + ": permission denied"}, problems(r))
	_, r = s.scan(time.Hour)
	require.Empty(t, r.Problems)
	require.False(t, r.Waiting)
	allowed = true
	values, _ = s.scan(time.Second)
	require.Equal(t, []string{"boom", "other user's"}, values)
}

func TestNewestArtifactsAreKept(t *testing.T) {
	s := newSource(t)
	s.d = NewDirectory(s.dir, 3, 16<<20, nil)
	for i := range 6 {
		s.write(fmt.Sprintf("20260718T10153%dZ-storage-1", i), "panic.json", panicJSON(fmt.Sprint(i)))
	}
	values, _ := s.scan(0)
	require.Equal(t, []string{"3", "4", "5"}, values)
	s.write("20260718T101536Z-storage-1", "panic.json", panicJSON("6"))
	values, _ = s.scan(time.Second)
	require.Equal(t, []string{"4", "5", "6"}, values)
	// What is not complete takes no place.
	s.write("20260718T101537Z-storage-1", "panic.json", "{")
	values, _ = s.scan(time.Second)
	require.Equal(t, []string{"4", "5", "6"}, values)
}

// The newest artifacts are kept that fit into the memory that there is for them.
func TestMemoryOfArtifactsIsBounded(t *testing.T) {
	s := newSource(t)
	s.d = NewDirectory(s.dir, 64, 25_000, nil)
	for i := range 6 {
		s.write(fmt.Sprintf("20260718T10153%dZ-storage-1", i), "panic.json", panicJSON(strings.Repeat(fmt.Sprint(i), 10_000)))
	}
	for range 2 {
		values, r := s.scan(time.Second)
		require.Len(t, values, 2)
		require.Equal(t, "4", values[0][:1])
		require.False(t, r.Waiting)
	}
}

// One scan reads a bounded number of bytes; the next ones read the rest.
func TestScansAreBounded(t *testing.T) {
	s := newSource(t)
	s.d.perScan = 100_000
	big := panicJSON(strings.Repeat("x", 24_000))
	for i := range 6 {
		s.write(fmt.Sprintf("20260718T10153%dZ-storage-1", i), "panic.json", big)
	}
	values, r := s.scan(0)
	require.Len(t, values, 4)
	require.True(t, r.Waiting)
	values, r = s.scan(time.Second)
	require.Len(t, values, 6)
	require.False(t, r.Waiting)
	for _, c := range r.Artifacts {
		require.Less(t, c.MemoryBytes(), 64<<10)
	}
}

func TestDirectoryComesAndGoes(t *testing.T) {
	s := newSource(t)
	s.write(anyName, "panic.json", panicJSON("boom"))
	values, _ := s.scan(0)
	require.Equal(t, []string{"boom"}, values)
	require.NoError(t, os.RemoveAll(s.dir))
	values, r := s.scan(time.Second)
	require.ErrorIs(t, r.Err, fs.ErrNotExist)
	require.Empty(t, values)
	s.write(anyName, "panic.json", panicJSON("another"))
	values, r = s.scan(time.Second)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"another"}, values)

	// A file in its place is an error; what was there is not given up for that.
	require.NoError(t, os.Rename(s.dir, s.dir+"-away"))
	require.NoError(t, os.WriteFile(s.dir, nil, 0o644))
	values, r = s.scan(time.Second)
	require.ErrorIs(t, r.Err, errNoDirectory)
	require.Equal(t, []string{"another"}, values)
}

// A scan that hangs is not joined by another one, and one that is not wanted any more ends.
func TestScanHangs(t *testing.T) {
	s := newSource(t)
	s.write(anyName, "panic.json", panicJSON("boom"))
	hang, entered := make(chan struct{}), make(chan struct{})
	s.d.open = func(root *os.Root, name string) (*os.File, error) {
		close(entered)
		<-hang
		return openIn(root, name)
	}
	done := make(chan Scan)
	go func() {
		r, _ := s.d.Scan(context.Background(), s.now)
		done <- r
	}()
	<-entered
	_, ok := s.d.Scan(t.Context(), s.now)
	require.False(t, ok)
	close(hang)
	require.Len(t, (<-done).Artifacts, 1)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, ok := s.d.Scan(ctx, s.now)
	require.True(t, ok)
	require.True(t, errors.Is(r.Err, context.Canceled))
	require.Len(t, r.Artifacts, 1)
}

// The system tells of a new artifact, also in a directory that was removed and made again.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	changed := make(chan struct{}, 1000)
	d := NewDirectory(dir, 64, 16<<20, func() { changed <- struct{}{} })
	defer d.Close()
	awaitChange := func() {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was told")
		}
	}
	scan := func() {
		_, ok := d.Scan(t.Context(), time.Now())
		require.True(t, ok)
	}
	scan()
	require.NoError(t, os.Mkdir(filepath.Join(dir, anyName), 0o755))
	awaitChange()
	require.NoError(t, os.RemoveAll(dir))
	awaitChange()
	require.NoError(t, os.Mkdir(dir, 0o755))
	scan()
	for len(changed) > 0 {
		<-changed
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, anyName), 0o755))
	awaitChange()
	d.Close()
	scan()
}

// A file that is replaced or written while it is read is read again.
func TestChangeDuringARead(t *testing.T) {
	f := func(name string, change func(path string, opened *os.File)) {
		t.Helper()
		s := newSource(t)
		s.write(anyName, "panic.json", panicJSON("before"))
		s.d.open = func(root *os.Root, name string) (*os.File, error) {
			file, err := openIn(root, name)
			require.NoError(t, err)
			change(filepath.Join(s.dir, name), file)
			s.d.open = openIn
			return file, nil
		}
		values, r := s.scan(0)
		require.Empty(t, values, name)
		require.True(t, r.Waiting, name)
		values, _ = s.scan(time.Second)
		require.Equal(t, []string{"after"}, values, name)
	}
	f("replaced before it is opened", func(path string, opened *os.File) {
		require.NoError(t, os.WriteFile(path+".tmp", []byte(panicJSON("after")), 0o600))
		require.NoError(t, os.Rename(path+".tmp", path))
		other, err := os.Open(path)
		require.NoError(t, err)
		*opened = *other
	})
	f("written anew", func(path string, _ *os.File) {
		require.NoError(t, os.WriteFile(path, []byte(panicJSON("after")), 0o600))
	})
}
