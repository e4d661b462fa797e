package agent

import (
	"fmt"
	"math"
	"testing"
	"time"

	"fodc/actors/agent/telemetry"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// benchWindow is a window of 100 scrapes of 3,000 series.
func benchWindow() *recorder.Window {
	const series = 3000
	var text []byte
	for i := range series {
		if i%10 == 0 {
			text = fmt.Appendf(text, "# HELP node_metric_%04d_total Counter family number %d\n# TYPE node_metric_%04d_total counter\n", i/10, i/10, i/10)
		}
		text = fmt.Appendf(text, "node_metric_%04d_total{group=\"sw_metric\",operation=\"write_batch\",segment=\"%d\"} %d.25\n", i/10, i%10, i)
	}
	w := recorder.NewWindow(recorder.Limits{})
	for i := range 100 {
		var p recorder.Page
		p.Parse(text, "text/plain; version=0.0.4", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "node"}, recorder.Scrape{At: time.Unix(int64(1767225600+10*i), 0), Page: &p})
	}
	return w
}

// BenchmarkAnswer is what it takes to answer for the latest values of 3,000 series: the
// snapshot, the frames, and their bytes, where all families are defined, and where they are known.
func BenchmarkAnswer(b *testing.B) {
	w := benchWindow()
	f := func(name string, dictionary uint64) {
		b.Run(name, func(b *testing.B) {
			var encoder wire.DictionaryEncoder
			answer := func(id uint64) {
				r := &snapshotReader{snapshot: w.Snapshot(messages.Selection{})}
				for more := true; more; {
					var frame *wire.StreamMetricsRequest
					frame, more = r.encode(&encoder, metricsRequest{id: id, dictionary: dictionary})
					bytes, err := proto.Marshal(frame)
					require.NoError(b, err)
					require.NotEmpty(b, bytes)
				}
			}
			answer(1)
			b.ReportAllocs()
			begin := processorTime(b)
			for b.Loop() {
				answer(2)
			}
			b.ReportMetric(float64((processorTime(b)-begin).Microseconds())/1000/float64(b.N), "CPU-ms/op")
		})
	}
	f("defined", 0)
	f("known", 1)
}

// BenchmarkBaselineAnswer is the same for a baseline proxy: without labels that are stamped,
// and with those of a node with two labels.
func BenchmarkBaselineAnswer(b *testing.B) {
	w := benchWindow()
	f := func(name string, labels *wire.BaselineLabels) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			begin := processorTime(b)
			for b.Loop() {
				blocks := w.Snapshot(messages.Selection{}).Next(math.MaxInt)
				frame, left := labels.Frame(blocks, time.Unix(1767226600, 0), maxBaselineBytes)
				require.Zero(b, left)
				bytes, err := proto.Marshal(frame)
				require.NoError(b, err)
				require.NotEmpty(b, bytes)
			}
			b.ReportMetric(float64((processorTime(b)-begin).Microseconds())/1000/float64(b.N), "CPU-ms/op")
		})
	}
	f("plain", &wire.BaselineLabels{})
	f("stamped", wire.NewBaselineLabels(messages.Identity{NodeID: "n1", Role: "datanode-hot", PodName: "banyandb-data-0",
		Labels: map[string]string{"zone": "a", "disk": "nvme"}}))
}

// processorTime is what the process has used, the collector of garbage included. Unlike
// the time on the wall it depends little on what else the machine does.
func processorTime(b *testing.B) time.Duration {
	used, err := telemetry.OwnCPUTime()
	require.NoError(b, err)
	return used
}
