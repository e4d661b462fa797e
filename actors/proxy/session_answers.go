package proxy

import (
	"cmp"
	"errors"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/messages/wire/fastframe"

	"go.uber.org/zap"
)

// dropIdleDecoder replaces the decoder if it was not used for decoderIdleTimeout: it keeps the
// descriptions of all series of the agent.
func (s *session) dropIdleDecoder(now time.Time) {
	if s.state.expireDictionary(s.decoded, now) {
		s.decoded = now
		s.decoder = fastframe.New()
		s.decoder.Renew(s.state.dictionary)
	}
}

func (s *session) onAnswer(c actors.Context, m actors.Frame[*answerFrame]) {
	defer m.Body.free()
	if s.ending || s.metrics == nil || m.Stream != s.metrics.id {
		s.cfg.counters.frameDropped(frameStale)
		return // Of a stream that was replaced. Its reader ends by itself.
	}
	defer s.metrics.credits.Return()
	now := time.Now()
	frame, answer, err := s.decode(m.Body.Bytes(), now)
	info := frameInfo{requestID: frame.RequestID, more: frame.More, errorText: frame.Error,
		lost: errors.Is(err, fastframe.ErrLost), repeated: errors.Is(err, fastframe.ErrRepeated)}
	if err != nil && !info.lost && !info.repeated {
		s.onMetricsLost(errBroken)
		return
	}
	problems := messages.Problems{Sanitized: answer.Sanitized}
	answer.Blocks, problems.Rejected, problems.TooMany = s.state.admit(frame.RequestID, answer.Blocks)
	if problems.Rejected > 0 {
		answer.FirstRejected = cmp.Or(answer.FirstRejected, errNotAsked)
	}
	problems.Rejected += answer.Rejected
	info.samples, info.bytes = sizeOf(answer.Blocks)
	v := s.state.answered(info, now)
	s.cfg.counters.frameDropped(v.dropped)
	if v.flood {
		s.finish(c, endedFlood, "the agent sent "+itoa(maxUnsolicited)+" answers that nobody asked for", errFlood)
		return
	}
	if v.deliver == nil {
		return
	}
	if problems.Rejected > 0 && !s.rejectedLogged {
		s.rejectedLogged = true
		s.cfg.peers.warn(logInvalidSeries, s.log, "invalid series left out of an answer", zap.Int("series", problems.Rejected),
			zap.Error(answer.FirstRejected))
	}
	if problems.TooMany > 0 && !s.tooManyLogged {
		s.tooManyLogged = true
		s.cfg.peers.warn(logTooManySeries, s.log,
			"an answer has more series than an agent may have: the others are left out, now and from now on; raise --max-agent-series to have them",
			zap.Int("max_agent_series", s.cfg.MaxAgentSeries))
	}
	if v.deliver.missing != messages.MissingNone {
		s.deliverFailures(*v.deliver)
		return
	}
	s.cfg.counters.relayed(info.samples)
	s.sys.Send(s.collections[v.deliver.collectionID], answerChunk{agentID: s.agentID, blocks: answer.Blocks, problems: problems,
		partial: answer.Partial, last: v.deliver.last})
	if v.deliver.last {
		delete(s.collections, v.deliver.collectionID)
	}
}

// errNotAsked is why a block without families is left out.
var errNotAsked = errors.New("times of scrapes that were not asked for")

// decode decodes a frame. The samples are decoded only if a collection waits for them, or if the
// frame belongs to a dictionary: later frames may refer to its definitions.
func (s *session) decode(b []byte, now time.Time) (fastframe.Frame, wire.Answer, error) {
	frame, err := s.decoder.Open(b)
	if err != nil || !s.state.isAwaited(frame.RequestID, now) && frame.Dictionary == 0 {
		return frame, wire.Answer{}, err
	}
	s.decoded = now
	answer, err := s.decoder.Answer(frame, now)
	if s.state.dictionaryRead(frame.Dictionary, errors.Is(err, fastframe.ErrLost)) {
		s.cfg.peers.warn(logLostFamilies, s.log, "the agent's answer refers to families that are not known: it is asked to describe all of them again",
			zap.Uint64("request", frame.RequestID))
		s.decoder.Renew(s.state.dictionary)
	}
	return frame, answer, err
}

// sizeOf returns the number of samples of the blocks, and the bytes of their values and texts. Those
// of times count for blocks that have nothing else.
func sizeOf(blocks []messages.Block) (samples, bytes int) {
	for i := range blocks {
		b := &blocks[i]
		bytes += b.TextBytes + len(b.Target)
		samples += len(b.Values)
		if len(b.Families) == 0 {
			bytes += b.MemoryBytes()
		}
		if b.Values != nil {
			continue
		}
		for j := range b.Families {
			samples += len(b.Families[j].Series) * len(b.Times)
			bytes += b.Families[j].TextBytes()
		}
	}
	return samples, bytes + samples*valueBytes
}
