package fastframe

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const benchSeries = 300

// benchFrames are answers of one agent in a row: families of ten series. The order of
// labels in a frame is random.
func benchFrames(b *testing.B, samples int, columnar bool) (frames [][]byte) {
	for range 8 {
		f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(testNow)}
		for i := range benchSeries {
			for p := range samples {
				m := &wire.Metric{Name: fmt.Sprintf("node_metric_%04d_total", i/10), Type: wire.MetricType_METRIC_TYPE_COUNTER,
					Value: float64(1000+i) + 0.25, Description: "Counter family number " + strconv.Itoa(i/10),
					Labels: map[string]string{"group": "sw_metric", "segment": strconv.Itoa(i % 10), "operation": "write_batch",
						"node_role": "ROLE_DATA", "pod_name": "swarm-00042"}}
				if samples > 1 {
					m.Timestamp = timestamppb.New(testNow.Add(time.Duration(p) * 10 * time.Second))
				}
				f.Metrics = append(f.Metrics, m)
			}
		}
		if columnar {
			f = wire.AnswerFrame(wire.FromAnswer(f, testNow))
		}
		frames = append(frames, encode(b, f))
	}
	return frames
}

func BenchmarkAnswer(b *testing.B) {
	f := func(name string, samples int, columnar bool) {
		b.Run(name, func(b *testing.B) {
			frames := benchFrames(b, samples, columnar)
			d := New()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				frame, err := d.Open(frames[n%len(frames)])
				if err != nil {
					b.Fatal(err)
				}
				if a, err := d.Answer(frame, testNow); err != nil || a.Rejected > 0 {
					b.Fatal(err, a.FirstRejected)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSeries*samples), "ns/sample")
		})
	}
	f("baseline-latest", 1, false)
	f("baseline-window", 60, false)
	f("columnar-latest", 1, true)
	f("columnar-window", 60, true)
}

// Families that were defined before are sent as slots and values.
func BenchmarkDefinedAnswer(b *testing.B) {
	columnar := &wire.StreamMetricsRequest{}
	if err := proto.Unmarshal(benchFrames(b, 1, true)[0], columnar); err != nil {
		b.Fatal(err)
	}
	answer := wire.FromAnswer(columnar, testNow)
	var describer wire.DictionaryEncoder
	describer.Begin(1)
	first := encode(b, describer.Frame(answer))
	describer.Begin(1)
	later := encode(b, describer.Frame(answer))
	later = later[:len(later):len(later)]
	d := New()
	d.Renew(1)
	read := func(b *testing.B, frame []byte, chunk uint64) {
		f, err := d.Open(protowire.AppendVarint(protowire.AppendVarint(frame, tagChunk), chunk)) // the last word counts
		if err != nil {
			b.Fatal(err)
		}
		if a, err := d.Answer(f, testNow); err != nil || a.Rejected > 0 {
			b.Fatal(err, a.FirstRejected)
		}
	}
	read(b, first, 1)
	b.ReportAllocs()
	chunk := uint64(1)
	for b.Loop() {
		chunk++
		read(b, later, chunk)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSeries), "ns/sample")
}
