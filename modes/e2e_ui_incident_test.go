//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// waiters is how many goroutines wait in waitForTheEnd while the profiles are captured.
const waiters = 57

// waitForTheEnd is a function whose goroutines the profile of the incident has.
func waitForTheEnd(end <-chan struct{}) { <-end }

// startProfiled serves the profiles of this process.
func startProfiled(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	for range waiters {
		go waitForTheEnd(end)
	}
	return s.URL
}

// captured asks the proxy for an incident, and waits until it has all evidence.
func captured(t *testing.T, addr string, nodes ...string) string {
	t.Helper()
	incident := openIncident(t, addr, nodes...)
	eventually(t, "the evidence", func() error {
		var now messages.Incident
		if err := json.Unmarshal([]byte(page(t, addr, "/incidents/"+incident.ID)), &now); err != nil {
			return err
		}
		if now.State != messages.IncidentCollected {
			return fmt.Errorf("it is %s", now.State)
		}
		return nil
	})
	return incident.ID
}

// openIncident asks the proxy for an incident of nodes.
func openIncident(t *testing.T, addr string, nodes ...string) (incident messages.Incident) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/incidents", strings.NewReader(`{"reason":"somebody wants it","before":"1m","nodes":`+jsonOf(nodes)+`}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusCreated, response.StatusCode)
	require.NoError(t, json.NewDecoder(response.Body).Decode(&incident))
	return incident
}

// widerByTimes shows parts of an incident that end at each of 40 seconds, and returns by how many pixels the page became wider than its
// window at most.
const widerByTimes = `(async id => {
  const { from, to } = await (await fetch('/incidents/' + id)).json(), page = document.documentElement
  let most = 0, labels = 0
  for (let s = 1; s <= 40; s++) {
    const end = Date.parse(to) - s * 1000
    location.hash = '#/incidents/' + id + '?from=' + (Date.parse(from) + 1) + '&to=' + end
    await new Promise(done => setTimeout(() => requestAnimationFrame(done), 50))
    most = Math.max(most, page.scrollWidth - page.clientWidth)
    labels += document.querySelectorAll('.axis-labels span').length
  }
  return labels > 40 ? most : -1
})`

// TestE2EBrowserOfAnIncident: the list, one incident, and its evidence, with a profile that has a known number in it.
func TestE2EBrowserOfAnIncident(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy")
	profiled := startProfiled(t)
	p := startPlayer(t, "healthy")
	startAgent(t, c.proxy, "data-1", "datanode-hot", p.URL+"/node", "--metrics-endpoint", p.URL+"/host", "--storage-dir", t.TempDir(), "--pprof-endpoint", profiled)
	addr := c.proxy.addr("http")
	eventually(t, "scrapes of data-1", func() error {
		if body := page(t, addr, "/api/v1/query?query=count_over_time(fodc_node_up{node_id=%22data-1%22}[1m])"); !strings.Contains(body, `"value"`) {
			return fmt.Errorf("it has none: %s", body)
		}
		return nil
	})
	id := captured(t, addr, "data-0", "data-1")
	browser := startBrowser(t)
	one := "#/incidents/" + id + "?node=data-1&file="
	pages := []struct{ name, path, has string }{
		{"incidents-listed", "#/incidents", "somebody wants it"},
		{"incident", "#/incidents/" + id, "What changed first"},
		{"incident-profile", one + "profiles/goroutine.pb.gz&find=waitForTheEnd", fmt.Sprintf("%d\t", waiters)},
		{"incident-text", one + "profiles/goroutine.txt", "goroutine 1 ["},
		{"incident-configuration", one + "config.json", "All parameters"},
		{"incident-events", one + "events.json", "the agent begins"},
	}
	for _, p := range pages {
		for _, v := range []view{desktop, phoneDark} {
			t.Run(p.name+"-"+v.String(), func(t *testing.T) {
				b := openTab(t, browser, addr, p.path, v)
				b.untilText(p.has)
				b.until("!document.querySelector('.loading')")
				b.untilStill()
				b.shoot(p.name + "-" + v.String())
				b.requireGood()
				if v.width == phone.width {
					b.requireNoBarriers() // Wide ones are in TestE2EBrowserWhileAnIncidentOpens.
				}
			})
		}
	}
	t.Run("times-of-the-axis", func(t *testing.T) {
		b := openTab(t, browser, addr, "#/incidents/"+id, phone)
		b.until("document.querySelector('.axis-labels span')")
		require.Zero(t, eval[int](b, widerByTimes+fmt.Sprintf("(%q)", id)), "-1: it had hardly any times")
	})
	t.Run("own-series", func(t *testing.T) {
		requireOwnSeries(openTab(t, browser, addr, "#/incidents/"+id+"?node=data-1", desktop), id)
	})
	t.Run("actions", func(t *testing.T) {
		b := openTab(t, browser, addr, "#/incidents/"+id, desktop)
		b.untilText("Pin")
		b.click(".actions button")
		b.untilText("kept for good")
		b.click(".actions button")
		b.until("!document.body.innerText.includes('kept for good')")
		b.click(".actions .button-bad")
		b.until("document.querySelector('dialog[open]')")
		b.click("dialog button[value=delete]")
		b.until("location.hash === '#/incidents'")
		b.untilText("Nothing has gone wrong")
		b.requireGood()
	})
}

// requireOwnSeries follows the links from the metrics of an incident: they lead to its own series, not to those of the present.
func requireOwnSeries(b *tab, id string) {
	b.clickText("nav.files button", "meta.json")
	b.untilText("as a block of a Prometheus database")
	b.shoot("incident-metrics")
	b.requireNoBarriers()
	b.clickText(".evidence-queries a", "goroutines")
	b.until("document.querySelector('.plot canvas')")
	query := eval[string](b, "new URLSearchParams(location.hash.split('?')[1]).get('q')")
	require.Equal(b.t, fmt.Sprintf("go_goroutines{node_id=%q,incident=%q}", "data-1", id), query)
	require.Contains(b.t, b.text(".legend"), fmt.Sprintf("incident=%q", id), "the series are not those of the incident")
	b.requireGood()
}
