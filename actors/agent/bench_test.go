package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// BenchmarkLatestAnswer makes the answer to a request for the latest of 3,000 series,
// from the snapshot to the bytes on the wire.
func BenchmarkLatestAnswer(b *testing.B) {
	const series = 3_000
	var text strings.Builder
	for i := range series {
		fmt.Fprintf(&text, "banyandb_synthetic_%04d{group=\"sw_metric\",segment=\"%d\",operation=\"write_batch\"} %d\n", i/10, i%10, i)
	}
	w := recorder.NewWindow(recorder.Limits{})
	var p recorder.Page
	for n := range 200 {
		p.Parse([]byte(text.String()), "text/plain", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "node"}, recorder.Scrape{At: time.Unix(int64(10*n), 0), Page: &p})
	}
	var bytes []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		r := &snapshotReader{snapshot: w.Snapshot(messages.Selection{})}
		for more := true; more; {
			var blocks []messages.Block
			blocks, more = r.read(chunkBytes)
			bytes, err = proto.MarshalOptions{}.MarshalAppend(bytes[:0], wire.AnswerFrame(wire.Answer{RequestID: 1, Blocks: blocks, More: more}))
			require.NoError(b, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1e3, "ms/answer")
}
