//go:build e2e && linux

package modes_test

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requirePagesOfAgent looks at the pages of an agent: its own node, its part of an incident, queries.
func requirePagesOfAgent(t *testing.T, c *incidentCluster, browser context.Context, id string) {
	addr := c.node("data-0").agent.addr("agent")
	b := openTab(t, browser, addr, "", desktop)
	b.untilText("Resident memory")
	require.Equal(t, "data-0", b.text("h1"))
	require.NotContains(t, b.text("nav"), "Cluster")
	b.untilText("Last incident:")
	b.until("document.querySelector('.plot canvas')")
	b.shoot("agent-node")
	b.requireGood()
	b.requireNoBarriers()
	b.clickText("nav a", "Incidents")
	b.untilText("data-0")
	b.shoot("agent-incidents")
	b.click(".table tbody a")
	untilWhole(b)
	require.NotEmpty(t, incidentOf(b))
	b.clickText("nav.files button", "node.log")
	b.until("document.querySelector('.viewer .line-row')")
	b.shoot("agent-incident")
	b.requireGood()
	b.requireNoBarriers()
	b.visit("#/query?q=go_goroutines&range=5m")
	b.until("document.querySelector('.plot canvas')")
	b.requireGood()
}

// requirePagesOfView looks at the pages of fodc view: incidents, their evidence and queries over their blocks; nothing that is
// live, and nothing that could be changed.
func requirePagesOfView(t *testing.T, browser context.Context, path, id string) {
	addr := startView(t, path)
	b := openTab(t, browser, addr, "", desktop)
	b.untilText("data-0")
	for _, live := range []string{"Capture now", "Cluster", "Topology", "Actors", "Pause"} {
		require.NotContains(t, b.text("body"), live)
	}
	b.shoot("view-incidents")
	b.click(".table tbody a")
	untilWhole(b)
	require.Equal(t, id, incidentOf(b))
	actions := b.text(".actions")
	require.Contains(t, actions, "Export")
	require.NotContains(t, actions, "Pin")
	require.NotContains(t, actions, "Delete")
	b.shoot("view-incident")
	b.requireGood()
	b.requireNoBarriers()
	b.clickText("nav a", "Query")
	b.visit("#/query?q=process_resident_memory_bytes")
	b.until("document.querySelector('.plot canvas')")
	for _, node := range []string{"data-0", "data-1", "liaison-0"} {
		b.untilText(node)
	}
	b.shoot("view-query")
	b.visit("#/topology")
	b.untilText("There is no such page")
	b.requireGood()
	response, err := http.Post("http://"+addr+"/incidents", "application/json", strings.NewReader(`{"reason":"r"}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode)
}

// startView runs fodc view, and returns its address.
func startView(t *testing.T, path string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "view", path)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := regexp.MustCompile(`^http://(\S+)/  \(Ctrl-C`).FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	t.Fatal("fodc view does not say where it serves")
	return ""
}
