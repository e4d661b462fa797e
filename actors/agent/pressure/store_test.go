package pressure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var begin = time.Date(2025, 3, 1, 12, 0, 0, 5, time.UTC)

// fetch writes a text.
func fetch(text string) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func profiles(heap, goroutine func(context.Context, io.Writer) error) []Profile {
	return []Profile{{Type: "heap", Filename: "heap.pprof", Format: "pprof", Fetch: heap},
		{Type: "goroutine", Filename: "goroutine.pprof", Format: "pprof", Fetch: goroutine}}
}

func event(minute int, rss uint64) Event {
	return Event{At: begin.Add(time.Duration(minute) * time.Minute), SourceEndpoint: "http://127.0.0.1:6060", RSSBytes: rss,
		LimitBytes: 1000, TriggerPercent: 75, ThresholdBytes: 750}
}

// testStore is a store in a directory of its own.
type testStore struct {
	*Store
	t   *testing.T
	dir string
}

func newTestStore(t *testing.T, artifacts int, bytes int64) *testStore {
	dir := filepath.Join(t.TempDir(), "a", "profiles")
	return &testStore{NewStore(Config{Dir: dir, MaxArtifacts: artifacts, MaxBytes: bytes}), t, dir}
}

// restart is another process with the same directory.
func (s *testStore) restart(artifacts int, bytes int64) *testStore {
	return &testStore{NewStore(Config{Dir: s.dir, MaxArtifacts: artifacts, MaxBytes: bytes}), s.t, s.dir}
}

func (s *testStore) capture(minute int, rss uint64, size int) (Captured, error) {
	s.t.Helper()
	return s.Capture(s.t.Context(), event(minute, rss), profiles(fetch(strings.Repeat("h", size)), fetch("g")))
}

// ok captures, which must succeed.
func (s *testStore) ok(minute int, rss uint64, size int) Captured {
	s.t.Helper()
	c, err := s.capture(minute, rss, size)
	require.NoError(s.t, err)
	require.NoError(s.t, c.Missing)
	return c
}

// minutes returns the minutes of the artifacts that are listed.
func (s *testStore) minutes() []int {
	s.t.Helper()
	list, err := s.List()
	require.NoError(s.t, err)
	var all []int
	for _, p := range list {
		all = append(all, int(p.CapturedAt.Sub(begin)/time.Minute))
	}
	return all
}

// onDisk returns the names of all files, and the size of those of artifacts, also of half-written ones.
func (s *testStore) onDisk() (names []string, size int64) {
	s.t.Helper()
	require.NoError(s.t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(s.dir, path)
		names = append(names, filepath.ToSlash(rel))
		if info, err := d.Info(); err == nil && strings.Contains(names[len(names)-1], "/") {
			size += info.Size()
		}
		return nil
	}))
	return names, size
}

