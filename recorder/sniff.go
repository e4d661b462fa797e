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

// A body that is no page of metrics is often one of a few other things. The error says
// which, so that nobody has to look at the bytes.

// ErrCompressed is the Err of a page that is compressed without a header that says so.
var ErrCompressed = errors.New("Content-Encoding does not say so")

// utf8BOM may stand before a page. Editors and scripts write it; it means nothing.
const utf8BOM = "\ufeff"

// compressions begin in ways in which no page does.
var compressions = []struct{ name, prefix string }{
	{"gzip", "\x1f\x8b"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"xz", "\xfd7zXZ\x00"},
	{"lz4", "\x04\x22\x4d\x18"},
}

// compressionOf returns how the body is compressed, empty if it is not.
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

// isZlib reports whether the body begins as zlib does: the encoding that HTTP calls
// deflate. Text may have its first two bytes, so some of it is unpacked.
func isZlib(body []byte) bool {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return false
	}
	_, err = z.Read(make([]byte, 1))
	return err == nil
}

// sniff says what a page without a sample is, nil if that is not known.
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

// markup tells HTML from XML.
func markup(text []byte) string {
	const shown = 512
	head := strings.ToLower(string(text[:min(len(text), shown)]))
	if strings.HasPrefix(head, "<?xml") && !strings.Contains(head, "<html") {
		return "XML"
	}
	return "HTML"
}

// isDelimited reports whether the body begins with a MetricFamily of the protobuf format: its
// length, then its name.
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
