package logsink

import (
	"bytes"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// encoder makes one line of printable characters of each entry. So text of a peer, whether in
// a message, a name or a field, cannot start a line of its own or control a terminal. Lines of
// JSON stay valid, with the same meaning.
type encoder struct {
	zapcore.Encoder
	// plain: the inner encoder writes messages and names unescaped.
	plain bool
}

// NewConsoleEncoder returns zap's encoder for people, with printable lines.
func NewConsoleEncoder(cfg zapcore.EncoderConfig) zapcore.Encoder {
	return encoder{zapcore.NewConsoleEncoder(cfg), true}
}

// NewJSONEncoder returns zap's encoder of JSON, with printable lines.
func NewJSONEncoder(cfg zapcore.EncoderConfig) zapcore.Encoder {
	return encoder{zapcore.NewJSONEncoder(cfg), false}
}

// Clone implements zapcore.Encoder.
func (e encoder) Clone() zapcore.Encoder { return encoder{e.Encoder.Clone(), e.plain} }

// EncodeEntry implements zapcore.Encoder.
func (e encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if e.plain {
		entry.Message, entry.LoggerName = Printable(entry.Message), Printable(entry.LoggerName)
	}
	line, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	// The tabs that are left are zap's, between the parts of a line.
	if text := bytes.TrimSuffix(line.Bytes(), []byte{'\n'}); !isPrintable(text, true) {
		escaped := appendPrintable(nil, text, true)
		line.Reset()
		line.AppendBytes(append(escaped, '\n'))
	}
	return line, nil
}
