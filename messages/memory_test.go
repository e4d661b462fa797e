package messages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemoryOfABlock(t *testing.T) {
	f := func(want int, b Block) {
		t.Helper()
		require.Equal(t, blockBytes+want, b.MemoryBytes())
	}
	times, values := make([]int64, 10), make([]float64, 20)
	claimed := LabelText(`pod_name="p"`)
	series := []Series{{Labels: `a="1"`}, {Claimed: &claimed}}
	f(0, Block{})
	f(8*10+len("agent"), Block{Target: "agent", Times: times})
	f(8*10+8*20, Block{Times: times, Families: []Family{{Series: series}}, Values: values})
	f(8*10+familyBytes+8*20, Block{Times: times, Families: []Family{{Series: series, Values: values}}})
	own := Family{Series: series, Values: values, Descriptor: &Descriptor{Own: true}, LabelBytes: 100}
	f(8*10+familyBytes+8*20+2*seriesBytes+100, Block{Times: times, Families: []Family{own}})
	own.Descriptor = &Descriptor{}
	f(8*10+familyBytes+8*20, Block{Times: times, Families: []Family{own}})
	series[0].Values, series[1].Values = values[:10], values[10:]
	f(8*10+familyBytes+2*seriesBytes+8*20+len(`a="1"`)+len(claimed), Block{Times: times, Families: []Family{{Series: series}}})
	f(familyBytes+len("up")+1000, Block{Families: []Family{{Name: "up", Help: strings.Repeat("h", 1000)}}})
	f(2_000_000*familyBytes, Block{Families: make([]Family, 2_000_000)})
}
