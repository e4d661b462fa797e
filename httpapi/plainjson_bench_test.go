package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkPlainJSON compares the encoding of large answers with what it costs to look for characters that must not be in
// them: the ratio is the time of the latter as a part of the former.
func BenchmarkPlainJSON(b *testing.B) {
	for _, of := range []struct{ name, text string }{
		{"ascii", "banyandb_measure_total_written of datanode-hot in the group sw_metric"},
		{"some", strings.Repeat("a log line of a node that is long, ", 4) + "with an ä"},
		{"german", "Größe der Übertragung für äußere Anwälte"},
		{"chinese", strings.Repeat("写入失败，磁盘已满。", 4)},
	} {
		b.Run(of.name, func(b *testing.B) {
			type row struct {
				Name  string  `json:"name"`
				Value float64 `json:"value"`
			}
			rows := make([]row, 20_000)
			for i := range rows {
				rows[i] = row{fmt.Sprint(of.text, i), float64(i) / 7}
			}
			encoded, err := json.Marshal(rows)
			require.NoError(b, err)
			b.SetBytes(int64(len(encoded)))
			encoding, looking := time.Hour, time.Hour // the shortest ones: what else runs on the machine does not count
			for b.Loop() {
				begin := time.Now()
				require.NoError(b, json.NewEncoder(io.Discard).Encode(rows))
				encoding = min(encoding, time.Since(begin))
				begin = time.Now()
				plainJSON(encoded)
				looking = min(looking, time.Since(begin))
			}
			b.ReportMetric(looking.Seconds()/encoding.Seconds(), "of-encoding")
		})
	}
}