// read returns the bytes of a profile.
func (s *testStore) read(id, profileType, path string) (string, error) {
	f, err := s.OpenProfile(id, profileType, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text := make([]byte, f.Size)
	err = f.ReadAt(text, 0)
	return string(text), err
}

func TestCaptureIsKept(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	list, err := s.List()
	require.NoError(t, err)
	require.Empty(t, list)

	c := s.ok(0, 800, 100)
	const id = "20250301T120000.000000005Z"
	dir := filepath.Join(s.dir, id)
	want := messages.PressureProfile{ID: id, CapturedAt: begin, SourceEndpoint: "http://127.0.0.1:6060", RSSBytes: 800, LimitBytes: 1000,
		TriggerPercent: 75, ThresholdBytes: 750, Files: []messages.ProfileFile{
			{Type: "heap", Filename: "heap.pprof", Path: filepath.Join(dir, "heap.pprof"), Format: "pprof", SizeBytes: 100},
			{Type: "goroutine", Filename: "goroutine.pprof", Path: filepath.Join(dir, "goroutine.pprof"), Format: "pprof", SizeBytes: 1}}}
	require.Equal(t, want, c.Profile)
	list, err = s.restart(16, 1<<20).List()
	require.NoError(t, err)
	require.Equal(t, []messages.PressureProfile{want}, list)

	names, size := s.onDisk()
	require.Equal(t, []string{id + "/goroutine.pprof", id + "/heap.pprof", id + "/meta.json"}, names)
	require.Equal(t, Usage{Artifacts: 1, Bytes: size}, c.Usage)
	usage, err := s.Open()
	require.NoError(t, err)
	require.Equal(t, c.Usage, usage)

	// Another one of the same moment has the next nanosecond.
	require.Equal(t, "20250301T120000.000000006Z", s.ok(0, 800, 100).Profile.ID)
}

// What cannot be had is missing; the rest is kept.
func TestProfilesThatFail(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	cut := errors.New("cut short")
	broken := func(_ context.Context, w io.Writer) error {
		_, err := w.Write(make([]byte, 1000))
		require.NoError(t, err)
		return cut
	}
	c, err := s.Capture(t.Context(), event(0, 1), profiles(broken, fetch("g")))
	require.NoError(t, err)
	require.ErrorIs(t, c.Missing, cut)
	require.Len(t, c.Profile.Files, 1)
	require.Equal(t, "goroutine", c.Profile.Files[0].Type)
	names, size := s.onDisk()
	require.Len(t, names, 2, "nothing is left of the one that failed: %v", names)
	require.Equal(t, size, c.Usage.Bytes)
	text, err := os.ReadFile(filepath.Join(s.dir, c.Profile.ID, metaName))
	require.NoError(t, err)
	require.Contains(t, string(text), `"error": "cut short"`)
	require.Equal(t, []int{0}, s.restart(16, 1<<20).minutes())

	c, err = s.Capture(t.Context(), event(1, 1), profiles(broken, broken))
	require.ErrorIs(t, err, cut)
	require.Equal(t, Usage{Artifacts: 1, Bytes: size}, c.Usage)
	after, _ := s.onDisk()
	require.Equal(t, names, after)
}

// A stop ends a capture, and leaves nothing of it.
func TestCaptureIsStopped(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	second := false
	_, err := s.Capture(ctx, event(0, 1), profiles(func(context.Context, io.Writer) error {
		cancel(stopped)
		return context.Canceled
	}, func(context.Context, io.Writer) error { second = true; return nil }))
	require.ErrorIs(t, err, stopped)
	require.False(t, second)
	names, _ := s.onDisk()
	require.Empty(t, names)
}

// The lowest resident memory is evicted first, of equal ones the oldest, and the first one never.
func TestEviction(t *testing.T) {
	s := newTestStore(t, 4, 1<<20)
	s.ok(0, 10, 1) // the first
	s.ok(1, 50, 1)
	s.ok(2, 40, 1)
	s.ok(3, 40, 1)
	require.Equal(t, 1, s.ok(4, 5, 1).Evicted)
	require.Equal(t, []int{0, 1, 3, 4}, s.minutes())
	s.ok(5, 60, 1)
	require.Equal(t, []int{0, 1, 3, 5}, s.minutes(), "the last one had the least")
	s.ok(6, 60, 1)
	require.Equal(t, []int{0, 1, 5, 6}, s.minutes())
}

// The first occurrence stays the first when the clock has been set back.
func TestFirstAfterClockStep(t *testing.T) {
	s := newTestStore(t, 2, 1<<20)
	s.ok(100, 10, 1)
	s.ok(0, 50, 1)
	s.ok(1, 50, 1)
	require.Equal(t, []int{1, 100}, s.minutes())
	s = s.restart(2, 1<<20)
	s.ok(2, 50, 1)
	require.Equal(t, []int{2, 100}, s.minutes())
	// Where nothing says which one was the first, it is the oldest.
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, idOf(begin.Add(100*time.Minute)))))
	s.ok(3, 50, 1)
	s.ok(4, 60, 1)
	require.Equal(t, []int{2, 4}, s.minutes())
}

func TestNoRoom(t *testing.T) {
	f := func(artifacts int, limit int64, size int, want string) {
		t.Helper()
		s := newTestStore(t, artifacts, limit)
		s.ok(0, 10, 1000)
		before, _ := s.onDisk()
		c, err := s.capture(1, 20, size)
		if want == "" {
			require.NoError(t, err)
			require.ErrorIs(t, c.Missing, ErrNoRoom)
			require.Len(t, c.Profile.Files, 1)
			return
		}
		require.ErrorIs(t, err, ErrNoRoom)
		require.ErrorContains(t, err, want)
		after, bytes := s.onDisk()
		require.Equal(t, before, after)
		require.Equal(t, Usage{Artifacts: 1, Bytes: bytes}, c.Usage)
	}
	f(1, 1<<20, 10, "the limit is 1 (--pressure-profiler-max-artifacts)")
	f(2, 2000+maxMetaBytes-700, 10, "the limit is 17684 bytes (--pressure-profiler-max-disk-bytes)")
	f(2, 1<<20, 2<<20, "") // the heap does not fit, the goroutines do
}

