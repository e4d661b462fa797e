package fastframe

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"fodc/messages/wire"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A scrape of many large agents: an agent's series have left the processor's caches when its
// next answer comes.
const (
	scrapeAgents = 100
	scrapeSeries = 3000
)

func scrapePod(agent int) string { return fmt.Sprintf("bench-%05d", agent) }

// scrapeFrame is an answer of agent 0, whose labels are in one order where they are
// ordered, else each time in another. The samples are in any order where they are shuffled.
func scrapeFrame(b *testing.B, round int, ordered, shuffled bool) []byte {
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(testNow)}
	for i := range scrapeSeries {
		f.Metrics = append(f.Metrics, &wire.Metric{
			Name: fmt.Sprintf("bench_node_metric_%04d_total", i/10),
			Labels: map[string]string{"group": "sw_metric", "segment": strconv.Itoa(i % 10), "operation": "write_batch",
				"node_role": "ROLE_DATA", "pod_name": scrapePod(0)},
			Value:       float64(1000*round+i) + 0.25,
			Description: "A counter of the family number " + strconv.Itoa(i/10),
			Type:        wire.MetricType_METRIC_TYPE_COUNTER,
		})
	}
	if shuffled {
		rand.Shuffle(len(f.Metrics), func(i, j int) { f.Metrics[i], f.Metrics[j] = f.Metrics[j], f.Metrics[i] })
	}
	frame, err := proto.MarshalOptions{Deterministic: ordered}.Marshal(f)
	if err != nil {
		b.Fatal(err)
	}
	return frame
}

// rename replaces a text by another one of the same length.
func rename(frame []byte, from, to string) {
	for {
		at := bytes.Index(frame, []byte(from))
		if at < 0 {
			return
		}
		frame = frame[at+copy(frame[at:], to):]
	}
}

func BenchmarkScrape(b *testing.B) {
	f := func(name string, ordered, shuffled bool) {
		b.Run(name, func(b *testing.B) {
			var templates [8][]byte
			for i := range templates {
				templates[i] = scrapeFrame(b, i, ordered, shuffled)
			}
			var decoders [scrapeAgents]*Decoder
			var frames [scrapeAgents][]byte
			for i := range decoders {
				decoders[i] = New()
			}
			answers := make([]wire.Answer, scrapeAgents)
			scrape := func(round int) {
				b.StopTimer()
				for i := range frames {
					frames[i] = append(frames[i][:0], templates[(round+i)%len(templates)]...)
					rename(frames[i], scrapePod(0), scrapePod(i))
				}
				b.StartTimer()
				for i, d := range decoders {
					frame, err := d.Open(frames[i])
					if err != nil {
						b.Fatal(err)
					}
					if answers[i], err = d.Answer(frame, testNow); err != nil || answers[i].Rejected > 0 {
						b.Fatal(err, answers[i].FirstRejected)
					}
				}
			}
			scrape(0)
			scrape(1)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; b.Loop(); n++ {
				scrape(n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*scrapeAgents*scrapeSeries), "ns/sample")
		})
	}
	f("ordered", true, false)
	f("labels-in-any-order", false, false)
	f("all-in-any-order", false, true)
}
