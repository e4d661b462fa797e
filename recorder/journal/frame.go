package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment begins with segmentMagic and the version. Frames follow, one behind the other:
//
//	length    4 bytes, little endian: of the payload, which is not empty
//	checksum  4 bytes, little endian: CRC-32C of what came before it, see below
//	payload   one byte that says what it is, then the body
//
// The first frame is the header. Its checksum is of the magic, the version, the length and the
// payload. The checksum of every other frame goes on from that of the header: it is of all
// bytes of the header, then of the frame's length and payload. So a frame of another segment
// never fits, and neither does a changed length.
const (
	segmentMagic  = "fodcseg"
	formatVersion = 1
	// frameHeaderBytes is the size of length and checksum.
	frameHeaderBytes = 8
	lengthBytes      = 4
)

// recordType says what the payload of a frame is. Readers skip types that they do not know.
type recordType byte

const (
	typeHeader  recordType = 1
	typeScrape  recordType = 2
	typeMark    recordType = 3
	typeIndex   recordType = 4
	typeTrailer recordType = 5
	typeEvent   recordType = 6
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errFrameTooLarge = fmt.Errorf("a record of more than %d bytes", maxFrameBytes)

// checksum returns the checksum of a frame that goes on from another. Length is the frame's
// length field.
func checksum(from uint32, length, payload []byte) uint32 {
	return crc32.Update(crc32.Update(from, castagnoli, length), castagnoli, payload)
}

// beginFrame appends a frame without its payload, up to the type.
func beginFrame(dst []byte, t recordType) []byte {
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0, byte(t))
}

// endFrame completes the frame that begins at start and reaches to the end of dst. The
// checksum goes on from the given one.
func endFrame(dst []byte, start int, from uint32) (sum uint32, err error) {
	frame := dst[start:]
	payload := frame[frameHeaderBytes:]
	if len(payload) > maxFrameBytes {
		return 0, errFrameTooLarge
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(payload)))
	sum = checksum(from, frame[:lengthBytes], payload)
	binary.LittleEndian.PutUint32(frame[lengthBytes:], sum)
	return sum, nil
}

// Damage says where reading of a segment ends before its end, and why. All records before it
// are good.
type Damage struct {
	// Offset is that of the first frame that cannot be read.
	Offset int64
	Reason string
	// Torn says that the file ends within the frame: its write was interrupted, or is under
	// way.
	Torn bool
}

func (d *Damage) Error() string { return fmt.Sprintf("damaged at offset %d: %s", d.Offset, d.Reason) }

// ErrVersion is returned for a segment of a version that this program cannot read.
var ErrVersion = errors.New("unknown version of a segment")
