package modes

import (
	"bytes"
	"encoding/json"
	"errors"
	stdlog "log"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

func TestLogLine(t *testing.T) {
	line := func(c logConfig) string {
		t.Helper()
		var b bytes.Buffer
		log, err := newLogger(&b, c)
		require.NoError(t, err)
		defer log.close()
		log.Debug("hidden")
		log.Named("http").Warn("listening", zap.String("addr", "[::]:1"), zap.Duration("took", 1500*time.Millisecond))
		require.NoError(t, log.Sync())
		require.Equal(t, 1, strings.Count(b.String(), "\n"))
		return b.String()
	}
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(line(logConfig{"info", formatJSON})), &fields))
	_, err := time.Parse("2006-01-02T15:04:05.000Z0700", fields["time"].(string))
	require.NoError(t, err)
	delete(fields, "time")
	require.Equal(t, map[string]any{"level": "warn", "logger": "http", "msg": "listening", "addr": "[::]:1", "took": "1.5s"}, fields)

	_, rest, _ := strings.Cut(line(logConfig{"warn", formatConsole}), "\t")
	require.Equal(t, "warn\thttp\tlistening\t"+`{"addr": "[::]:1", "took": "1.5s"}`+"\n", rest)
}

func TestLogLevelHides(t *testing.T) {
	var b bytes.Buffer
	log, err := newLogger(&b, logConfig{"error", formatConsole})
	require.NoError(t, err)
	log.Warn("hidden")
	log.close()
	require.Empty(t, b.String())
	_, err = newLogger(&b, logConfig{"loud", formatConsole})
	require.Error(t, err)
}

// stuckLog returns a log whose reader stands still until the test ends.
func stuckLog(t *testing.T) programLog {
	t.Helper()
	w := stuckWriter{make(chan struct{})}
	log, err := newLogger(w, logConfig{"debug", formatConsole})
	require.NoError(t, err)
	t.Cleanup(func() { close(w.release) })
	t.Cleanup(log.close)
	return log
}

// Whatever writes to the log of the process, it does not wait for its reader.
func TestNothingWaitsForTheLog(t *testing.T) {
	f := func(name string, lines int, write func(log *zap.Logger, text string)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := stuckLog(t)
				text := strings.Repeat("x", 1000)
				begin := time.Now()
				for range lines {
					write(log.Logger, text)
				}
				// A panic of zap syncs, for as long as a stop may take at most.
				require.LessOrEqual(t, time.Since(begin), 100*time.Millisecond)
				if lines > 1 {
					require.Positive(t, log.dropped())
				}
			})
		})
	}
	const many = 2000
	f("zap", many, func(log *zap.Logger, text string) { log.Error(text) })
	f("sync", 1, func(log *zap.Logger, text string) { log.Error(text); _ = log.Sync() })
	f("panic", 1, func(log *zap.Logger, text string) { require.Panics(t, func() { log.Panic(text) }) })
	f("standard log", many, func(log *zap.Logger, text string) {
		defer zap.RedirectStdLog(log.Named("stdlog"))()
		stdlog.Print(text)
	})
	f("gRPC", many, func(log *zap.Logger, text string) { grpcLogger(log).Info(text) })
	f("HTTP server", many, func(log *zap.Logger, text string) {
		l, err := zap.NewStdLogAt(log, zap.WarnLevel)
		require.NoError(t, err)
		l.Print(text)
	})
	f("slog", many, func(log *zap.Logger, text string) { slog.New(zapslog.NewHandler(log.Core())).Error(text) })
	f("what zap cannot encode", many, func(log *zap.Logger, text string) { log.Error(text, zap.Reflect("f", func() {})) })
}

func TestLogSaysWhereLinesAreMissing(t *testing.T) {
	for format, want := range map[string]string{
		formatConsole: "warn\tlog\tlines of the log are missing here: nobody read it, or it could not be written\t" + `{"lines": 3}`,
		formatJSON:    `"logger":"log","msg":"lines of the log are missing here: nobody read it, or it could not be written","lines":3}`,
	} {
		w := &failingWriter{failures: 3}
		log, err := newLogger(w, logConfig{"error", format})
		require.NoError(t, err)
		for _, text := range []string{"a", "b", "c", "d"} {
			log.Error(text)
			require.NoError(t, log.Sync())
		}
		log.close()
		lines := strings.Split(w.String(), "\n")
		require.Len(t, lines, 3)
		require.Contains(t, lines[0], want)
		require.Contains(t, lines[1], "d")
		require.Empty(t, lines[2])
		require.EqualValues(t, 3, log.dropped())
	}
}

// failingWriter fails some times first.
type failingWriter struct {
	bytes.Buffer
	failures int
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.failures > 0 {
		w.failures--
		return 0, errors.New("broken pipe")
	}
	return w.Buffer.Write(b)
}