// What is to be left free of the file system is left, also while a profile comes.
func TestSpaceIsLeftFree(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	used, failure := uint64(0), error(nil)
	s.cfg.MinFree = 0.05
	s.cfg.Space = func() (uint64, uint64, error) {
		_, size := s.onDisk()
		return 1_000_000 - used - uint64(size), 1_000_000, failure
	}
	s.ok(0, 10, 1000)
	used = 900_000
	c, err := s.capture(1, 10, 60_000)
	require.NoError(t, err)
	require.ErrorContains(t, c.Missing, "and 50000 are left free (--storage-min-free)")
	require.ErrorIs(t, c.Missing, ErrNoRoom)
	s.ok(2, 10, 40_000)
	used = 920_000
	asked := func(context.Context, io.Writer) error { t.Error("asked"); return nil }
	c, err = s.Capture(t.Context(), event(3, 20), profiles(asked, asked))
	require.ErrorIs(t, err, ErrNoRoom)
	require.Zero(t, c.Evicted)
	failure = io.ErrNoProgress
	_, err = s.capture(4, 10, 10)
	require.ErrorIs(t, err, ErrDisk)
	require.ErrorIs(t, err, failure)
	require.Equal(t, []int{0, 1, 2}, s.minutes())
}

// A capture that cannot be asks nothing of the node.
func TestNoRoomIsSaidBefore(t *testing.T) {
	s := newTestStore(t, 1, 1<<20)
	s.ok(0, 10, 1)
	asked := func(context.Context, io.Writer) error { t.Error("asked"); return nil }
	_, err := s.Capture(t.Context(), event(1, 20), profiles(asked, asked))
	require.ErrorIs(t, err, ErrNoRoom)
}

// What the node does not give costs no artifact.
func TestFailedCaptureEvictsNothing(t *testing.T) {
	s := newTestStore(t, 2, 3*maxMetaBytes)
	s.ok(0, 10, 10_000)
	s.ok(1, 10, 22_000)
	refused := func(context.Context, io.Writer) error { return errors.New("refused") }
	c, err := s.Capture(t.Context(), event(2, 20), profiles(refused, refused))
	require.EqualError(t, err, "refused; refused")
	require.Zero(t, c.Evicted)
	require.Equal(t, []int{0, 1}, s.minutes())
}

// The limits hold while captures of random sizes are written, some of which fail, and over restarts. The
// first one stays, and all that is listed can be read.
func TestLimitsHold(t *testing.T) {
	const artifacts, limit = 5, 200_000
	random := rand.New(rand.NewPCG(1, 2))
	s := newTestStore(t, artifacts, limit)
	check := func() {
		_, size := s.onDisk()
		require.LessOrEqual(t, size, int64(limit))
		list, err := s.List()
		require.NoError(t, err)
		require.LessOrEqual(t, len(list), artifacts)
	}
	write := func(size int, end error) func(context.Context, io.Writer) error {
		return func(_ context.Context, w io.Writer) error {
			for size > 0 {
				n := min(size, 1+random.IntN(50_000))
				if _, err := w.Write(bytes.Repeat([]byte{byte(n)}, n)); err != nil {
					return err
				}
				size -= n
				check()
			}
			return end
		}
	}
	counts := map[string]int{}
	s.ok(0, 1, 100)
	for i := 1; i < 60; i++ {
		var end error
		if random.IntN(4) == 0 {
			end = io.ErrUnexpectedEOF
		}
		c, err := s.Capture(t.Context(), event(i, random.Uint64N(100)), profiles(write(random.IntN(120_000), end), write(random.IntN(120_000), end)))
		check()
		switch {
		case err == nil && c.Missing == nil:
			counts["whole"]++
		case err == nil:
			counts["partial"]++
		default:
			counts["failed"]++
		}
		counts["evicted"] += c.Evicted
		_, size := s.onDisk()
		list, err := s.List()
		require.NoError(t, err)
		require.Equal(t, Usage{Artifacts: len(list), Bytes: size}, c.Usage)
		require.Equal(t, begin, list[0].CapturedAt)
		for _, p := range list {
			for _, f := range p.Files {
				text, err := s.read(p.ID, f.Type, f.Path)
				require.NoError(t, err)
				require.Len(t, text, int(f.SizeBytes))
			}
		}
		if random.IntN(10) == 0 {
			s = s.restart(artifacts, limit)
		}
	}
	require.Len(t, counts, 4, "%v", counts)
	t.Log(counts)
}

