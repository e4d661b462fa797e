package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// frameInfo describes a frame of an answer.
type frameInfo struct {
	requestID uint64 // 0: the oldest request
	part      messages.Part
	more      bool
	errorText string
	count     int // of samples or parts
	bytes     int
	// lost says that the frame refers to a dictionary that is lost.
	lost bool
	// repeated says that the frame was received before.
	repeated bool
	// announced is the revision of the agent's incidents that the frame tells of: it answers nothing.
	announced messages.IncidentRevision
}

// decision is what happens with a frame of an answer.
type decision struct {
	// deliver is nil if no collection waits for the frame.
	deliver *delivery
	// flood says that more than maxUnsolicited frames in a row answered no request.
	flood bool
	// dropped says why the frame goes into no collection.
	dropped frameDropReason
	// excess says that the answer is over its limits.
	excess bool
	// hold says that the frame is not consumed yet: consumed will say when.
	hold bool
}

// answered matches a frame with its request and decides what happens with it.
func (s *channelState) answered(f frameInfo, now time.Time) decision {
	if f.announced != 0 {
		return decision{}
	}
	at := s.find(f.requestID, f.part)
	if at < 0 || f.repeated {
		return s.unasked()
	}
	s.unsolicited, s.heardAt = 0, now
	r := s.requests[at]
	r.heardAt = now
	r.count += f.count
	r.bytes += f.bytes
	maxCount, maxBytes := s.limits(r)
	r.oversized = r.oversized || r.count > maxCount || r.bytes > maxBytes
	d := &delivery{collectionID: r.collectionID, last: !f.more}
	rejected := frameKept
	switch {
	case f.lost:
		rejected = frameUnknownFamilies
		d.missing, d.last, d.why = messages.MissingError, true, "the answer refers to families that the proxy does not know"
	case f.errorText != "":
		d.missing, d.last, d.why, d.said = messages.MissingError, true, f.errorText, f.errorText
	case r.count > maxCount:
		rejected = frameOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxCount)+" "+s.rules.counted
	case r.oversized:
		rejected = frameOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxBytes)+" bytes"
	}
	ended := !f.more || f.errorText != ""
	if ended {
		s.requests = slices.Delete(s.requests, at, at+1)
		s.free(r)
	}
	if !r.isAwaited(now) {
		return decision{dropped: frameLate, excess: r.oversized}
	}
	r.cancelled = d.missing != messages.MissingNone
	v := decision{deliver: d, dropped: rejected, excess: r.oversized}
	if s.isHeld(r) && !r.cancelled && !ended {
		v.hold = f.part != nil
		s.hold(r, v.hold, now)
	}
	return v
}

// unasked decides what happens with a frame that answers no request.
func (s *channelState) unasked() decision {
	s.unsolicited++
	d := decision{flood: s.unsolicited > s.rules.maxUnsolicited}
	if d.flood || !s.rules.keepUnsolicited {
		d.dropped = frameUnsolicited
	}
	return d
}

// find returns the index of the request that a frame with the id answers, or -1. The id 0
// means the oldest sent request that the part can answer.
func (s *channelState) find(id uint64, part messages.Part) int {
	return slices.IndexFunc(s.requests, func(r *request) bool {
		return r.sent && (r.id == id || id == 0) && canAnswer(part, r.question)
	})
}

// canAnswer reports whether a part can be of the answer to the question. The list of profiles and the
// profiles themselves come on the same stream. Else there is one question for each stream.
func canAnswer(part messages.Part, q messages.Question) bool {
	switch part.(type) {
	case *messages.PressureProfile:
		return q == messages.ProfilesQuestion{}
	case *messages.ProfileChunk:
		_, profile := q.(messages.ProfileQuestion)
		_, evidence := q.(messages.EvidenceQuestion)
		return profile || evidence
	default:
		return true
	}
}

// awaited returns the request that the frame with the id answers, nil unless a collection waits for
// it.
func (s *channelState) awaited(requestID uint64, now time.Time) *request {
	if at := s.find(requestID, nil); at >= 0 && s.requests[at].isAwaited(now) {
		return s.requests[at]
	}
	return nil
}

// isAwaited reports whether a collection waits for the answer.
func (r *request) isAwaited(now time.Time) bool { return !r.cancelled && now.Before(r.deadline) }

// admit drops what a frame has of times of scrapes that were not asked for, and the series that
// exceed the limit of the answer. It returns how many of both it has dropped.
func (r *request) admit(blocks []messages.Block, maxSeries int) (kept []messages.Block, unasked, tooMany int) {
	if !r.selection.WantsScrapeTimes() {
		blocks, unasked = withoutScrapeTimes(blocks)
	}
	kept, tooMany = r.series.admit(blocks, maxSeries, r.selection.Window.IsLatest())
	return kept, unasked, tooMany
}
