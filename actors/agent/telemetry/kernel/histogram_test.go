package kernel

import (
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestHistogramSamples(t *testing.T) {
	h := Histogram{Sum: 2_500_000_000}
	h.add(Histogram{Sum: 500_000_000})
	h.Slots[0], h.Slots[4], h.Slots[5], h.Slots[24], h.Slots[25] = 1, 2, 4, 8, 16
	got := map[string]float64{}
	for _, s := range h.samples(nil, "x", "help", messages.Label{Name: "a", Value: "b"}) {
		require.Equal(t, "x", s.Name)
		require.Equal(t, messages.TypeHistogram, s.Type)
		require.Equal(t, messages.Label{Name: "a", Value: "b"}, s.Labels[0])
		name := s.Suffix.String()
		if len(s.Labels) > 1 {
			name += s.Labels[1].Value
		}
		got[name] = s.Value
	}
	require.Equal(t, map[string]float64{"_bucket1.6e-05": 3, "_bucket6.4e-05": 7, "_bucket0.000256": 7, "_bucket0.001024": 7, "_bucket0.004096": 7,
		"_bucket0.016384": 7, "_bucket0.065536": 7, "_bucket0.262144": 7, "_bucket1.048576": 7, "_bucket4.194304": 7, "_bucket16.777216": 15,
		"_bucket+Inf": 31, "_sum": 3, "_count": 31}, got)
}
