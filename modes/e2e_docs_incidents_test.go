//go:build e2e && linux

package modes_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// TestE2EIncidentsPage lets happen what docs/incidents.md has as its example, runs the commands of the page, and
// requires the answers to have the form that it shows.
func TestE2EIncidentsPage(t *testing.T) {
	t.Parallel()
	const limit = 256 << 20
	// A node may be short of memory for a while until the kernel ends it: that is one incident, too.
	longer := []string{"--incident-max-duration", "5m"}
	c := startShortOfMemory(t, longer, func(n *clusterNode) {
		n.more = slices.Concat(n.more, longer)
		if n.id == "data-0" {
			var peak func() string
			if n.by, peak = inMemoryLimit(t, limit); len(n.by) == 0 {
				t.Skip(peak())
			}
		}
	})
	n := c.node("data-0")
	n.control(fmt.Sprintf("grow=%d&until=%d", 8<<20, 1<<40))
	c.awaitIncident(2*time.Minute, messages.IncidentOpen)
	within(t, 3*time.Minute, "the kernel ends the node", func() error {
		if _, _, _, err := get(n.settings.Metrics, "/metrics"); err != nil {
			return nil
		}
		return fmt.Errorf("it still answers")
	})
	n.startNode()
	in := c.awaitIncident(6*time.Minute, messages.IncidentCollected)
	newPagePlayer(t, c, in).play("incidents.md")
}

// pagePlayer runs the commands of a page, which are about one incident.
type pagePlayer struct {
	t        *testing.T
	root     string // where the page begins
	dir      string // where the next command runs
	env      []string
	addr     string
	incident messages.Incident
	storage  string
}

func newPagePlayer(t *testing.T, c *incidentCluster, in messages.Incident) *pagePlayer {
	addr := c.args[3]
	dir := t.TempDir()
	return &pagePlayer{t: t, root: dir, dir: dir, addr: addr, incident: in, storage: c.storage,
		env: append(os.Environ(), "TZ=UTC", "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"), "FODC_INCIDENTS_PROXY_URL=http://"+addr, "FODC_QUERY_PROXY_URL=http://"+addr)}
}

var (
	consoles  = regexp.MustCompile("(?s)```console\n(.*?)```")
	pageFiles = regexp.MustCompile("(?s)```yaml\n# ([a-z_]+\\.yml)\n(.*?)```")
	pageID    = regexp.MustCompile(`fodc-incident-(01[0-9A-Z]{24})`)
	pageRamp  = regexp.MustCompile(`ramp-[0-9TZ.]+-heap\.pb\.gz`)
	pageTimes = regexp.MustCompile(`--start \S+Z --end \S+Z`)
	anyID     = regexp.MustCompile(`01[0-9A-Z]{24}`)
	hasDigits = regexp.MustCompile(`[0-9]`)
)

func (p *pagePlayer) play(name string) {
	t := p.t
	text, err := os.ReadFile("../docs/" + name)
	require.NoError(t, err)
	page := string(text)
	for _, m := range pageFiles.FindAllStringSubmatch(page, -1) {
		require.NoError(t, os.WriteFile(filepath.Join(p.root, m[1]), []byte(m[2]), 0o600))
	}
	shown := pageID.FindStringSubmatch(page)
	require.NotNil(t, shown)
	pairs := []string{shown[1], p.incident.ID, "localhost:17901", p.addr, "/var/lib/fodc", p.storage}
	ramps, err := filepath.Glob(filepath.Join(p.storage, "incidents", p.incident.ID, "nodes/data-0/profiles/ramp-*-heap.pb.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, ramps, "no profiles of a growing memory")
	page = pageRamp.ReplaceAllString(page, filepath.Base(ramps[len(ramps)-1]))
	page = strings.NewReplacer(pairs...).Replace(page)
	page = pageTimes.ReplaceAllString(page, "--start "+p.incident.From.Format(time.RFC3339)+" --end "+p.incident.To.Format(time.RFC3339))
	commands := 0
	for _, m := range consoles.FindAllStringSubmatch(page, -1) {
		for _, one := range strings.Split("\n"+m[1], "\n$ ")[1:] {
			command, answer, _ := strings.Cut(one, "\n")
			p.run(command, answer)
			commands++
		}
	}
	require.Greater(t, commands, 12)
}

// run runs a command, and compares its output with the lines of the page.
func (p *pagePlayer) run(command, answer string) {
	t := p.t
	if dir, is := strings.CutPrefix(command, "cd "); is {
		p.dir = filepath.Join(p.dir, dir)
		return
	}
	if file, is := strings.CutPrefix(command, "fodc view "); is {
		if !filepath.IsAbs(file) {
			file = filepath.Join(p.dir, file)
		}
		requireView(t, file, p.incident.ID)
		return
	}
	if strings.HasPrefix(command, "fodc incidents delete") { // One that is open cannot be.
		within(t, time.Minute, "all incidents are over", func() error {
			if body := page(t, p.addr, "/incidents?state=open"); strings.TrimSpace(body) != "[]" {
				return fmt.Errorf("%.300s", body)
			}
			return nil
		})
	}
	cmd := exec.Command("bash", "-o", "pipefail", "-c", strings.ReplaceAll(command, "curl -s ", "curl -sf "))
	cmd.Dir, cmd.Env = p.dir, p.env
	if strings.HasPrefix(command, "fodc rules ") {
		cmd.Dir = p.root
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, out)
	got := "\n" + squeeze(string(out))
	for line := range strings.Lines(answer) {
		line = squeeze(line)
		if line == "\n" || strings.HasPrefix(line, "...") || hasDigits.MatchString(line) || strings.Contains(line, "┬") {
			continue // Of another run.
		}
		require.Contains(t, got, "\n"+line, "%s\n%s", command, out)
	}
}

// squeeze makes one blank of several, and leaves out ids.
func squeeze(text string) string {
	var b strings.Builder
	for line := range strings.Lines(anyID.ReplaceAllString(text, "ID")) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}
