//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// incidentTime is how long an incident may take from the fault until its evidence is collected.
const incidentTime = 4 * time.Minute

// startFailingCluster starts three nodes with profiles, of which data-1 is configured differently. What their agents find on disk is a past without faults.
func startFailingCluster(t *testing.T) *incidentCluster {
	// EndpointDown fires 20 s after the end of the process, and ProcessGone when an agent has run for two minutes: they join the incident,
	// instead of opening another one while pages are looked at.
	longer := []string{"--incident-max-duration", "130s", "--incident-after", "30s"}
	return startIncidentCluster(t, append([]string{"--agent-heartbeat-timeout", "30s"}, longer...), func(n *clusterNode) {
		n.more = slices.Concat(n.more, longer)
		if n.id == "data-1" {
			require.NoError(n.t, os.WriteFile(filepath.Join(n.dir, "node.yaml"), []byte("grpc-port: 17912\npassword: hunter2\nmeasure-flush-timeout: 30s\n"), 0o644))
		}
	})
}

// TestE2EBrowserWhileAnIncidentOpens: pages that are open while an incident opens show it, follow it until its evidence is here, and
// show that evidence; so do the pages of the agent, and those of a bundle.
func TestE2EBrowserWhileAnIncidentOpens(t *testing.T) {
	t.Parallel()
	c := startFailingCluster(t)
	proxy, browser := c.args[3], startBrowser(t)
	cluster, list := openTab(t, browser, proxy, "#/", desktop), openTab(t, browser, proxy, "#/incidents", phone)
	cluster.untilText("Nothing is wrong")
	list.untilText("Nothing has gone wrong")
	for _, b := range []*tab{cluster, list} {
		require.True(t, eval[bool](b, "window.sameDocument = true"))
	}
	c.node("data-0").kill(syscall.SIGKILL)
	cluster.untilIn(time.Minute, "document.querySelector('a.banner-loud')?.innerText.includes('1 incident is open')")
	cluster.until("/data-0: does not answer/.test(document.querySelector('.summary').innerText)")
	cluster.shoot("incident-opens-cluster")
	list.untilIn(time.Minute, "document.querySelector('.table')?.innerText.includes('data-0')")
	list.shoot("incident-opens-list-390")
	cluster.click("a.banner-loud")
	cluster.untilText("open: something fires")
	cluster.until("document.querySelector('.lane-svg .group')")
	cluster.shoot("incident-open-1440-light")
	cluster.untilIn(incidentTime, "document.querySelector('.facts')?.innerText.includes('collected: all is here')")
	cluster.until("/series\\s*of\\s*data-0\\s*ended together/.test(document.querySelector('.section-changes')?.textContent)")
	list.until("document.querySelector('.table')?.innerText.includes('collected')")
	for _, b := range []*tab{cluster, list} {
		require.True(t, eval[bool](b, "window.sameDocument"), "it was loaded again")
		b.requireGood()
	}
	id := incidentOf(cluster)
	for _, v := range []view{desktop, desktopDark, phone, phoneDark} {
		t.Run("incident-"+v.String(), func(t *testing.T) {
			requireIncidentPage(openTab(t, browser, proxy, "#/incidents/"+id, v), "incident-"+v.String())
		})
	}
	t.Run("evidence", func(t *testing.T) {
		requireEvidencePages(openTab(t, browser, proxy, "#/incidents/"+id+"?node=data-1", desktop))
	})
	bundle := exportByLink(cluster)
	t.Run("agent", func(t *testing.T) { requirePagesOfAgent(t, c, browser, id) })
	t.Run("bundle", func(t *testing.T) { requirePagesOfView(t, browser, bundle, id) })
	dir := filepath.Join(t.TempDir(), "unpacked")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, command("tar", "-xzf", bundle, "-C", dir))
	t.Run("directory", func(t *testing.T) { requirePagesOfView(t, browser, dir, id) })
	t.Run("refused", func(t *testing.T) { requireRefused(t, browser, proxy, id) })
	t.Run("keys", func(t *testing.T) {
		openTab(t, browser, proxy, "#/incidents/"+id, desktop).requireReachable("What changed first")
	})
	for _, one := range tasks {
		t.Run(one.name, func(t *testing.T) { one.run(openTab(t, browser, proxy, "#/", desktop)) })
	}
}

// incidentOf returns the id in the URL of an incident's page.
func incidentOf(b *tab) string {
	return strings.TrimPrefix(strings.Split(eval[string](b, "location.hash"), "?")[0], "#/incidents/")
}

// untilWhole waits until all of an incident's page is there, so that a click meets what it aims at.
func untilWhole(b *tab) {
	b.t.Helper()
	b.untilText("What changed first")
	b.until("document.querySelector('.section-changes .limits') && !document.querySelector('.loading')")
}

func requireIncidentPage(b *tab, name string) {
	untilWhole(b)
	<-time.After(300 * time.Millisecond) // What is drawn later may move what is there: that is looked for.
	b.shoot(name)
	b.requireGood()
	b.requireNoBarriers()
}

// requireEvidencePages looks at a profile, a log and the configuration of a node.
func requireEvidencePages(b *tab) {
	untilWhole(b)
	b.clickText("nav.files button", "heap")
	b.until("document.querySelector('.flame-scroll canvas')")
	b.untilText("Top functions")
	b.until("document.querySelector('.viewer table tbody tr')")
	b.shoot("incident-flame-graph")
	b.clickText("nav.files button", "node.log")
	b.until("document.querySelector('.viewer .line-row')")
	b.shoot("incident-log")
	b.clickText("nav.files button", "config")
	b.untilText("to data-0")
	require.Contains(b.t, b.text(".differences"), "measure-flush-timeout")
	b.shoot("incident-configuration")
	require.Contains(b.t, eval[string](b, "location.hash"), "file=", "the file is in the URL")
	b.requireGood()
	b.requireNoBarriers()
}

// exportByLink fetches what the page's link to export gives, and returns the file.
func exportByLink(b *tab) string {
	t := b.t
	href := eval[string](b, "[...document.querySelectorAll('a[download]')].find(one => one.innerText === 'Export').href")
	_, path, _ := strings.Cut(strings.TrimPrefix(href, "http://"), "/")
	_, body, _, err := get(strings.TrimPrefix(b.origin, "http://"), "/"+path)
	require.NoError(t, err)
	require.NoError(t, checkBundle([]byte(body), true))
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	require.NoError(t, os.WriteFile(file, []byte(body), 0o600))
	return file
}

// requireRefused: who asks by the name of another host may look, and not change anything. The page says so.
func requireRefused(t *testing.T, browser context.Context, proxy, id string) {
	b := openTab(t, browser, strings.Replace(proxy, "127.0.0.1", otherHost, 1), "#/incidents/"+id, desktop)
	b.allowed = []string{"status of 403"}
	b.untilText("collected: all is here")
	b.clickText("button", "Pin")
	b.untilText("Refused.")
	b.untilText("--allow-remote-actions")
	b.shoot("refused-pin")
	b.requireNoBarriers()
	b.visit("#/incidents")
	b.capture()
	b.until(fmt.Sprintf("document.querySelector('dialog')?.innerText.includes(%q)", "Refused."))
	b.shoot("refused-capture")
	b.requireGood()
}
