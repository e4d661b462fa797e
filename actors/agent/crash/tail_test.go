package crash

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// logWriter is a log that is written and read.
type logWriter struct {
	t    *testing.T
	path string
	l    *LogFile
	now  time.Time
}

func newLogWriter(t *testing.T) *logWriter {
	path := filepath.Join(t.TempDir(), "node.log")
	return &logWriter{t: t, path: path, l: NewLogFile(path), now: testStart}
}

func (w *logWriter) write(text string) {
	w.t.Helper()
	file, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(w.t, err)
	defer file.Close()
	_, err = file.WriteString(text)
	require.NoError(w.t, err)
}

// read reads after a time, and returns the values of panics and the texts of exits.
func (w *logWriter) read(after time.Duration) (found []string, r LogRead) {
	w.t.Helper()
	w.now = w.now.Add(after)
	r, ok := w.l.Read(w.t.Context(), w.now)
	require.True(w.t, ok)
	for _, f := range r.Found {
		if f.Exit != nil {
			found = append(found, f.Exit.Text)
			continue
		}
		found = append(found, f.Panic.PanicValue)
		require.Equal(w.t, "node.log", f.Panic.ProcessMetadata["log_file"])
	}
	return found, r
}

// finds writes, and expects what is found then.
func (w *logWriter) finds(text string, want ...string) {
	w.t.Helper()
	w.write(text)
	got, r := w.read(time.Second)
	require.NoError(w.t, r.Err)
	require.Equal(w.t, want, got)
}

const goPanic = "\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:1 +0x2\nexit status 2\n"

func TestLogIsFollowedFromItsEnd(t *testing.T) {
	w := newLogWriter(t)
	w.write("panic: old" + goPanic + "panic: in the middle of a line")
	found, r := w.read(0)
	require.NoError(t, r.Err)
	require.Empty(t, found)
	w.finds(" that goes on\nKilled\n", "Killed")
	w.finds("Kil")
	w.finds("led\n", "Killed")
	w.finds("panic: one"+goPanic, "one", "exit status 2")
	w.finds("panic: two\n\ngoroutine 1 [running]:\nmain.main()\n")
	found, _ = w.read(time.Second)
	require.Empty(t, found)
	found, _ = w.read(dumpQuiet)
	require.Equal(t, []string{"two"}, found)
}

func TestLogThatComesLaterIsReadFromItsBeginning(t *testing.T) {
	w := newLogWriter(t)
	_, r := w.read(0)
	require.ErrorIs(t, r.Err, fs.ErrNotExist)
	w.finds("Killed\n", "Killed")
}

func TestLogIsRotated(t *testing.T) {
	w := newLogWriter(t)
	w.finds("")
	w.finds("panic: one\n")
	// The rest comes to the renamed file, and to the new one what is next.
	require.NoError(t, os.Rename(w.path, w.path+".1"))
	other := *w
	other.path += ".1"
	other.write("\ngoroutine 1 [running]:\nmain.main()\nexit status 1\nKilled with")
	w.finds("Aborted\n", "one", "exit status 1")
	found, _ := w.read(time.Second)
	require.Empty(t, found)
	found, _ = w.read(time.Second)
	require.Empty(t, found)
	found, _ = w.read(time.Second)
	require.Equal(t, []string{"Aborted"}, found)
	w.finds("Killed\n", "Killed")

	// Removed, and made anew a while later.
	require.NoError(t, os.Remove(w.path))
	_, r := w.read(time.Second)
	require.NoError(t, r.Err)
	_, r = w.read(goneTime)
	require.NoError(t, r.Err)
	_, r = w.read(time.Second)
	require.ErrorIs(t, r.Err, fs.ErrNotExist)
	require.Nil(t, w.l.tail.file, "a removed file would keep its room on the disk")
	w.finds("Killed\n", "Killed")
}

func TestLogIsTruncated(t *testing.T) {
	w := newLogWriter(t)
	w.finds(strings.Repeat("something\n", 100))
	require.NoError(t, os.Truncate(w.path, 0))
	w.finds("Killed\n", "Killed")
	// Between two reads it becomes longer than it was.
	require.NoError(t, os.Truncate(w.path, 0))
	w.finds("Aborted\nanother line\n", "Aborted")
	// The end of a line that was begun before is lost with it.
	w.finds("Kil")
	require.NoError(t, os.Truncate(w.path, 0))
	w.finds("led\n")
}

