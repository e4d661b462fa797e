package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// two is made of two files, which must have the same prefix up to a dash.
func two(a, b string) Load[string] {
	return func(r *Reader, _ time.Time) (Loaded[string], error) {
		first, err := r.Read(a)
		if err != nil {
			return Loaded[string]{}, err
		}
		second, err := r.Read(b)
		if err != nil {
			return Loaded[string]{}, err
		}
		if version, _, _ := strings.Cut(string(first), "-"); !strings.HasPrefix(string(second), version+"-") {
			return Loaded[string]{}, fmt.Errorf("%q does not fit %q", b, a)
		}
		return Loaded[string]{Value: string(first) + " " + string(second)}, nil
	}
}

// world is two files in a directory, and a watcher.
type world struct {
	t       *testing.T
	dir     string
	watcher *Watcher
	logs    *observer.ObservedLogs
}

func inWorld(t *testing.T, test func(w *world)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		w := &world{t, dir, NewWatcher(zap.New(core)), logs}
		defer w.watcher.Stop()
		test(w)
	})
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(w.path(name+".new"), []byte(content), 0o600))
	require.NoError(w.t, os.Rename(w.path(name+".new"), w.path(name)))
}

func (w *world) watch(changed func(string)) *Value[string] {
	w.t.Helper()
	v, err := Watch(w.watcher, "the-file", two(w.path("a"), w.path("b")), changed)
	require.NoError(w.t, err)
	return v
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// logged returns what was logged since it was called last.
func (w *world) logged() (lines []string) {
	for _, l := range w.logs.TakeAll() {
		lines = append(lines, l.Level.String()+" "+l.Message)
	}
	return lines
}

const (
	inUse  = "info files are read again, and in use"
	cannot = "error files cannot be used: what was read before stays in force"
)

func TestFilesAreReadAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.write("a", "1-x")
		w.write("b", "1-y")
		var told []string
		v := w.watch(func(s string) { told = append(told, s) })
		require.Equal(t, "1-x 1-y", v.Get())
		w.pass(time.Minute)
		require.Empty(t, w.logged())
		w.write("a", "2-x")
		w.write("b", "2-y")
		w.pass(Interval)
		require.Equal(t, "2-x 2-y", v.Get())
		require.Equal(t, []string{"2-x 2-y"}, told, "the first version is not news")
		require.Equal(t, []string{inUse}, w.logged())
		w.write("b", "2-z")
		w.watcher.Check()
		synctest.Wait()
		require.Equal(t, "2-x 2-z", v.Get())
	})
}

// Files of Kubernetes are links through one link to a directory, which is swapped.
func TestLinksAreSwapped(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, version := range []string{"1", "2"} {
			require.NoError(t, os.Mkdir(w.path(version), 0o700))
			w.write(version+"/a", version+"-x")
			w.write(version+"/b", version+"-y")
		}
		link := func(version string) {
			require.NoError(t, os.Symlink(version, w.path("tmp")))
			require.NoError(t, os.Rename(w.path("tmp"), w.path("data")))
		}
		link("1")
		require.NoError(t, os.Symlink("data/a", w.path("a")))
		require.NoError(t, os.Symlink("data/b", w.path("b")))
		v := w.watch(nil)
		link("2")
		w.pass(Interval)
		require.Equal(t, "2-x 2-y", v.Get())
	})
}

// A version whose files are swapped one after the other is no failure.
func TestHalfOfAVersionIsNoFailure(t *testing.T) {
	inWorld(t, func(w *world) {
		w.write("a", "1-x")
		w.write("b", "1-y")
		v := w.watch(nil)
		w.write("a", "2-x")
		w.pass(Interval)
		require.Equal(t, "1-x 1-y", v.Get())
		w.write("b", "2-y")
		w.pass(settleTime)
		require.Equal(t, "2-x 2-y", v.Get())
		require.Equal(t, []string{inUse}, w.logged())
	})
}

func TestWhatFailsLeavesTheVersionBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		w.write("a", "1-x")
		w.write("b", "1-y")
		v := w.watch(nil)
		loaded := w.watcher.Statuses()[0].LoadedAt
		w.write("b", "2-y")
		w.pass(time.Minute)
		require.Equal(t, "1-x 1-y", v.Get())
		require.Equal(t, []string{cannot}, w.logged(), "it is said once")
		s := w.watcher.Statuses()[0]
		require.Equal(t, "the-file", s.Flag)
		require.Contains(t, s.Failed, "does not fit")
		require.Equal(t, loaded, s.LoadedAt)
		require.NoError(t, os.Remove(w.path("b")))
		w.pass(time.Minute)
		require.Equal(t, []string{cannot}, w.logged(), "another failure is news")
		require.Contains(t, w.watcher.Statuses()[0].Failed, "b\": no such file or directory")
		w.write("b", "1-y")
		w.pass(Interval)
		require.Equal(t, []string{inUse}, w.logged())
		require.Empty(t, w.watcher.Statuses()[0].Failed)
	})
}

func TestFilesThatFailAtTheStart(t *testing.T) {
	inWorld(t, func(w *world) {
		_, err := Watch(w.watcher, "the-file", two(w.path("a"), w.path("b")), nil)
		require.EqualError(t, err, fmt.Sprintf("--the-file: read %q: no such file or directory", w.path("a")))
		require.Empty(t, w.watcher.Statuses())
		w.write("a", strings.Repeat("x", maxFileBytes+1))
		_, err = Watch(w.watcher, "the-file", two(w.path("a"), w.path("b")), nil)
		require.ErrorContains(t, err, "has more than 4194304 bytes")
	})
}

// A value whose files hang delays no other one, and no one who asks.
func TestFilesThatHang(t *testing.T) {
	inWorld(t, func(w *world) {
		w.write("a", "1-x")
		w.write("b", "1-y")
		hang := make(chan struct{})
		defer close(hang)
		first := true
		slow, err := Watch(w.watcher, "slow", func(r *Reader, _ time.Time) (Loaded[int], error) {
			_, _ = r.Read(w.path("a"))
			if !first {
				<-hang
				return Loaded[int]{}, errors.New("too late")
			}
			first = false
			return Loaded[int]{Value: 1}, nil
		}, nil)
		require.NoError(t, err)
		v := w.watch(nil)
		w.write("a", "1-z")
		w.pass(Interval)
		require.Equal(t, "1-z 1-y", v.Get())
		require.Equal(t, 1, slow.Get())
		require.Len(t, w.watcher.Statuses(), 2)
	})
}

func TestCertificatesThatExpire(t *testing.T) {
	const day = 24 * time.Hour
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cert := Certificate{"cert", "proxy", begin.Add(10 * day)}
	s := newWatchState("cert")
	s.loaded([]Certificate{cert}, begin)
	var warned []time.Duration
	for at := begin; at.Before(begin.Add(12 * day)); at = at.Add(time.Hour) {
		for _, c := range s.expiring(at) {
			require.Equal(t, cert, c)
			warned = append(warned, at.Sub(begin))
		}
	}
	require.Equal(t, []time.Duration{3 * day, 4 * day, 5 * day, 6 * day, 7 * day, 8 * day, 9 * day, 10 * day, 11 * day}, warned)
	s.loaded([]Certificate{{"cert", "proxy", begin.Add(90 * day)}}, begin.Add(12*day))
	require.Empty(t, s.expiring(begin.Add(12*day)))
	require.Empty(t, s.warned, "the one that is gone is forgotten")
}

func TestTheLogWarnsOfCertificates(t *testing.T) {
	inWorld(t, func(w *world) {
		w.write("a", "x")
		cert := Certificate{"cert", "proxy", time.Now().Add(time.Minute)}
		_, err := Watch(w.watcher, "cert", func(r *Reader, _ time.Time) (Loaded[string], error) {
			content, err := r.Read(w.path("a"))
			return Loaded[string]{string(content), []Certificate{cert}}, err
		}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"warn a certificate expires in less than a week"}, w.logged())
		require.Equal(t, []Certificate{cert}, w.watcher.Statuses()[0].Certificates)
	})
}
