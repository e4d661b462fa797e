package journal

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// docReader reads segments as docs/journal.md says, and shares no code with the journal: what
// the document forgets, it does not know. It is slow and simple, panics at what is not allowed,
// and lists each field that it reads.
type docReader struct {
	data   []byte
	at     int
	header []byte
	list   strings.Builder
	// from is where the field that is being read begins.
	from    int
	targets []*docTarget
	number  uint64
	created int64
	// samples are those of all scrapes: "number target time failure name{labels} value bits".
	samples []string
}

// field lists the bytes that were read since the last call, and what they are.
func (d *docReader) field(format string, args ...any) {
	const bytesOfLine = 12
	text := fmt.Sprintf(format, args...)
	for {
		n := min(bytesOfLine, d.at-d.from)
		fmt.Fprintf(&d.list, "%-*s %s\n", 3*bytesOfLine, spaced(d.data[d.from:d.from+n]), text)
		d.from += n
		text = ""
		if d.from == d.at {
			return
		}
	}
}

func spaced(b []byte) string {
	var parts []string
	for i := range b {
		parts = append(parts, hex.EncodeToString(b[i:i+1]))
	}
	return strings.Join(parts, " ")
}

func (d *docReader) bytes(n int) []byte {
	d.at += n
	return d.data[d.at-n : d.at]
}

func (d *docReader) little(n int) (v uint64) {
	for i, b := range d.bytes(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (d *docReader) uvarint() (v uint64) {
	for i := 0; ; i++ {
		b := d.bytes(1)[0]
		v |= uint64(b%128) << (7 * i)
		if b < 128 {
			return v
		}
	}
}

func signed(zigzag uint64) int64 {
	if zigzag%2 == 1 {
		return -int64(zigzag/2) - 1
	}
	return int64(zigzag / 2)
}

func (d *docReader) varint() int64 { return signed(d.uvarint()) }

func (d *docReader) text() string { return string(d.bytes(int(d.uvarint()))) }

// segment reads all frames, and returns false if the segment does not begin as one.
func (d *docReader) segment() bool {
	if string(d.bytes(7)) != "fodcseg" || d.bytes(1)[0] != 1 {
		return false
	}
	d.field("fodcseg, version 1")
	for d.at < len(d.data) {
		length := d.bytes(4)
		d.at -= 4
		n := int(d.little(4))
		d.field("%d bytes of payload", n)
		sum := d.little(4)
		payload := d.data[d.at : d.at+n]
		covered := append(append([]byte{}, length...), payload...)
		if d.header == nil {
			d.header = append(append([]byte{}, d.data[:8]...), covered...)
			covered = nil
		}
		if crc32.Checksum(append(append([]byte{}, d.header...), covered...), crc32.MakeTable(crc32.Castagnoli)) != uint32(sum) {
			panic("wrong checksum")
		}
		d.field("checksum")
		if d.frame(d.at + n) {
			return true
		}
	}
	return true
}

// frame reads a payload, and returns true if it was the trailer.
func (d *docReader) frame(end int) bool {
	switch kind := d.bytes(1)[0]; kind {
	case 1:
		d.field("HEADER")
		d.readHeader()
	case 2:
		d.field("SCRAPE")
		d.readScrape(end)
	case 3:
		d.field("MARK")
		kind := d.bytes(1)[0]
		d.field("kind %d", kind)
		d.field("time %d", d.varint())
	case 4:
		d.field("INDEX")
		d.readIndex()
	case 5:
		d.field("TRAILER")
		d.field("the index is at %d", d.little(8))
		return true
	case 6:
		d.field("EVENT")
		d.field("time %d", d.varint())
		d.field("kind %q", d.text())
		d.field("target %q", d.text())
		d.field("detail %q", d.text())
	default:
		d.at = end
		d.field("type %d, skipped", kind)
	}
	d.at = end
	return false
}

func (d *docReader) readHeader() {
	d.field("segment %d", d.uvarint())
	d.created = d.varint()
	d.field("created %d", d.created)
	for _, what := range []string{"node id", "role", "pod name", "agent version"} {
		d.field("%s %q", what, d.text())
	}
	n := d.uvarint()
	d.field("%d labels", n)
	for range n {
		name := d.text()
		d.field("label %s=%q", name, d.text())
	}
}

func (d *docReader) readIndex() {
	d.field("closed %d", d.varint())
	d.readExtent()
	targets := d.uvarint()
	d.field("%d targets", targets)
	for range targets {
		d.field("target %q", d.text())
		series, scrapes := d.uvarint(), d.uvarint()
		d.field("%d series, %d scrapes, %d samples", series, scrapes, d.uvarint())
		d.readExtent()
	}
	marks := d.uvarint()
	d.field("%d marks", marks)
	for range marks {
		kind := d.bytes(1)[0]
		d.field("kind %d at %d", kind, d.varint())
	}
}

func (d *docReader) readExtent() {
	first := d.uvarint()
	last := first + d.uvarint()
	least := d.varint()
	d.field("scrapes %d to %d, from %d to %d", first, last, least, least+int64(d.uvarint()))
}
