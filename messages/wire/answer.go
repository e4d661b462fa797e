package wire

import (
	"time"

	"fodc/messages"
)

// MaxChunkBytes bounds the encoded size of each chunk of a columnar answer.
const MaxChunkBytes = 256 << 10

// Answer is an agent's answer to a Request, or a chunk of it.
type Answer struct {
	// RequestID says which request; 0 = the oldest one that is not answered yet.
	RequestID uint64
	Blocks    []messages.Block
	// More says that another chunk of this answer follows.
	More bool
	// Error says why there is no answer, or no more of it. It ends the answer.
	Error string
	// Partial says why the answer has less than what was asked for. Any chunk may say so.
	Partial messages.PartialReason
	// Rejected counts what FromAnswer dropped as invalid: series, targets and times of scrapes of a
	// columnar answer, samples of a baseline answer, and helps of either. FirstRejected is the reason of the
	// first of them.
	Rejected      int
	FirstRejected error
	// Sanitized counts the label sets in which FromAnswer replaced an invalid name.
	Sanitized int
}

// AnswerFrame returns the frame in columnar form. The blocks must follow the rules of package
// messages, and be small enough for a frame of MaxChunkBytes.
func AnswerFrame(a Answer) *StreamMetricsRequest { return answerFrame(a, toFamily) }

func answerFrame(a Answer, family func(m *messages.Family, times int) *Family) *StreamMetricsRequest {
	f := &StreamMetricsRequest{
		RequestId:   a.RequestID,
		MoreFollows: a.More,
		Error:       Clean(a.Error, messages.MaxTextBytes),
		Partial:     string(CleanPartial(string(a.Partial))),
	}
	if len(a.Blocks) > 0 {
		f.Blocks = make([]*Block, len(a.Blocks))
	}
	for i, b := range a.Blocks {
		f.Blocks[i] = toBlock(b, family)
	}
	return f
}

// FromAnswer reads a frame in columnar or baseline form, or both. It knows no dictionaries: a
// family with a slot and without a name is invalid. What is invalid is dropped and counted;
// what is returned is valid. A block may have no families if it names its target: the caller drops
// it unless the request has ScrapeTimes. received is the time of baseline samples if neither they nor the
// frame say one. The answer may share memory with the frame.
func FromAnswer(f *StreamMetricsRequest, received time.Time) Answer {
	var rej Rejections
	blocks := fromBlocks(f.GetBlocks(), &rej)
	if len(f.GetMetrics()) > 0 {
		at := fromTimestamp(f.GetTimestamp())
		if at.IsZero() {
			at = received
		}
		blocks = append(blocks, fromMetrics(f.GetMetrics(), at, &rej)...)
	}
	return Answer{
		RequestID:     f.GetRequestId(),
		Blocks:        blocks,
		More:          f.GetMoreFollows() && f.GetError() == "",
		Error:         Clean(f.GetError(), messages.MaxTextBytes),
		Partial:       CleanPartial(f.GetPartial()),
		Rejected:      rej.Count,
		FirstRejected: rej.First,
		Sanitized:     rej.Sanitized,
	}
}

// maxPartialBytes bounds the reason for which an answer is partial. It becomes a label's value and
// a part of a header.
const maxPartialBytes = 64

// CleanPartial returns the reason, which may be one of a later version, with at most
// maxPartialBytes and with an underscore for each byte that is no letter or digit of ASCII, nor
// one of "_-.".
func CleanPartial(text string) messages.PartialReason {
	b := []byte(text[:min(len(text), maxPartialBytes)])
	for i, c := range b {
		if lower := c | 0x20; (lower < 'a' || lower > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			b[i] = '_'
		}
	}
	return messages.PartialReason(b)
}

// TypeOf converts a type. It returns false where the number is no type.
func TypeOf(t MetricType) (messages.MetricType, bool) {
	if t < 0 || t > MetricType_METRIC_TYPE_UNTYPED {
		return messages.TypeUnknown, false
	}
	return messages.MetricType(t), true
}

// SuffixOf returns false where the number is no suffix.
func SuffixOf(s Suffix) (messages.Suffix, bool) {
	if s < 0 || s > Suffix_SUFFIX_COUNT {
		return messages.SuffixNone, false
	}
	return messages.Suffix(s), true
}
