package recorder

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"
)

// The error of a page that cannot be read says what its body is, if that is one of a few
// frequent cases.

// ErrCompressed is the Err of a page that is compressed although no header says so.
var ErrCompressed = errors.New("Content-Encoding does not say so")

// utf8BOM is the byte order mark that some editors and scripts write before a text. It is
// ignored.
const utf8BOM = "\ufeff"

// compressions are formats with a prefix that no page begins with.
var compressions = []struct{ name, prefix string }{
	{"gzip", "\x1f\x8b"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"xz", "\xfd7zXZ\x00"},
	{"lz4", "\x04\x22\x4d\x18"},
}

// compressionOf returns the name of the format in which the body is compressed, empty if it is
// not.
func compressionOf(body []byte) string {
	for _, c := range compressions {
		if bytes.HasPrefix(body, []byte(c.prefix)) {
			return c.name
		}
	}
	const bzip2, digit, block = "BZh", 1, "1AY&SY"
	if rest, ok := bytes.CutPrefix(body, []byte(bzip2)); ok && len(rest) > digit && bytes.HasPrefix(rest[digit:], []byte(block)) {
		return "bzip2"
	}
	return ""
}

// isZlib reports whether the body is zlib, which is the encoding deflate of HTTP. A text may
// begin with the same two bytes, so the first byte is decompressed.
func isZlib(body []byte) bool {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return false
	}
	_, err = z.Read(make([]byte, 1))
	return err == nil
}

// sniff returns an error that says what the body of a page without a sample is, nil if that is
// not known.
func (p *Page) sniff() error {
	body := p.buf
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return errors.New("the body is empty")
	case isZlib(body):
		return compressed("zlib (deflate)")
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		return errors.New("the body is UTF-16 text: UTF-8 is read")
	case isProtobuf(p.contentType), isDelimited(body):
		return errors.New("the body is protobuf: the text format and OpenMetrics are read")
	case text[0] == '<':
		return fmt.Errorf("the body is %s", markup(text))
	case (text[0] == '{' || text[0] == '[') && json.Valid(text):
		return errors.New("the body is JSON")
	default:
		return nil
	}
}

func compressed(name string) error { return fmt.Errorf("the body is %s, but %w", name, ErrCompressed) }

// markup returns HTML or XML.
func markup(text []byte) string {
	const shown = 512
	head := strings.ToLower(string(text[:min(len(text), shown)]))
	if strings.HasPrefix(head, "<?xml") && !strings.Contains(head, "<html") {
		return "XML"
	}
	return "HTML"
}

// isDelimited reports whether the body begins with a MetricFamily of the delimited protobuf
// format: its length, then its name.
func isDelimited(body []byte) bool {
	const tagName = 1<<3 | 2
	length, n := binary.Uvarint(body)
	if n <= 0 || uint64(len(body)-n) < length || length == 0 || body[n] != tagName {
		return false
	}
	body = body[n+1:]
	length, n = binary.Uvarint(body)
	if n <= 0 || uint64(len(body)-n) < length {
		return false
	}
	return length > 0 && checkRawName(body[n:n+int(length)]) == nil
}

// isProtobuf reports whether the content type is that of the protobuf format.
func isProtobuf(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/vnd.google.protobuf"
}
