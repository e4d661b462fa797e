package promapi

import (
	"sync/atomic"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// seriesBytes is about what a series takes beside its labels, with what the engine makes of it.
const seriesBytes = 256

// seriesMemory is the memory that the series of all queries take. The engine counts samples only, and
// a series with one sample takes twenty times as much.
type seriesMemory struct {
	// limit is in bytes; 0 is no limit.
	limit    int64
	reserved atomic.Int64
}

// reserve reserves the memory of a series until the slot is released. The error is of the kind
// too_large if the request alone takes more than the limit, and unavailable if it does so together
// with others.
func (s *slot) reserve(l labels.Labels) error {
	m := &s.admission.series
	if m.limit == 0 {
		return nil
	}
	bytes := int64(l.ByteSize()) + seriesBytes
	s.seriesBytes += bytes
	switch all := m.reserved.Add(bytes); {
	case all <= m.limit:
		return nil
	case s.seriesBytes > m.limit:
		return messages.Errorf(messages.ErrTooLarge,
			"the series that the query selects take more than %d MiB, as much as those of all queries may take: select fewer", m.limit>>20)
	default:
		return messages.Errorf(messages.ErrUnavailable,
			"the series that queries select take more than %d MiB together: try again in a second", m.limit>>20)
	}
}
