package agent

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/nodeconfig"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// withConfig gives the agent a file of its node, and a host without processes. It
// returns how the file is written.
func (w *world) withConfig() (write func(text string)) {
	root := w.t.TempDir()
	path := filepath.Join(root, "node.yaml")
	w.cfg.NodeConfig = &nodeconfig.Config{Root: root, Files: []string{path}}
	write = func(text string) {
		w.t.Helper()
		require.NoError(w.t, os.WriteFile(path, []byte(text), 0o600))
	}
	return write
}

// sentConfigs returns, for each frame of a session, the parameters of the configuration in
// it, and - for a frame that has none.
func sentConfigs(r fakeRegistration) []string {
	var all []string
	for _, f := range r.frames {
		if f.GetConfiguration() == nil {
			all = append(all, "-")
			continue
		}
		all = append(all, parameters(f.GetConfiguration()))
	}
	return all
}

func parameters(c *wire.NodeConfiguration) string {
	var b strings.Builder
	for _, p := range c.GetRuntimeConfig() {
		b.WriteString(p.GetKey() + "=" + p.GetValue() + " ")
	}
	return strings.TrimSpace(b.String())
}

// The registration has the node's configuration, and of the heartbeats only those
// before which it has changed. A change goes with the next heartbeat.
func TestConfigurationIsTold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		write := w.withConfig()
		write("a: 1\npassword: hunter2\n")
		w.run()
		require.Equal(t, []string{`a=1 password="***"`}, sentConfigs(w.proxy.sessions()[0]))
		w.pass(29 * time.Second)
		write("a: 2\n")
		w.pass(time.Second)
		require.Equal(t, []string{`a=1 password="***"`, "-", "-", "a=2"}, sentConfigs(w.proxy.sessions()[0]))
		require.Equal(t, w.start.Add(30*time.Second).UTC(), w.proxy.sessions()[0].frames[3].GetConfiguration().GetCollectedAt().AsTime())
		w.pass(20 * time.Second)
		require.Equal(t, []string{"-", "-"}, sentConfigs(w.proxy.sessions()[0])[4:])
		require.Equal(t, []string{"the node's configuration has changed"}, w.lines("has changed"))

		write("a: 3\n")
		w.crash()
		require.Equal(t, []string{"a=3"}, sentConfigs(w.proxy.sessions()[1]), "a new session begins anew")
		w.pass(10 * time.Second)
		require.Equal(t, []string{"a=3", "-"}, sentConfigs(w.proxy.sessions()[1]))
	})
}

// A read that hangs delays registration and heartbeats by the timeout at most, and is
// not joined by others.
func TestConfigurationHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.withConfig()
		hang, underWay := make(chan struct{}), 0
		fetch := w.cfg.Fetch
		w.cfg.Fetch = func(ctx context.Context, url string) ([]byte, string, error) {
			if strings.Contains(url, "/debug/pprof/") {
				underWay++
				<-hang
			}
			return fetch(ctx, url)
		}
		w.run()
		require.Empty(t, w.proxy.sessions()[0].frames)
		w.pass(configTimeout)
		require.Len(t, w.proxy.sessions()[0].frames, 1)
		require.Contains(t, w.proxy.sessions()[0].frames[0].GetConfiguration().GetErrors()[0], "does not answer since ")
		w.pass(time.Minute)
		require.Equal(t, []string{"", "-", "-", "-", "-", "-", "-"}, sentConfigs(w.proxy.sessions()[0]))
		require.Equal(t, 1, underWay)
		require.Len(t, w.lines("configuration cannot be read"), 1)
		close(hang)
		w.pass(10 * time.Second)
		last := w.proxy.sessions()[0].frames[7].GetConfiguration()
		require.NotContains(t, last.GetErrors()[0], "does not answer since ")
	})
}

// An agent that reads no configuration sends none.
func TestNoConfiguration(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(time.Minute)
		require.Equal(t, "- - - - - -", strings.Join(sentConfigs(w.proxy.sessions()[0])[:6], " "))
		require.Zero(t, w.alive("nodeconfig"))
	})
}

// The timeline of an incident has a change of the configuration once, and nothing of a process or file that is away for a while.
func TestConfigurationInTheTimeline(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		write := w.withConfig()
		write("a: 1\n")
		w.run()
		w.pass(time.Minute)
		w.node.serve(page("7", "1"), nil)
		w.pass(20 * time.Second)
		require.NoError(t, os.Remove(w.cfg.NodeConfig.Files[0]))
		w.pass(20 * time.Second)
		write("a: 1\n")
		w.pass(20 * time.Second)
		require.NotContains(t, kinds(w.one().Timeline), "config")
		require.NoError(t, os.Remove(w.cfg.NodeConfig.Files[0]))
		w.pass(20 * time.Second)
		write("a: 2\n")
		w.pass(time.Minute)
		changes := slices.DeleteFunc(w.one().Timeline, func(e messages.IncidentEvent) bool { return e.Kind != "config" })
		require.Len(t, changes, 1)
		require.Equal(t, "the node's configuration has changed", changes[0].Text)
	})
}
