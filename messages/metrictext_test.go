package messages

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetricText(t *testing.T) {
	f := func(want, name string, value float64, perSecond bool) {
		t.Helper()
		require.Equal(t, want, MetricText(name, value, perSecond))
	}
	f("0", "x", 0, false)
	f("12.35", "x", 12.345, false)
	f("-1.5G", "x", -1.5e9, false)
	f("1e+04P", "x", 1e19, false)
	f("40.2/s", "x_total", 40.2, true)
	f("256 MiB", "fodc_cgroup_memory_max_bytes", 256<<20, false)
	f("1.392 GiB", "a_bytes", 1.495e9, false)
	f("512 B", "a_bytes", 512, false)
	f("1.5 KiB/s", "a_bytes_total", 1536, true)
	f("+Inf", "x", math.Inf(1), false)
}
