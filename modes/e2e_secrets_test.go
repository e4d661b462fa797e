//go:build e2e && linux

package modes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// guardedProcess is a process of which the pages want a password.
type guardedProcess struct {
	*process
	server, authorization string
}

// endOfHeader is between the header and the body of an answer.
const endOfHeader = "\r\n"

// ask asks for a page with the headers, whatever the status is.
func (g *guardedProcess) ask(t *testing.T, method, path, body string, header ...string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.addr(g.server)+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", g.authorization)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Timeout: patience}
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(t, err)
	var above bytes.Buffer
	require.NoError(t, resp.Header.Write(&above))
	return resp.StatusCode, above.String() + endOfHeader + b.String()
}

var linkOfIndex = regexp.MustCompile(`href="([^"]+)"`)

// pages returns all pages that the index of the process has, and those below and beside them.
func (g *guardedProcess) pages(t *testing.T, more ...string) map[string]string {
	t.Helper()
	_, index := g.ask(t, http.MethodGet, "/", "")
	paths := append([]string{"/", "/debug/actors?format=json", "/debug/actors?format=text", "/cluster/config?diff=1", "/metrics-windows", "/metrics?format=json",
		"/api/v1/series?match[]={__name__=~%22.%2B%22}", "/api/v1/status/flags", "/api/v1/targets", "/api/v1/rules", "/api/v1/alerts", "/sd"}, more...)
	for _, link := range linkOfIndex.FindAllStringSubmatch(index, -1) {
		paths = append(paths, "/"+strings.TrimLeft(link[1], "./"))
	}
	require.Greater(t, len(paths), 14, index)
	shown := map[string]string{}
	for _, path := range paths {
		status, text := g.ask(t, http.MethodGet, path, "")
		if status == http.StatusOK {
			shown[g.server+path] = text
		}
	}
	return shown
}

// TestE2EEvidenceHasNoSecret: what a node, its files and those who configure a proxy and its agent have of secrets is in no log, on no page, in
// no file that the processes write, and in no incident.
func TestE2EEvidenceHasNoSecret(t *testing.T) {
	t.Parallel()
	w := newPlantedWorld(t)
	proxy, agent := w.start()
	all := map[string]string{}
	eventually(t, "all that an agent tells is there", func() error {
		return w.awaitTold(proxy, agent)
	})
	for _, path := range []string{"/cluster?access_token=" + w.plant("query"), "/api/v1/query?query=" + w.plant("expression") + "(&token=" + w.plant("other"), "/" + w.plant("path") + "?token=" + w.plant("unknown")} {
		// What somebody asks with is theirs to see in the answer, and nobody's in the log.
		for _, p := range []*guardedProcess{proxy, agent} {
			p.ask(t, http.MethodGet, path, "")
			p.ask(t, http.MethodGet, path, "", "Authorization", "Bearer "+w.plant("wrongtoken"))
			p.ask(t, http.MethodGet, path, "", "Authorization", basicOf("alice", w.plant("wrongpassword")), "Cookie", "session="+w.plant("cookie"))
			p.ask(t, http.MethodGet, path, "", "Authorization", basicOf(w.plant("passwordasuser"), "x"))
		}
	}
	status, text := proxy.ask(t, http.MethodPost, "/incidents", `{"reason":"somebody wants it","before":"1m"}`)
	require.Equal(t, http.StatusCreated, status, text)
	all["the order"] = text
	_, text, _ = strings.Cut(text, "\r\n"+endOfHeader)
	var incident messages.Incident
	require.NoError(t, json.Unmarshal([]byte(text), &incident), text)
	within(t, 2*patience, "the incident", func() error {
		_, text := proxy.ask(t, http.MethodGet, "/incidents/"+incident.ID, "")
		if !strings.Contains(text, `"state": "collected"`) && !strings.Contains(text, `"state":"collected"`) {
			return fmt.Errorf("%.600s", text)
		}
		return nil
	})
	below := "/incidents/" + incident.ID
	for name, text := range proxy.pages(t, "/incidents", below, below+"/changes", below+"/bundle", below+"/bundle?lite=1") {
		all[name] = text
	}
	for name, text := range agent.pages(t, "/incidents") {
		all[name] = text
	}
	_, bundle := proxy.ask(t, http.MethodGet, below+"/bundle", "")
	_, content, _ := strings.Cut(bundle, "\x1f\x8b")
	files := unpacked(t, []byte("\x1f\x8b"+content))
	for _, part := range []string{"/profiles/goroutine.txt", "/logs/", "/crashes/", "/config.json", "/process/", "/agent/"} {
		require.True(t, slices.ContainsFunc(keysOf(files), func(name string) bool { return strings.Contains(name, part) }), "%s is in none of %q", part, keysOf(files))
	}
	for name, text := range files {
		all["bundle/"+name] = text
	}
	for _, p := range []*guardedProcess{proxy, agent} {
		p.kill(syscall.SIGQUIT)
		_, _ = p.exitCode(patience)
		require.Contains(t, p.log(), "goroutine ", "the dump")
		all["log of "+p.server] = p.log()
	}
	for _, dir := range []string{w.storageOfProxy, w.storageOfAgent} {
		for name, text := range readTree(t, dir) {
			all["disk/"+name] = text
		}
	}
	require.Greater(t, len(all), 60)
	bytes := 0
	for name, text := range all {
		bytes += len(text)
		for _, s := range found(name + "\n" + text) {
			t.Errorf("%s has %s", name, s)
		}
	}
	t.Logf("%d texts of %d KiB hold none of %d secrets", len(all), bytes>>10, len(w.planted))
}

// found returns where a text has secrets, with what is around them.
func found(text string) (shown []string) {
	for _, p := range needles() {
		for from := 0; len(shown) < 5; {
			at := strings.Index(text[from:], p)
			if at < 0 {
				break
			}
			at += from
			shown = append(shown, fmt.Sprintf("%q: %q", p, text[max(0, at-120):min(len(text), at+80)]))
			from = at + len(p)
		}
	}
	return shown
}

// readTree returns all files below a directory, unpacked if they are compressed.
func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = plainText(text)
		return err
	}))
	require.NotEmpty(t, files, dir)
	return files
}

func keysOf(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