// After a restart, half-written artifacts are gone, and what is no artifact is left alone.
func TestRestart(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	for i := range 4 {
		s.ok(i, uint64(i), 100)
	}
	id := func(minute int) string { return idOf(begin.Add(time.Duration(minute) * time.Minute)) }
	put := func(name, text string) {
		t.Helper()
		name = filepath.Join(s.dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	put(halfPrefix+id(7)+"/heap.pprof", "half")
	put(halfPrefix+id(8)+"/meta.json", "{}")
	foreign := []string{"lock", "notes.txt", "other/meta.json", halfPrefix + "x/y", id(9) + "/heap.pprof", id(10) + "/meta.json", "20250301T120000Z/meta.json"}
	for _, name := range foreign {
		put(name, "mine")
	}
	put(id(2)+"/heap.pprof", "shorter")                                      // damaged
	require.NoError(t, os.Remove(filepath.Join(s.dir, id(3), "heap.pprof"))) // damaged
	s = s.restart(16, 1<<20)
	require.Equal(t, []int{0, 1}, s.minutes(), "a list removes nothing")
	usage, err := s.Open()
	require.NoError(t, err)
	require.Equal(t, 2, usage.Artifacts)
	require.Equal(t, 4, usage.Ignored)
	require.Equal(t, []int{0, 1}, s.minutes())
	names, _ := s.onDisk()
	for _, name := range foreign {
		require.Contains(t, names, name)
	}
	for _, name := range names {
		require.False(t, isHalf(strings.Split(name, "/")[0]), name)
	}
	s.ok(4, 1, 1)
	require.Equal(t, []int{0, 1, 4}, s.minutes())
}

// Lower limits evict at the start.
func TestLowerLimits(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	for i := range 6 {
		s.ok(i, uint64(10+i%3), 1000)
	}
	s = s.restart(4, 1<<20)
	usage, err := s.Open()
	require.NoError(t, err)
	require.Equal(t, 4, usage.Artifacts)
	require.Equal(t, []int{0, 2, 4, 5}, s.minutes())
	s = s.restart(4, 3500)
	usage, err = s.Open()
	require.NoError(t, err)
	require.Equal(t, []int{0, 5}, s.minutes())
	require.LessOrEqual(t, usage.Bytes, int64(3500))
	s = s.restart(4, 10)
	_, err = s.Open()
	require.NoError(t, err)
	require.Equal(t, []int{0}, s.minutes(), "the first one stays")
}

func TestHostilePaths(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	p := s.ok(0, 1, 10).Profile
	other := s.ok(1, 1, 10).Profile
	outside := filepath.Join(filepath.Dir(s.dir), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o600))

	text, err := s.read(p.ID, "heap", p.Files[0].Path)
	require.NoError(t, err)
	require.Equal(t, "hhhhhhhhhh", text)
	text, err = s.read(p.ID, "goroutine", "")
	require.NoError(t, err)
	require.Equal(t, "g", text)

	f := func(id, profileType, path string) {
		t.Helper()
		text, err := s.read(id, profileType, path)
		require.Error(t, err, "%q", path)
		require.Empty(t, text)
		require.Less(t, len(err.Error()), 600)
	}
	for _, path := range []string{
		"/", "/etc/passwd", "etc/passwd", outside, s.dir, filepath.Join(s.dir, p.ID), ".", "..", "heap.pprof", p.ID + "/heap.pprof",
		s.dir + "/" + p.ID + "/../" + p.ID + "/heap.pprof", s.dir + "/./" + p.ID + "/heap.pprof", s.dir + "//" + p.ID + "/heap.pprof",
		s.dir + "/../secret", s.dir + "/" + p.ID + "/../../secret", p.Files[0].Path + "/", p.Files[0].Path + "/.", p.Files[0].Path + "\x00",
		p.Files[0].Path + "\x00.txt", strings.ReplaceAll(p.Files[0].Path, "/", "\\"), s.dir + `\` + p.ID + `\heap.pprof`, `C:\Windows\win.ini`,
		`\\host\share\x`, "file://" + p.Files[0].Path, filepath.Join(s.dir, p.ID, metaName), p.Files[1].Path, other.Files[0].Path,
		strings.ToUpper(p.Files[0].Path), " " + p.Files[0].Path, "\xff", strings.Repeat("a/", 100_000),
	} {
		f(p.ID, "heap", path)
	}
	for _, id := range []string{"", ".", "..", "../" + filepath.Base(s.dir) + "/" + p.ID, p.ID + "/", p.ID + "/.", "/" + p.ID, p.ID + "\x00", "x", "lock",
		halfPrefix + p.ID, strings.ToLower(p.ID), "20250301T120000.00000005Z", "20250301T120000,000000005Z", "20251301T120000.000000005Z", idOf(begin.Add(time.Hour)),
		strings.Repeat("2", 100_000)} {
		f(id, "heap", "")
		f(id, "heap", p.Files[0].Path)
	}
	for _, profileType := range []string{"", "meta.json", "meta", "../heap", "heap.pprof", "HEAP", "allocs", "heap\x00", strings.Repeat("a", 100_000)} {
		f(p.ID, profileType, "")
		f(p.ID, profileType, p.Files[0].Path)
	}
	_, err = s.read(idOf(begin.Add(time.Hour)), "heap", "")
	require.ErrorIs(t, err, ErrGone)
	_, err = newTestStore(t, 1, 1).read(p.ID, "heap", "")
	require.ErrorIs(t, err, ErrGone)
}

// No link is followed, wherever it leads, and only regular files are read.
func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	f := func(target func(s *testStore) string) {
		t.Helper()
		s := newTestStore(t, 16, 1<<20)
		p, other := s.ok(0, 1, 10).Profile, s.ok(1, 1, 10).Profile
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(s.dir), "heap"), bytes.Repeat([]byte("s"), 10), 0o600))
		require.NoError(t, os.Remove(p.Files[0].Path))
		require.NoError(t, os.Symlink(target(s), p.Files[0].Path))
		text, err := s.read(p.ID, "heap", p.Files[0].Path)
		require.Error(t, err)
		require.Empty(t, text)
		require.Equal(t, []int{1}, s.minutes())

		// The directory of an artifact is a link.
		require.NoError(t, os.RemoveAll(filepath.Join(s.dir, p.ID)))
		require.NoError(t, os.Symlink(other.ID, filepath.Join(s.dir, p.ID)))
		_, err = s.read(p.ID, "heap", "")
		require.ErrorIs(t, err, ErrGone)
		require.Equal(t, []int{1}, s.minutes())
	}
	f(func(s *testStore) string { return filepath.Join(filepath.Dir(s.dir), "heap") })
	f(func(*testStore) string { return "../../heap" })
	f(func(s *testStore) string { return filepath.Join("..", idOf(begin.Add(time.Minute)), "heap.pprof") })
	f(func(s *testStore) string { return "goroutine.pprof" })
	f(func(s *testStore) string { return "nowhere" })

	// A half-written one that is a link is no directory: it stays, and so does what it leads to.
	s := newTestStore(t, 16, 1<<20)
	s.ok(0, 1, 1)
	outside := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.Mkdir(outside, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "y"), nil, 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(s.dir, halfPrefix+idOf(begin))))
	_, err := s.restart(16, 1<<20).Open()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(outside, "y"))

	// The directory itself may be reached by a link.
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(s.dir, link))
	linked := &testStore{NewStore(Config{Dir: link, MaxArtifacts: 16, MaxBytes: 1 << 20}), t, link}
	p := linked.ok(1, 1, 3).Profile
	require.Equal(t, filepath.Join(link, p.ID, "heap.pprof"), p.Files[0].Path)
	text, err := linked.read(p.ID, "heap", p.Files[0].Path)
	require.NoError(t, err)
	require.Equal(t, "hhh", text)
}

// A file that was evicted, or became shorter, is an error and no short answer.
func TestReadOfWhatChanges(t *testing.T) {
	s := newTestStore(t, 2, 1<<20)
	s.ok(0, 1, 10)
	p := s.ok(1, 1, 100_000).Profile
	f, err := s.OpenProfile(p.ID, "heap", p.Files[0].Path)
	require.NoError(t, err)
	defer f.Close()
	require.EqualValues(t, 100_000, f.Size)
	require.NoError(t, f.ReadAt(make([]byte, 10), f.Size-10))
	require.ErrorIs(t, f.ReadAt(make([]byte, 10), f.Size-9), io.ErrUnexpectedEOF)
	require.NoError(t, os.Truncate(p.Files[0].Path, 50))
	require.ErrorIs(t, f.ReadAt(make([]byte, 51), 0), io.ErrUnexpectedEOF)
	_, err = s.read(p.ID, "heap", "")
	require.Error(t, err)
	s.ok(2, 1, 10)
	s.ok(3, 1, 10)
	_, err = s.read(idOf(begin.Add(2*time.Minute)), "heap", "")
	require.ErrorIs(t, err, ErrGone)
}

func TestManyEntries(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	p := s.ok(0, 1, 1).Profile
	for i := range maxFiles + 1 {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, p.ID, fmt.Sprint(i)), nil, 0o600))
	}
	usage, err := s.Open()
	require.NoError(t, err)
	require.Equal(t, Usage{Ignored: 1}, usage)
	require.True(t, slices.Equal([]int(nil), s.minutes()))
}
