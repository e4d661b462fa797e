package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Limits of the messages within a message. An empty one takes two bytes of a frame, and more than a
// hundred of memory: a frame of nothing else would take the memory of many. What the database says of itself
// takes more than four bytes for each.
const (
	freeElements    = 16 << 10
	bytesPerElement = 4
	maxElements     = 256 << 10
)

// checkElements refuses a frame that has too many messages within it, before it is decoded. It does not
// find what else is wrong with the frame.
func checkElements(b []byte, d protoreflect.MessageDescriptor) error {
	if len(b)/2 <= freeElements {
		return nil // It cannot have more.
	}
	limit := min(freeElements+len(b)/bytesPerElement, maxElements)
	if countElements(b, d, limit) > limit {
		return fmt.Errorf("more than %d elements in a message of %d bytes", limit, len(b))
	}
	return nil
}

// countElements counts the messages within a message, up to one more than the limit. It goes as deep as the
// contract does.
func countElements(b []byte, d protoreflect.MessageDescriptor, limit int) (count int) {
	for len(b) > 0 && count <= limit {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return count
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return count
		}
		if kind == protowire.BytesType {
			if field := d.Fields().ByNumber(number); field != nil && field.Message() != nil {
				inner, _ := protowire.ConsumeBytes(b)
				count += 1 + countElements(inner, field.Message(), limit-count)
			}
		}
		b = b[n:]
	}
	return count
}