func TestLogReadsAreBounded(t *testing.T) {
	w := newLogWriter(t)
	w.finds("")
	line := strings.Repeat("x", 1023) + "\n"
	w.write(strings.Repeat(line, 3000) + "Killed\n")
	for range 2 {
		found, r := w.read(0)
		require.True(t, r.More)
		require.Empty(t, found)
	}
	found, r := w.read(0)
	require.Equal(t, []string{"Killed"}, found)
	require.False(t, r.More)
	require.Zero(t, r.Skipped)

	// A line that is too long is cut, and the next one is whole.
	w.finds("panic: "+strings.Repeat("y", 3*maxLineBytes), []string(nil)...)
	found, r = w.read(0)
	require.Empty(t, found)
	w.write("\nKilled\n")
	found, _ = w.read(0)
	require.Len(t, found, 2)
	require.Equal(t, maxPanicBytes, strings.Count(found[0], "yy")*2)
	require.Contains(t, found[0], " bytes left out)")
	require.Equal(t, "Killed", found[1])
	require.Less(t, cap(w.l.tail.line), 2*maxLineBytes)

	// What is far behind is left out.
	w.write("Killed\n" + strings.Repeat(line, maxBacklog/1024) + "Killed\n")
	found, r = w.read(0)
	require.Greater(t, r.Skipped, int64(maxBacklog-2*maxReadBytes))
	for r.More {
		var rest []string
		rest, r = w.read(0)
		found = append(found, rest...)
	}
	require.Equal(t, []string{"Killed"}, found)

	w.write(strings.Repeat("Killed\n", 1000))
	found, r = w.read(0)
	require.Len(t, found, maxFound)
	require.Equal(t, 1000-maxFound, r.Dropped)
}

// A log that cannot be read for a while goes on where it ended.
func TestLogIsUnreadableForAWhile(t *testing.T) {
	w := newLogWriter(t)
	w.finds("")
	w.finds("Killed\n", "Killed")
	require.NoError(t, w.l.tail.file.Close())
	_, r := w.read(time.Second)
	require.Error(t, r.Err)
	w.finds("Aborted\n", "Aborted")
	w.l.Close()
	_, r = w.read(time.Second)
	require.ErrorIs(t, r.Err, errClosed)
	require.Nil(t, w.l.tail.file)
}

// A dump is bounded, however long it is, and its goroutines are counted.
func TestDumpsAreBounded(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("panic: many\n\n")
	for i := range 20_000 {
		fmt.Fprintf(&text, "goroutine %d [running]:\nmain.main()\n\t/a/b.go:1 +0x2\n\n", i)
	}
	found := parseLog(text.String())
	require.Len(t, found, 1)
	p := found[0].Panic
	require.Equal(t, "20000", p.ProcessMetadata["goroutines"])
	require.LessOrEqual(t, len(p.GoroutineStack), maxStackBytes+40)
	require.Contains(t, p.GoroutineStack[maxStackBytes-10:], fmt.Sprintf("... (%d bytes left out)", text.Len()-len("panic: many\n\n")-maxStackBytes))

	found = parseLog("panic: many\n" + strings.Repeat("\tline\n", 100_000))
	require.NotEmpty(t, found)
	require.Less(t, len(found[0].Panic.PanicValue), 1000)
}

// Lines of others end a dump, but for few within it; and so does time.
func TestDumpsEnd(t *testing.T) {
	var p Parser
	require.Empty(t, p.Line("panic: a", testStart))
	require.Empty(t, p.Line("goroutine 1 [running]:", testStart))
	for range maxForeignLines - 1 {
		require.Empty(t, p.Line(`{"level":"info"}`, testStart))
	}
	require.Len(t, p.Line(`{"level":"info"}`, testStart), 1)

	at := testStart
	require.Empty(t, p.Line("panic: a", at))
	require.Empty(t, p.Line("goroutine 1 [running]:", at))
	n := 0
	for ; len(p.Line("main.main()", at)) == 0; n++ {
		at = at.Add(time.Second)
	}
	require.Equal(t, int(dumpTime/time.Second)+1, n)

	require.Empty(t, p.Line("panic: a", at))
	require.Len(t, p.Break(), 1)
	require.Empty(t, p.Break())
}

// Nothing that a log has makes the parser panic, or makes records that are too large or no UTF-8.
func FuzzLog(f *testing.F) {
	names, _ := filepath.Glob("testdata/log/*.txt")
	for _, name := range names {
		text, _ := os.ReadFile(name)
		f.Add(string(text))
	}
	f.Add("2026-07-18T10:15:30Z stderr P panic: a\n2026-07-18T10:15:30Z stderr F b\n{\"log\":\"Killed\\n\",\"time\":3}\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, found := range parseLog(text) {
			if found.Exit != nil {
				requireText(t, found.Exit.Text, maxValueBytes)
				continue
			}
			requireRecord(t, *found.Panic)
		}
	})
}
