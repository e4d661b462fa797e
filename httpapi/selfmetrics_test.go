package httpapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// Request durations are 0 in a bubble of fake time, so the whole page is the same each time.
func TestSelfMetricsPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeProxy()
		p.cluster = someCluster()
		p.counts, p.proxyCounts = someCounts(), someProxyCounts()
		p.usage = messages.ProcessUsage{CPUSeconds: 1.5, StartSeconds: 1.7e9, ResidentBytes: 3 << 20, OpenFiles: 7, MaxFiles: 1024, Goroutines: 9}
		p.logLinesDropped = 8
		p.collection = threeNodes()
		p.collection.Nodes[0].Problems = messages.Problems{Rejected: 3, Sanitized: 2, TooMany: 7}
		other := p.collection.Nodes[0]
		other.Identity.NodeID = "n4"
		f := other.Blocks[0].Families[0]
		f.Help, f.Series = "Other.", append(f.Series[:1:1], f.Series[0])
		other.Blocks = []messages.Block{{Times: other.Blocks[0].Times, Families: []messages.Family{f}}}
		p.collection.Nodes = append(p.collection.Nodes, other)
		p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) {
			time.Sleep(40 * time.Millisecond)
			return p.collection, p.collectErr
		}
		p.files, p.cluster.Verifies = someFiles(), true
		p.get("/metrics?node_id=n1")
		p.collection = &messages.Collection{}
		p.get("/metrics?node_id=n1")
		p.collectErr = errors.New("x")
		p.get("/metrics?node_id=n1")
		p.get("/nope")
		do(p.handler, http.MethodPost, "/cluster")
		w := p.get("/metrics/self")
		families := requirePage(t, w)
		for name, f := range families {
			require.NotEmpty(t, f.GetHelp(), name)
			require.True(t, exposition.IsReserved(name), "an agent could put %s on the page of the proxy a second time", name)
			require.Equal(t, strings.HasSuffix(name, "_total"), f.GetType() == dto.MetricType_COUNTER, name)
		}
		page := strings.ReplaceAll(w.Body.String(), runtime.Version(), "GOVERSION")
		page = strings.ReplaceAll(page, `goos="`+runtime.GOOS+`",goarch="`+runtime.GOARCH, `goos="GOOS",goarch="GOARCH`)
		golden(t, "self.prom", page)
		require.Equal(t, 1, strings.Count(w.Body.String(), "# TYPE fodc_proxy_http_requests_total counter\n"))
	})
}

func TestSelfMetricsWithoutTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeProxy()
		p.Cluster = func(ctx context.Context, _ messages.NodeFilter) (messages.Cluster, error) {
			<-ctx.Done()
			return messages.Cluster{}, ctx.Err()
		}
		begin := time.Now()
		w := p.get("/metrics")
		requirePage(t, w)
		require.Equal(t, countTimeout, time.Since(begin))
		require.Contains(t, w.Body.String(), "fodc_proxy_agents{role=\"other\",state=\"online\"} NaN\n")
		require.Contains(t, w.Body.String(), "fodc_proxy_agents{role=\"other\",state=\"unconnected\"} NaN\n")
	})
}

func TestBuildLabelsAreEscaped(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, newSelfMetrics(Build{Version: "a\"b\\c\n", Revision: "abc"}).write(&b, metricSources{actors: someCounts, proxy: someProxyCounts, process: newFakeProxy().Process}))
	require.Contains(t, b.String(), `fodc_build_info{version="a\"b\\c\n",revision="abc",goversion="`)
}

// Two proxies in one process have metrics of their own.
func TestSelfMetricsAreNotShared(t *testing.T) {
	a, b := newFakeProxy(), newFakeProxy()
	a.get("/cluster")
	require.Contains(t, a.get("/metrics/self").Body.String(), `route="/cluster",code="200"`)
	require.NotContains(t, b.get("/metrics/self").Body.String(), `route="/cluster"`)
}

// What cannot be read has no series, or keeps its last value; it is not 0.
func TestProcessThatCannotBeRead(t *testing.T) {
	p := newFakeProxy()
	p.usageErr = errors.New("no procfs")
	require.NotContains(t, p.get("/metrics/self").Body.String(), "fodc_proxy_process")
	p.usageErr, p.usage.CPUSeconds = nil, 2.5
	require.Contains(t, p.get("/metrics/self").Body.String(), familyProcessCPU+" 2.5\n")
	p.usageErr, p.usage.CPUSeconds = errors.New("no procfs"), 0
	require.Contains(t, p.get("/metrics/self").Body.String(), familyProcessCPU+" 2.5\n")
}
