package wire

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const benchSeries = 300

// benchFrame is a baseline agent's answer: families of ten series, and for a window
// several samples of each.
func benchFrame(points int) *StreamMetricsRequest {
	f := &StreamMetricsRequest{Timestamp: timestamppb.New(testNow)}
	for i := range benchSeries {
		for p := range points {
			m := metric(counter, fmt.Sprintf("node_metric_%04d_total", i/10), float64(1000+i)+0.25,
				"group", "sw_metric", "segment", strconv.Itoa(i%10), "operation", "write_batch",
				"node_role", "ROLE_DATA", "pod_name", "swarm-00042").help("Counter family number " + strconv.Itoa(i/10))
			if points > 1 {
				m.Timestamp = timestamppb.New(testNow.Add(time.Duration(p) * 10 * time.Second))
			}
			f.Metrics = append(f.Metrics, m)
		}
	}
	return f
}

func BenchmarkFromAnswer(b *testing.B) {
	for _, c := range []struct {
		name     string
		points   int
		columnar bool
	}{{"baseline-latest", 1, false}, {"baseline-window", 60, false}, {"columnar-latest", 1, true}, {"columnar-window", 60, true}} {
		frame := benchFrame(c.points)
		if c.columnar {
			frame = AnswerFrame(FromAnswer(frame, testNow))
		}
		encoded, err := proto.Marshal(frame)
		require.NoError(b, err)
		perSample := func(b *testing.B, f func()) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSeries*c.points), "ns/sample")
		}
		b.Run(c.name, func(b *testing.B) {
			perSample(b, func() {
				a := FromAnswer(frame, testNow)
				if a.Rejected > 0 {
					b.Fatal(a.FirstRejected)
				}
			})
		})
		b.Run(c.name+"-with-decoding", func(b *testing.B) {
			b.SetBytes(int64(len(encoded)))
			perSample(b, func() {
				var m StreamMetricsRequest
				if err := proto.Unmarshal(encoded, &m); err != nil {
					b.Fatal(err)
				}
				FromAnswer(&m, testNow)
			})
		})
	}
}

func BenchmarkAnswerFrame(b *testing.B) {
	a := FromAnswer(benchFrame(60), testNow)
	b.Run("columnar", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AnswerFrame(a)
		}
	})
	b.Run("baseline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			baselineFrame(a.Blocks, testNow, roomy)
		}
	})
}
