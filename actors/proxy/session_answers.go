package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

func (s *session) onAnswer(c actors.Context, m actors.Frame[*answerFrame]) {
	defer m.Body.free()
	ch := s.channelOf(m.Stream)
	if s.ending || ch == nil {
		s.cfg.counters.frameDropped(frameStale)
		return // Of a stream that was replaced. Its reader ends by itself.
	}
	now := time.Now()
	info, answer, err := ch.protocol.read(m.Body.Bytes(), ch.state, now)
	if err != nil {
		s.onChannelLost(c, ch, errBroken)
		return
	}
	v := ch.state.answered(info, now)
	if !v.hold {
		ch.stream.credits.Return()
	}
	ch.settle()
	s.cfg.counters.frameDropped(v.dropped)
	if info.announced != 0 {
		s.onAnnounced(c, info.announced)
	}
	if crash, ok := info.part.(*messages.Crash); ok && !v.flood && !v.excess {
		s.notifyCrashes(crashArrived{identity: s.identity, agentID: s.agentID, crash: crash})
	}
	switch {
	case v.flood:
		s.finish(c, endedFlood, "the agent sent "+itoa(ch.state.rules.maxUnsolicited)+" answers that nobody asked for", errFlood)
		return
	case v.deliver == nil:
	case v.deliver.missing != messages.MissingNone:
		s.logProblems(answer)
		s.deliver(*v.deliver)
	default:
		s.logProblems(answer)
		s.relay(*v.deliver, answer)
		s.cfg.counters.relayed(info.count)
	}
}

// notifyCrashes tells whoever keeps the crash records of all nodes.
func (s *session) notifyCrashes(m any) {
	if s.cfg.crashes != nil {
		s.sys.Send(s.cfg.crashes, m)
	}
}

// relay passes a chunk of an answer to its collection.
func (s *session) relay(d delivery, answer content) {
	s.sys.Send(s.collections[d.collectionID], answerChunk{agentID: s.agentID, blocks: answer.blocks, parts: answer.parts,
		problems: answer.problems, partial: answer.partial, last: d.last, wholeFile: answer.wholeFile})
	if d.last {
		delete(s.collections, d.collectionID)
	}
}

// logProblems logs what was wrong with an answer that came, once a session.
func (s *session) logProblems(answer content) {
	if answer.problems.Rejected > 0 && !s.rejectedLogged {
		s.rejectedLogged = true
		s.cfg.peers.warn(logInvalidSeries, s.log, "invalid series left out of an answer", zap.Int("series", answer.problems.Rejected),
			zap.Error(answer.firstRejected))
	}
	if answer.problems.TooMany > 0 && !s.tooManyLogged {
		s.tooManyLogged = true
		s.cfg.peers.warn(logTooManySeries, s.log,
			"an answer has more series than an agent may have: the others are left out, now and from now on; raise --max-agent-series to have them",
			zap.Int("max_agent_series", s.cfg.MaxAgentSeries))
	}
}
