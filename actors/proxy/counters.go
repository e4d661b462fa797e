package proxy

import (
	"sync/atomic"

	"fodc/messages"
)

// counters are the metrics of a proxy that are counters. The actors share them, and they
// survive the restart of an actor: a counter that is reset looks like a time without events.
// Methods on a nil *counters do nothing.
type counters struct {
	opened, evicted, heartbeats, samples, bytes atomic.Uint64
	// crashes is how many crash records there are, storageErrors how many operations on disk have failed.
	crashes, storageErrors atomic.Uint64
	// checksAccepted is how many registrations that were only tried would have been accepted.
	checksAccepted atomic.Uint64

	// incidents are those of the actor of incidents; nil: there is none.
	incidents atomic.Pointer[messages.IncidentCounts]

	ended           reasonCounters[endReason]
	rejected        reasonCounters[rejectionReason]
	checksRefused   reasonCounters[rejectionReason] // registrations that were only tried
	streamsRejected reasonCounters[streamRejection]
	handshakes      reasonCounters[handshakeFailure] // that have failed
	framesDropped   reasonCounters[frameDropReason]
	connsClosed     reasonCounters[connectionClosed]
}

// endReason is why a session ended.
type endReason string

const (
	endedGoodbye   endReason = "goodbye"   // the agent said so
	endedLost      endReason = "lost"      // the registration stream broke
	endedReplaced  endReason = "replaced"  // the node has a newer session
	endedSilent    endReason = "silent"    // no heartbeat for the cleanup timeout, or nothing at all until another node needed the place
	endedAbandoned endReason = "abandoned" // nobody served the stream that was admitted
	endedUnread    endReason = "unread"    // the agent does not read what it is sent
	endedFlood     endReason = "flood"     // the agent answers what nobody asked
	endedRevoked   endReason = "revoked"   // its certificate or its token is not accepted any more
	endedStopping  endReason = "stopping"  // the proxy stops
	endedFailed    endReason = "failed"    // a panic, of the session or of the registry
)

// rejectionReason is why a registration did not become a session.
type rejectionReason string

const (
	rejectedInvalid  rejectionReason = "invalid"  // what it says of itself is not acceptable
	rejectedConflict rejectionReason = "conflict" // its name belongs to a node that is online elsewhere
	// Its certificate does not have the names that it claims, or is not trusted any more.
	rejectedCertificate rejectionReason = "certificate"
	// It has no certificate, and claims the name of a node that has one.
	rejectedUnverified rejectionReason = "unverified"
	rejectedToken      rejectionReason = "token"    // it has no token, or one that is not known
	rejectedFull       rejectionReason = "full"     // as many agents as are allowed
	rejectedRate       rejectionReason = "rate"     // its address registers too often
	rejectedSilent     rejectionReason = "silent"   // the stream said nothing
	rejectedStopping   rejectionReason = "stopping" // the proxy stops
	rejectedFailed     rejectionReason = "failed"   // the registry did not answer
)

// streamRejection is why a stream was not attached to a session.
type streamRejection string

const (
	streamWithoutKey      streamRejection = "no_key"           // its metadata has no agent_id
	streamUnknownKey      streamRejection = "unknown_key"      // no session that lives has its agent_id
	streamOtherConnection streamRejection = "other_connection" // its agent_id is of a session of another connection
	streamTooMany         streamRejection = "too_many"         // the session has as many further streams as are allowed
	streamStopping        streamRejection = "stopping"         // the proxy stops
	streamFailed          streamRejection = "failed"           // the registry or the session did not answer
)

// frameDropReason is why a frame of an answer went into no collection.
type frameDropReason string

const (
	frameKept            frameDropReason = ""
	frameUnsolicited     frameDropReason = "unasked"   // it answers no request
	frameLate            frameDropReason = "late"      // nobody waits for it any more
	frameStale           frameDropReason = "stale"     // its stream was replaced, or its session has ended
	frameOversized       frameDropReason = "oversized" // the answer has more samples than are allowed
	frameTooLarge        frameDropReason = "too_large" // it is larger than a message may be
	frameUnknownFamilies frameDropReason = "lost"      // it refers to families that are not known
)

// reasonCounters are one counter for each of a closed set of reasons.
type reasonCounters[K ~string] map[K]*atomic.Uint64

