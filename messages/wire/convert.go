package wire

import (
	"fmt"
	"strings"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// The bounds of a sample's time, in unix milliseconds: RFC 3339 has the years 1 to 9999.
const (
	minTime int64 = -62_135_596_800_000
	maxTime int64 = 253_402_300_799_999
)

// Rejections counts what is dropped from an answer, and keeps the first reason.
type Rejections struct {
	Count int
	First error
	// Sanitized counts label sets that are kept, with a name that was made valid.
	Sanitized int
}

// Add counts n that are dropped for the same reason.
func (r *Rejections) Add(n int, err error) {
	r.Count += n
	if r.First == nil && n > 0 {
		r.First = err
	}
}

// Addf is Add with a format. It formats only the first error: a hostile frame can have a
// million faults.
func (r *Rejections) Addf(n int, format string, args ...any) {
	r.Count += n
	if r.First == nil && n > 0 {
		r.First = fmt.Errorf(format, args...)
	}
}

// toTimestamp returns nil for the zero time.
func toTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// fromTimestamp returns the zero time for a timestamp that is absent or invalid.
func fromTimestamp(t *timestamppb.Timestamp) time.Time {
	if !t.IsValid() {
		return time.Time{}
	}
	return t.AsTime()
}

func toCapabilities(c messages.Capabilities) []Capability {
	var list []Capability
	if c.ColumnarAnswers {
		list = append(list, Capability_CAPABILITY_COLUMNAR_ANSWERS)
	}
	if c.HeartbeatAnswers {
		list = append(list, Capability_CAPABILITY_HEARTBEAT_ANSWERS)
	}
	if c.Dictionary {
		list = append(list, Capability_CAPABILITY_DICTIONARY)
	}
	if c.StreamAnswers {
		list = append(list, Capability_CAPABILITY_STREAM_ANSWERS)
	}
	return list
}

// fromCapabilities ignores unknown capabilities: a later version may have more.
func fromCapabilities(list []Capability) messages.Capabilities {
	var c messages.Capabilities
	for _, capability := range list {
		switch capability {
		case Capability_CAPABILITY_COLUMNAR_ANSWERS:
			c.ColumnarAnswers = true
		case Capability_CAPABILITY_HEARTBEAT_ANSWERS:
			c.HeartbeatAnswers = true
		case Capability_CAPABILITY_DICTIONARY:
			c.Dictionary = true
		case Capability_CAPABILITY_STREAM_ANSWERS:
			c.StreamAnswers = true
		}
	}
	return c
}

// Clean returns the text as valid UTF-8 of at most limit bytes. Protobuf cannot encode any
// other text.
func Clean(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "?")
}
