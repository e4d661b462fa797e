package wire

import (
	"maps"
	"math"
	"slices"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Sizes within an encoded Metric, and of the tag of one in its frame. All baseline
// fields have numbers below 16.
const (
	tagBytes   = 1
	valueBytes = tagBytes + 8
)

// Frame returns a whole answer as the one message that a baseline proxy expects, of at
// most maxBytes when it is encoded. Each sample carries its own time, at is the time of
// the answer. Where not all samples fit the newest are kept, whatever series they belong
// to, and left counts the others.
func (l *BaselineLabels) Frame(blocks []messages.Block, at time.Time, maxBytes int) (f *StreamMetricsRequest, left int) {
	f = &StreamMetricsRequest{Timestamp: toTimestamp(at)}
	room := maxBytes - proto.Size(f)
	if room < 0 {
		f.Timestamp, room = nil, maxBytes
	}
	l.evict()
	w := baselineWriter{labels: l, stamps: map[int64]*stamp{}, room: room}
	w.measure(blocks)
	w.choose()
	for i := range blocks {
		stamps := w.stampsOf(blocks[i].Times)
		for j := range blocks[i].Families {
			f.Metrics = w.write(f.Metrics, stamps, &blocks[i].Families[j])
		}
	}
	return f, w.left
}

// stamp is a sample's time as it is sent, and what becomes of the samples of it.
type stamp struct {
	frame *timestamppb.Timestamp
	bytes int // of the field in a Metric
	// total is the encoded size of all samples of this time.
	total int
	keep  bool
}

// baselineWriter chooses samples by their size before it makes messages of them: a
// window can have far more than fit.
type baselineWriter struct {
	labels *BaselineLabels
	stamps map[int64]*stamp
	// partly is the time of which not all samples fit, nil if there is none. room is
	// how many bytes are left for them.
	partly *stamp
	room   int
	left   int
}

// stampsOf returns the stamp of each of the times, the same one for the same time.
func (w *baselineWriter) stampsOf(times []int64) []*stamp {
	stamps := make([]*stamp, len(times))
	for i, t := range times {
		if w.stamps[t] == nil {
			frame := timestamppb.New(time.UnixMilli(t))
			w.stamps[t] = &stamp{frame: frame, bytes: tagBytes + protowire.SizeBytes(proto.Size(frame))}
		}
		stamps[i] = w.stamps[t]
	}
	return stamps
}

func (w *baselineWriter) measure(blocks []messages.Block) {
	for _, b := range blocks {
		stamps := w.stampsOf(b.Times)
		for i := range b.Families {
			f := &b.Families[i]
			metrics := familyMetrics{family: f}
			for j := range f.Series {
				s := &f.Series[j]
				base := metrics.of(s.Suffix).bytes + w.labels.of(s.AllLabels()).bytes
				for k, v := range f.ValuesOf(j) {
					if !messages.IsGap(v) {
						stamps[k].total += sampleBytes(base, v, stamps[k])
					}
				}
			}
		}
	}
}

// choose keeps the newest times that fit whole, and leaves room for a part of the
// next one.
func (w *baselineWriter) choose() {
	for _, t := range slices.Backward(slices.Sorted(maps.Keys(w.stamps))) {
		s := w.stamps[t]
		if s.total > w.room {
			w.partly = s
			return
		}
		w.room -= s.total
		s.keep = true
	}
}

// write appends the samples of a family that are kept, and counts the others.
func (w *baselineWriter) write(dst []*Metric, stamps []*stamp, f *messages.Family) []*Metric {
	metrics := familyMetrics{family: f}
	for i := range f.Series {
		common, labels := metrics.of(f.Series[i].Suffix), w.labels.of(f.Series[i].AllLabels())
		base := common.bytes + labels.bytes
		for k, v := range f.ValuesOf(i) {
			if messages.IsGap(v) {
				continue
			}
			s := stamps[k]
			if !s.keep && !w.takes(s, sampleBytes(base, v, s)) {
				w.left++
				continue
			}
			dst = append(dst, &Metric{Name: common.Name, Labels: labels.byName, Value: v,
				Description: common.Description, Timestamp: s.frame, Type: common.Type})
		}
	}
	return dst
}

// takes uses up room for a sample of the time of which not all fit.
func (w *baselineWriter) takes(s *stamp, bytes int) bool {
	if s != w.partly || bytes > w.room {
		return false
	}
	w.room -= bytes
	return true
}

// familyMetrics is what the samples of a family have in common, by their suffix.
type familyMetrics struct {
	family   *messages.Family
	bySuffix [messages.SuffixCount + 1]sizedMetric
}

type sizedMetric struct {
	Metric
	bytes int // encoded; 0: not made yet
}

// of returns what the samples with the suffix have in common beside labels.
func (m *familyMetrics) of(s messages.Suffix) *sizedMetric {
	common := &m.bySuffix[s]
	if common.bytes == 0 {
		common.Name = m.family.Name + s.String()
		common.Description = Clean(m.family.Help, messages.MaxHelpBytes)
		common.Type = MetricType(m.family.Type)
		common.bytes = proto.Size(&common.Metric)
	}
	return common
}

// sampleBytes is the encoded size of a sample in its frame. base is the size of
// what its series has in common.
func sampleBytes(base int, v float64, s *stamp) int {
	size := base + s.bytes
	if math.Float64bits(v) != 0 {
		size += valueBytes
	}
	return tagBytes + protowire.SizeBytes(size)
}