func newReasonCounters[K ~string](reasons ...K) reasonCounters[K] {
	c := reasonCounters[K]{}
	for _, r := range reasons {
		c[r] = new(atomic.Uint64)
	}
	return c
}

func (c reasonCounters[K]) values() map[string]uint64 {
	values := make(map[string]uint64, len(c))
	for r, n := range c {
		values[string(r)] = n.Load()
	}
	return values
}

func newCounters() *counters {
	rejections := []rejectionReason{rejectedInvalid, rejectedConflict, rejectedCertificate, rejectedUnverified, rejectedToken, rejectedFull, rejectedRate,
		rejectedSilent, rejectedStopping, rejectedFailed}
	return &counters{
		ended: newReasonCounters(endedGoodbye, endedLost, endedReplaced, endedSilent, endedAbandoned, endedUnread, endedFlood,
			endedRevoked, endedStopping, endedFailed),
		rejected: newReasonCounters(rejections...), checksRefused: newReasonCounters(rejections...),
		streamsRejected: newReasonCounters(streamWithoutKey, streamUnknownKey, streamOtherConnection, streamTooMany, streamStopping,
			streamFailed),
		handshakes: newReasonCounters(handshakeNoTLS, handshakeNoCertificate, handshakeUnknownAuthority, handshakeExpired, handshakeVersion,
			handshakeOther),
		framesDropped: newReasonCounters(frameUnsolicited, frameLate, frameStale, frameOversized, frameTooLarge, frameUnknownFamilies),
		connsClosed:   newReasonCounters(closedTooMany, closedUnregistered, closedStreams, closedBytes),
	}
}

func (c *counters) sessionOpened() {
	if c != nil {
		c.opened.Add(1)
	}
}

func (c *counters) sessionEnded(why endReason) {
	if c != nil {
		c.ended[why].Add(1)
	}
}

func (c *counters) registrationRejected(why rejectionReason) {
	if c != nil {
		c.rejected[why].Add(1)
	}
}

func (c *counters) checkRejected(why rejectionReason) {
	if c != nil {
		c.checksRefused[why].Add(1)
	}
}

func (c *counters) checkAccepted() {
	if c != nil {
		c.checksAccepted.Add(1)
	}
}

func (c *counters) streamRejected(why streamRejection) {
	if c != nil {
		c.streamsRejected[why].Add(1)
	}
}

func (c *counters) connectionClosed(why connectionClosed) {
	if c != nil {
		c.connsClosed[why].Add(1)
	}
}

func (c *counters) handshakeFailed(why handshakeFailure) {
	if c != nil {
		c.handshakes[why].Add(1)
	}
}

// nodeEvicted counts a node that was evicted for a new one.
func (c *counters) nodeEvicted() {
	if c != nil {
		c.evicted.Add(1)
	}
}

func (c *counters) heartbeat() {
	if c != nil {
		c.heartbeats.Add(1)
	}
}

func (c *counters) relayed(samples int) {
	if c != nil {
		c.samples.Add(uint64(samples))
	}
}

func (c *counters) received(bytes int) {
	if c != nil {
		c.bytes.Add(uint64(bytes))
	}
}

func (c *counters) storageFailed() { c.storageErrors.Add(1) }

// frameDropped counts a frame that went into no collection. It ignores frameKept.
func (c *counters) frameDropped(why frameDropReason) {
	if c != nil && why != frameKept {
		c.framesDropped[why].Add(1)
	}
}

func (c *counters) counts() messages.ProxyCounts {
	// A session is opened before it ends. Read in this order, there are never more ends than
	// sessions.
	ended := c.ended.values()
	return messages.ProxyCounts{
		SessionsOpened: c.opened.Load(), SessionsEnded: ended, Refused: c.rejected.values(),
		ChecksAccepted: c.checksAccepted.Load(), ChecksRefused: c.checksRefused.values(),
		StreamsRefused: c.streamsRejected.values(), HandshakesFailed: c.handshakes.values(), NodesEvicted: c.evicted.Load(),
		Heartbeats: c.heartbeats.Load(), RelayedSamples: c.samples.Load(), RelayedBytes: c.bytes.Load(),
		FramesRejected: c.framesDropped.values(), CrashRecords: c.crashes.Load(), StorageErrors: c.storageErrors.Load(),
		Incidents: c.incidents.Load(), ConnectionsClosed: c.connsClosed.values(),
	}
}
