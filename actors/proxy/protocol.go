package proxy

import (
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
)

// protocol is what differs between the streams on which a session asks. It belongs to one session.
type protocol interface {
	// rules are those of the channel.
	rules() channelRules
	// attached is called when there is a new stream, before anything is asked on it.
	attached()
	// question returns the frame that asks.
	question(s sending) proto.Message
	// read decodes a frame. The error says that it is no message of the stream.
	read(b []byte, s *channelState, now time.Time) (frameInfo, content, error)
	// rest is called now and then, so that memory can be dropped that was not used for long.
	// underWay says that a request is not answered.
	rest(underWay bool, now time.Time)
}

// content is what a frame has for the collection: blocks on the metrics stream, parts on the others.
type content struct {
	blocks        []messages.Block
	parts         []messages.Part
	problems      messages.Problems
	firstRejected error
	partial       messages.PartialReason
	wholeFile     bool // see answerChunk
}
