package proxy

import (
	"strconv"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/proto"
)

// Limits of the streams whose answers consist of parts.
const (
	// maxAnswerParts bounds the parts of one answer, and maxPartsBytes their memory.
	maxAnswerParts = 16 << 10
	maxPartsBytes  = 64 << 20
	// maxUnsolicitedCrashes bounds the crash records in a row that answer no request. They are kept: an
	// agent of the field may send more of them than it keeps after the proxy has stopped waiting.
	maxUnsolicitedCrashes = 1024
	// crashesQuiet is how long nothing comes after the last crash record of an agent of the field,
	// which does not say that it is the last.
	crashesQuiet = time.Second
	// forgetAfter is how long after its deadline an answer of an agent of the field is still expected.
	// Such an agent may send nothing where it has nothing to say, and would never be asked again.
	forgetAfter = 30 * time.Second
)

// partsProtocol is the protocol of all streams but that of metrics.
type partsProtocol struct {
	kind messages.Stream
	// native says that the agent knows request ids, and says where its answers end.
	native  bool
	agentID string
}

func (p partsProtocol) rules() channelRules {
	r := channelRules{missing: messages.MissingUnserved, maxCount: maxAnswerParts, counted: "parts", maxBytes: maxPartsBytes,
		maxUnsolicited: maxUnsolicited, pieces: p.native}
	if !p.native {
		r.forget = forgetAfter
	}
	if p.kind == messages.StreamCrashes {
		r.keepUnsolicited, r.maxUnsolicited = true, maxUnsolicitedCrashes
		if !p.native {
			r.quiet = crashesQuiet
		}
	}
	return r
}

func (p partsProtocol) attached() {}

func (p partsProtocol) rest(bool, time.Time) {}

func (p partsProtocol) question(s sending) proto.Message {
	a := wire.Ask{TimeLeft: s.timeLeft, Native: strconv.FormatUint(s.id, 10)}
	if p.native {
		a.ID = s.id
	}
	switch q := s.question.(type) {
	case messages.CrashQuestion:
		a.KnownRevision = q.Known[p.agentID]
	case messages.IncidentsQuestion:
		a.KnownRevision = q.Known[p.agentID]
	}
	return wire.QuestionFrame(s.question, a)
}

func (p partsProtocol) read(b []byte, _ *channelState, _ time.Time) (frameInfo, content, error) {
	reply, err := wire.ReadReply(p.kind, b)
	if err != nil {
		return frameInfo{}, content{}, err
	}
	info := frameInfo{requestID: reply.ID, part: reply.Part, more: reply.End != wire.EndYes, errorText: reply.Error,
		announced: reply.Announced}
	if info.requestID == 0 && reply.Native != "" {
		// What is no number is the id of no request.
		if info.requestID, err = strconv.ParseUint(reply.Native, 10, 64); err != nil {
			info.requestID = noRequest
		}
	}
	if reply.Part == nil {
		return info, content{}, nil
	}
	info.count, info.bytes = 1, reply.Part.MemoryBytes()
	_, isFile := reply.Part.(*messages.ProfileChunk)
	return info, content{parts: []messages.Part{reply.Part}, wholeFile: isFile && !p.native}, nil
}

// noRequest is an id that no request has.
const noRequest = 1<<64 - 1
