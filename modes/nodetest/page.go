package nodetest

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// ownSamples are the samples of the page that a node makes itself.
var ownSamples = []string{"process_resident_memory_bytes", "process_start_time_seconds", "process_cpu_seconds_total", "go_goroutines",
	"banyandb_memory_protector_cgroup_limit_bytes", "banyandb_liaison_grpc_total_err", "banyandb_liaison_grpc_total_started"}

// ContentType is that of a Page.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Values are those of the samples that a node makes itself.
type Values struct {
	// Resident and Limit are bytes of memory.
	Resident, Limit int64
	Began           time.Time
	Goroutines      int
	// CPU is in seconds; Failed and Requests are counters.
	CPU, Failed, Requests float64
}

// Page is the page of a node: the lines of a recorded page, and its own.
func Page(lines []string, v Values) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	sample := func(kind, name, labels string, value float64) {
		fmt.Fprintf(&b, "# TYPE %s %s\n%s%s %v\n", name, kind, name, labels, value)
	}
	sample("gauge", "process_resident_memory_bytes", "", float64(v.Resident))
	sample("gauge", "process_start_time_seconds", "", float64(v.Began.UnixMilli())/1e3)
	sample("counter", "process_cpu_seconds_total", "", v.CPU)
	sample("gauge", "go_goroutines", "", float64(v.Goroutines))
	sample("gauge", "banyandb_memory_protector_cgroup_limit_bytes", "", float64(v.Limit))
	sample("counter", "banyandb_liaison_grpc_total_err", `{group="sw_metric_minute",method="query",service="measure"}`, math.Floor(v.Failed))
	sample("counter", "banyandb_liaison_grpc_total_started", `{group="sw_metric_minute",method="query",service="measure"}`, math.Floor(v.Requests))
	return b.String()
}

// Lines returns the lines of a recorded page without those that a node makes itself.
func Lines(path string) (lines []string, err error) {
	page, err := os.ReadFile(path)
	for _, line := range strings.Split(strings.TrimSpace(string(page)), "\n") {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if end := strings.IndexAny(name, " {"); end >= 0 {
			name = name[:end]
		}
		if !slices.Contains(ownSamples, name) {
			lines = append(lines, line)
		}
	}
	return lines, err
}
