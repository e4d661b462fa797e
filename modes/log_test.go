package modes

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestLogLine(t *testing.T) {
	line := func(c logConfig) string {
		t.Helper()
		var b bytes.Buffer
		log, err := newLogger(&b, c)
		require.NoError(t, err)
		log.Debug("hidden")
		log.Named("http").Warn("listening", zap.String("addr", "[::]:1"), zap.Duration("took", 1500*time.Millisecond))
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
	require.Empty(t, b.String())
	_, err = newLogger(&b, logConfig{"loud", formatConsole})
	require.Error(t, err)
}
