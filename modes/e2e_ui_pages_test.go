//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
)

// player plays a recording of a real node and its host, a moment after each scrape of the host.
type player struct {
	*httptest.Server
	moments []recordertest.Moment
	at      atomic.Int64
}

func startPlayer(t *testing.T, recording string) *player {
	t.Helper()
	p := &player{moments: recordertest.Recording(t, filepath.Join("..", "testdata", "recordings", recording+".tar.gz"))}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := p.moments[int(p.at.Load())%len(p.moments)]
		page := now.Node
		if r.URL.Path == "/host" {
			page = now.Host
			p.at.Add(1)
		}
		if len(page) == 0 || r.URL.Path != "/host" && !now.Up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(page)
	}))
	t.Cleanup(p.Close)
	return p
}

// recordedCluster is a proxy with agents whose nodes are recordings.
type recordedCluster struct {
	t      *testing.T
	args   []string // of the proxy
	proxy  *process
	agents map[string]*process
}

// startProxy starts the proxy, or starts it again where it was.
func (c *recordedCluster) startProxy() { c.proxy = start(c.t, append([]string{"proxy"}, c.args...)...) }

// http is the address of the proxy's pages. It stays the same.
func (c *recordedCluster) http() string { return c.args[3] }

// startRecorded starts it, and waits until each agent has some scrapes. nodes are node=recording.
func startRecorded(t *testing.T, nodes ...string) *recordedCluster {
	t.Helper()
	c := &recordedCluster{t: t, agents: map[string]*process{}, args: []string{"--grpc-listen-addr", fixedPort(t), "--http-listen-addr", fixedPort(t),
		"--storage-dir", t.TempDir(), "--incident-before", "1m", "--incident-after", "10s", "--heartbeat-interval", "500ms", "--agent-heartbeat-timeout", "3s"}}
	c.startProxy()
	for _, one := range nodes {
		id, recording, _ := strings.Cut(one, "=")
		role := "datanode-hot"
		if strings.HasPrefix(id, "liaison") {
			role = "liaison"
		}
		p := startPlayer(t, recording)
		c.agents[id] = startAgent(t, c.proxy, id, role, p.URL+"/node", "--metrics-endpoint", p.URL+"/host", "--reconnect-interval", "500ms", "--storage-dir", t.TempDir(), "--incident-before", "1m", "--incident-after", "10s")
	}
	for id := range c.agents {
		eventually(t, "scrapes of "+id, func() error {
			body := page(t, c.http(), fmt.Sprintf("/api/v1/query?query=count_over_time(fodc_node_up{node_id=%q}[1m])", id))
			if !strings.Contains(body, `"value"`) {
				return fmt.Errorf("it has none: %s", body)
			}
			return nil
		})
	}
	return c
}

// pagesOfProxy are the pages, each with a text that it has when it is there.
var pagesOfProxy = []struct{ name, path, has string }{
	{"cluster", "#/", "Nothing is wrong"},
	{"node", "#/node/data-0?range=5m", "Resident memory"},
	{"node-events", "#/node/data-0?tab=events", "Events"},
	{"node-families", "#/node/data-0?tab=families&family=go_goroutines", "go_memstats_heap_inuse_bytes"},
	{"node-configuration", "#/node/data-0?tab=configuration", "Secrets are masked"},
	{"incidents", "#/incidents", "Incidents"},
	{"query", "#/query?q=go_goroutines&q=process_resident_memory_bytes&view=graph&view=table&range=5m", "data-0"},
	{"config", "#/config", "Configuration"},
	{"topology", "#/topology", "Topology"},
	{"actors", "#/actors", "registry"},
}

// TestE2EBrowserOfACluster: each page of a proxy with real nodes, as people may see it.
func TestE2EBrowserOfACluster(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy", "data-1=healthy", "liaison-0=healthy")
	browser := startBrowser(t)
	for _, p := range pagesOfProxy {
		for _, v := range []view{desktop, desktopDark, phone, phoneDark} {
			t.Run(p.name+"-"+v.String(), func(t *testing.T) {
				b := openTab(t, browser, c.proxy.addr("http"), p.path, v)
				b.untilText(p.has)
				b.until("!document.querySelector('.loading')")
				b.untilStill()
				b.shoot(p.name + "-" + v.String())
				b.requireGood()
				if v != phone {
					b.requireNoBarriers() // Contrasts of the light theme are those of the wide page.
				}
			})
		}
	}
	t.Run("writes", func(t *testing.T) {
		b := openTab(t, browser, c.http(), "#/", desktop)
		b.untilText("Nothing is wrong")
		compareWrites.run(b)
		b.untilIn(2*time.Minute, fmt.Sprintf("(({ data }) => data.length > 2 && data.slice(1).every(column => column.filter((value, i) => value > 0 && data[0][i] < Date.now() / 1000 - %v).length >= 5))(document.querySelector('.plot').plot)", mayChangeFor.Seconds()))
		for node, values := range b.requireDrawnRates("data-0", "data-1") {
			require.Positive(t, values, "%s writes, and its line does not say so", node)
		}
	})
}
