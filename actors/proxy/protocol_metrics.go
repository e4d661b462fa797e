package proxy

import (
	"cmp"
	"errors"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/messages/wire/fastframe"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Limits of an answer on the metrics stream.
const (
	// valueBytes is the size of a sample's value in memory.
	valueBytes = 8
	// maxAnswerSamples bounds the samples of one answer: ten times those of 3,000 series that
	// are scraped every 10 s for 3 h.
	maxAnswerSamples = 32 << 20
	// maxAnswerBytes bounds the memory of an answer's values and texts: as much for the texts
	// as for maxAnswerSamples values.
	maxAnswerBytes = 2 * valueBytes * maxAnswerSamples
)

// errNotAsked is why a block without families is left out.
var errNotAsked = errors.New("times of scrapes that were not asked for")

// metricsProtocol is the protocol of the metrics stream.
type metricsProtocol struct {
	log        *zap.Logger
	peers      *peerLog
	columnar   bool
	maxSeries  int // of an answer
	dictionary dictionaryState
	decoder    *fastframe.Decoder
	decoded    time.Time // when the decoder was last used, or replaced
}

func newMetricsProtocol(agent messages.Capabilities, cfg Config, log *zap.Logger) *metricsProtocol {
	p := &metricsProtocol{log: log, peers: cfg.peers, columnar: agent.ColumnarAnswers, maxSeries: cfg.MaxAgentSeries, decoder: fastframe.New()}
	if agent.ColumnarAnswers && agent.Dictionary {
		p.dictionary.number = 1
	}
	p.decoder.Renew(p.dictionary.number)
	return p
}

func (p *metricsProtocol) rules() channelRules { return metricsRules }

var metricsRules = channelRules{missing: messages.MissingUnconnected, maxCount: maxAnswerSamples, counted: "samples",
	maxBytes: maxAnswerBytes, maxUnsolicited: maxUnsolicited}

func (p *metricsProtocol) attached() {
	p.dictionary.renew()
	p.decoder.Renew(p.dictionary.number)
}

// question asks for a window without a dictionary: next to its many values the descriptions of the
// series are small, and they differ from block to block.
func (p *metricsProtocol) question(s sending) proto.Message {
	req := wire.Request{Selection: s.selection, TimeLeft: s.timeLeft}
	if p.columnar {
		req.ID, req.Columnar = s.id, true
	}
	if s.selection.Window.IsLatest() {
		req.Dictionary = p.dictionary.number
	}
	return wire.RequestFrame(req)
}

// read decodes the samples only if a collection waits for them, or if the frame belongs to a
// dictionary: later frames may refer to its definitions.
func (p *metricsProtocol) read(b []byte, s *channelState, now time.Time) (frameInfo, content, error) {
	frame, err := p.decoder.Open(b)
	r := s.awaited(frame.RequestID, now)
	var answer wire.Answer
	if err == nil && (r != nil || frame.Dictionary != 0) {
		answer, err = p.decode(frame, now)
	}
	info := frameInfo{requestID: frame.RequestID, more: frame.More, errorText: frame.Error,
		lost: errors.Is(err, fastframe.ErrLost), repeated: errors.Is(err, fastframe.ErrRepeated)}
	if err != nil && !info.lost && !info.repeated {
		return info, content{}, err
	}
	if r == nil {
		return info, content{}, nil
	}
	a := content{problems: messages.Problems{Sanitized: answer.Sanitized}, firstRejected: answer.FirstRejected, partial: answer.Partial}
	a.blocks, a.problems.Rejected, a.problems.TooMany = r.admit(answer.Blocks, p.maxSeries)
	if a.problems.Rejected > 0 {
		a.firstRejected = cmp.Or(a.firstRejected, errNotAsked)
	}
	a.problems.Rejected += answer.Rejected
	info.count, info.bytes = sizeOf(a.blocks)
	return info, a, nil
}

func (p *metricsProtocol) decode(frame fastframe.Frame, now time.Time) (wire.Answer, error) {
	p.decoded = now
	answer, err := p.decoder.Answer(frame, now)
	if p.dictionary.read(frame.Dictionary, errors.Is(err, fastframe.ErrLost)) {
		p.peers.warn(logLostFamilies, p.log, "the agent's answer refers to families that are not known: it is asked to describe all of them again",
			zap.Uint64("request", frame.RequestID))
		p.decoder.Renew(p.dictionary.number)
	}
	return answer, err
}

// rest replaces the decoder if it was not used for decoderIdleTimeout: it keeps the descriptions of
// all series of the agent.
func (p *metricsProtocol) rest(underWay bool, now time.Time) {
	if p.dictionary.expire(p.decoded, now, underWay) {
		p.decoded = now
		p.decoder = fastframe.New()
		p.decoder.Renew(p.dictionary.number)
	}
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
