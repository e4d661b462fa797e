package proxy

import (
	"sync/atomic"

	"fodc/messages"
)

// tally counts what happens in a proxy. It is handed to the actors and outlives their
// restarts: a counter that starts anew would look like a quiet time. A nil *tally
// counts nothing.
type tally struct {
	opened, evicted, heartbeats, samples, bytes atomic.Uint64

	ended          counters[endReason]
	refused        counters[refuseReason]
	streamsRefused counters[streamRefusal]
	rejected       counters[rejectReason]
}

// endReason is why a session ended.
type endReason string

const (
	endedGoodbye   endReason = "goodbye"   // the agent said so
	endedLost      endReason = "lost"      // the registration stream broke
	endedReplaced  endReason = "replaced"  // the node has a newer session
	endedSilent    endReason = "silent"    // no heartbeat for the cleanup timeout, or until another node needed the place
	endedAbandoned endReason = "abandoned" // nobody served the stream that was admitted
	endedUnread    endReason = "unread"    // the agent does not read what it is sent
	endedFlood     endReason = "flood"     // the agent answers what nobody asked
	endedStopping  endReason = "stopping"  // the proxy stops
	endedFailed    endReason = "failed"    // a panic, of the session or of the registry
)

// refuseReason is why a registration did not become a session.
type refuseReason string

const (
	refusedForInvalid  refuseReason = "invalid"  // what it says of itself is not acceptable
	refusedForConflict refuseReason = "conflict" // its name belongs to a node that is online elsewhere
	refusedForFull     refuseReason = "full"     // as many agents as are allowed
	refusedForRate     refuseReason = "rate"     // its address registers too often
	refusedForSilence  refuseReason = "silent"   // the stream said nothing
	refusedForStopping refuseReason = "stopping" // the proxy stops
	refusedForFailure  refuseReason = "failed"   // the registry did not answer
)

// streamRefusal is why a stream was not attached to a session.
type streamRefusal string

const (
	streamWithoutKey      streamRefusal = "no_key"           // its metadata has no agent_id
	streamUnknownKey      streamRefusal = "unknown_key"      // no session that lives has its agent_id
	streamOtherConnection streamRefusal = "other_connection" // its agent_id is of a session of another connection
	streamTooMany         streamRefusal = "too_many"         // the session has as many further streams as are allowed
	streamStopping        streamRefusal = "stopping"         // the proxy stops
	streamFailed          streamRefusal = "failed"           // the registry or the session did not answer
)

// rejectReason is why a frame of an answer went into no collection.
type rejectReason string

const (
	rejectedNot       rejectReason = ""
	rejectedUnasked   rejectReason = "unasked"   // it answers no request
	rejectedLate      rejectReason = "late"      // nobody waits for it any more
	rejectedStale     rejectReason = "stale"     // its stream was replaced, or its session has ended
	rejectedOversized rejectReason = "oversized" // the answer has more samples than are allowed
	rejectedTooLarge  rejectReason = "too_large" // it is larger than a message may be
	rejectedLost      rejectReason = "lost"      // it refers to families that are not known
)

// counters is one counter for each of a closed set of reasons.
type counters[K ~string] map[K]*atomic.Uint64

func newCounters[K ~string](reasons ...K) counters[K] {
	c := counters[K]{}
	for _, r := range reasons {
		c[r] = new(atomic.Uint64)
	}
	return c
}

func (c counters[K]) values() map[string]uint64 {
	values := make(map[string]uint64, len(c))
	for r, n := range c {
		values[string(r)] = n.Load()
	}
	return values
}

func newTally() *tally {
	return &tally{
		ended: newCounters(endedGoodbye, endedLost, endedReplaced, endedSilent, endedAbandoned, endedUnread, endedFlood,
			endedStopping, endedFailed),
		refused: newCounters(refusedForInvalid, refusedForConflict, refusedForFull, refusedForRate, refusedForSilence,
			refusedForStopping, refusedForFailure),
		streamsRefused: newCounters(streamWithoutKey, streamUnknownKey, streamOtherConnection, streamTooMany, streamStopping,
			streamFailed),
		rejected: newCounters(rejectedUnasked, rejectedLate, rejectedStale, rejectedOversized, rejectedTooLarge, rejectedLost),
	}
}

func (t *tally) sessionOpened() {
	if t != nil {
		t.opened.Add(1)
	}
}

func (t *tally) sessionEnded(why endReason) {
	if t != nil {
		t.ended[why].Add(1)
	}
}

func (t *tally) registrationRefused(why refuseReason) {
	if t != nil {
		t.refused[why].Add(1)
	}
}

func (t *tally) streamRefused(why streamRefusal) {
	if t != nil {
		t.streamsRefused[why].Add(1)
	}
}

// nodeEvicted counts a node that had to go to make room for another one.
func (t *tally) nodeEvicted() {
	if t != nil {
		t.evicted.Add(1)
	}
}

func (t *tally) heartbeat() {
	if t != nil {
		t.heartbeats.Add(1)
	}
}

func (t *tally) relayed(samples int) {
	if t != nil {
		t.samples.Add(uint64(samples))
	}
}

func (t *tally) received(bytes int) {
	if t != nil {
		t.bytes.Add(uint64(bytes))
	}
}

// frameRejected counts nothing for rejectedNot.
func (t *tally) frameRejected(why rejectReason) {
	if t != nil && why != rejectedNot {
		t.rejected[why].Add(1)
	}
}

func (t *tally) counts() messages.ProxyCounts {
	// What ends was opened before: read in this order, no more are ended than opened.
	ended := t.ended.values()
	return messages.ProxyCounts{
		SessionsOpened: t.opened.Load(), SessionsEnded: ended, Refused: t.refused.values(),
		StreamsRefused: t.streamsRefused.values(), NodesEvicted: t.evicted.Load(),
		Heartbeats: t.heartbeats.Load(), RelayedSamples: t.samples.Load(), RelayedBytes: t.bytes.Load(),
		FramesRejected: t.rejected.values(),
	}
}
