package logsink

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

var config = zapcore.EncoderConfig{
	TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg",
	EncodeTime: zapcore.ISO8601TimeEncoder, EncodeLevel: zapcore.LowercaseLevelEncoder,
	EncodeDuration: zapcore.StringDurationEncoder, EncodeName: zapcore.FullNameEncoder,
}

// encoded is the line of an entry, without the time that it begins with.
func encoded(t testing.TB, e zapcore.Encoder, name, msg string, fields ...zap.Field) string {
	t.Helper()
	entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Unix(0, 0), LoggerName: name, Message: msg}
	line, err := e.EncodeEntry(entry, fields)
	require.NoError(t, err)
	defer line.Free()
	return line.String()
}

func TestConsoleLineIsPrintable(t *testing.T) {
	f := func(want, name, msg string, fields ...zap.Field) {
		t.Helper()
		line := encoded(t, NewConsoleEncoder(config), name, msg, fields...)
		_, rest, _ := strings.Cut(line, "\t")
		require.Equal(t, "warn\t"+want+"\n", rest)
	}
	f("plain", "", "plain")
	f("http\tmany words: äöü 日本 👍", "http", "many words: äöü 日本 👍")
	f(`a\nb\r\tc`, "", "a\nb\r\tc")
	f(`\u001b[31mred\u0007`, "", "\x1b[31mred\a")
	f(`x\ny`+"\t"+`m`, "x\ny", "m")
	f(`del \u007f nel \u0085 csi \u009b`, "", "del \x7f nel \u0085 csi \u009b")
	f(`\u2028\u2029\u202eabc\u202c\u2066\u200f\ufeff`, "", "\u2028\u2029\u202eabc\u202c\u2066\u200f\ufeff")
	f(`tag \udb40\udc41`, "", "tag \U000e0041")
	f(`broken \ufffd\ufffd`, "", "broken \xff\xc3")
	f("m\t"+`{"a\nb": "c\u001b\u009b\u2028\ufffd"}`, "", "m", zap.String("a\nb", "c\x1b\u009b\u2028\xff"))
	f("m\t"+`{"error": "a\nb\u007f"}`, "", "m", zap.Error(errors.New("a\nb\x7f")))
	f("m\t"+`{"any": {"k\u0085":["\u2028"]}}`, "", "m", zap.Any("any", map[string][]string{"k\u0085": {"\u2028"}}))
	f("m\t"+`{"many": ["\u202e"]}`, "", "m", zap.Strings("many", []string{"\u202e"}))
	f("m\t"+`{"bytes": "\u009b"}`, "", "m", zap.ByteString("bytes", []byte("\u009b")))
}

func TestFieldsOfALoggerArePrintable(t *testing.T) {
	for _, e := range []zapcore.Encoder{NewConsoleEncoder(config), NewJSONEncoder(config)} {
		with := e.Clone()
		zap.String("peer", "\x1b\u009b\n").AddTo(with)
		require.Contains(t, encoded(t, with, "", "m"), `\u001b\u009b\n"}`)
		require.NotContains(t, encoded(t, e, "", "m"), "peer")
	}
}

// FuzzLineIsPrintable fails if a text that a peer has sent makes a line of its own, moves
// another column, or comes to a terminal as anything but text; or if JSON means another.
func FuzzLineIsPrintable(f *testing.F) {
	for _, text := range []string{"a", "a\nb\t\r\x00\x1b[2J", "\u0085\u009b\u2028\u202e\u200b", "\xff\xfe\xed\xa0\x80", "\U000e0041👍", `\n\u001b"`, "�"} {
		f.Add(text, text, text)
	}
	f.Fuzz(func(t *testing.T, msg, name, value string) {
		fields := []zap.Field{zap.String("value", value), zap.Error(errors.New(value)), zap.Any("any", []string{value})}
		console := encoded(t, NewConsoleEncoder(config), name, msg, fields...)
		requirePrintable(t, console)
		columns := 4
		if name != "" {
			columns = 5
		}
		require.Equal(t, columns, strings.Count(console, "\t")+1)

		line := encoded(t, NewJSONEncoder(config), name, msg, fields...)
		requirePrintable(t, line)
		require.NotContains(t, line, "\t")
		var got struct {
			Msg, Logger, Value, Error string
			Any                       []string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &got))
		valid := func(text string) string { return string([]rune(text)) }
		require.Equal(t, valid(msg), got.Msg)
		require.Equal(t, valid(name), got.Logger)
		require.Equal(t, valid(value), got.Value)
		require.Equal(t, valid(value), got.Error)
		require.Equal(t, []string{valid(value)}, got.Any)
	})
}

func requirePrintable(t *testing.T, line string) {
	t.Helper()
	text, ok := strings.CutSuffix(line, "\n")
	require.True(t, ok)
	for i, r := range text {
		require.True(t, r == '\t' || strconv.IsGraphic(r), "%q at %d of %q", r, i, line)
		require.False(t, r == '�' && !strings.HasPrefix(text[i:], "�"), "broken UTF-8 at %d of %q", i, line)
	}
}

func BenchmarkConsoleLine(b *testing.B) {
	for name, e := range map[string]zapcore.Encoder{"printable": NewConsoleEncoder(config), "zap": zapcore.NewConsoleEncoder(config)} {
		b.Run(name, func(b *testing.B) {
			entry := zapcore.Entry{Level: zapcore.InfoLevel, Time: time.Unix(0, 0), LoggerName: "http", Message: "request"}
			fields := []zap.Field{zap.String("route", "/metrics"), zap.Int("code", 200), zap.Duration("took", time.Millisecond)}
			for b.Loop() {
				line, err := e.EncodeEntry(entry, fields)
				if err != nil {
					b.Fatal(err)
				}
				line.Free()
			}
		})
	}
}
