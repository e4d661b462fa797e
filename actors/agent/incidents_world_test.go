package agent

import (
	"context"

	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/agent/capture"
	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// testRules fire on the node's page: MemoryHigh while g{a="1"} is above 5, DiskHigh while g{a="2"} is, and Restarted
// after a start of the node's process.
const testRules = `
groups:
- name: test
  rules:
  - alert: MemoryHigh
    expr: g{a="1"} > 5
    labels: {severity: critical}
    annotations: {summary: 'memory is at {{ $value }}'}
  - alert: DiskHigh
    expr: g{a="2"} > 5
    annotations: {summary: 'disk is at {{ $value }}'}
  - alert: Restarted
    expr: changes(process_start_time_seconds[3m]) > 0
    annotations: {summary: 'the process was started again'}
`

// incidentsWorld is a world whose agent has incidents, a journal, and a directory for the evidence.
type incidentsWorld struct {
	*journalWorld
	evidence *breakableFS
	rules    string // the file
	steps    []capture.Step
}

// page is the node's page.
func page(memory, disk string) string {
	return "# TYPE g gauge\ng{a=\"1\"} " + memory + "\ng{a=\"2\"} " + disk + "\n"
}

// inIncidents runs the test in a bubble. The agent is not started.
func inIncidents(t *testing.T, test func(t *testing.T, w *incidentsWorld)) {
	inJournalWorld(t, func(t *testing.T, inner *journalWorld) {
		w := &incidentsWorld{journalWorld: inner, evidence: &breakableFS{FS: evidence.NewMemory(256 << 20)}, rules: filepath.Join(t.TempDir(), "rules.yaml")}
		require.NoError(t, os.WriteFile(w.rules, []byte(testRules), 0o600))
		w.node.serve(page("1", "1"), nil)
		w.steps = []capture.Step{textStep("profile/heap", "profiles/heap.pb.gz", "heap", true), textStep("process", "process/status.txt", "status", false)}
		load := func() (*rules.Set, error) { return rules.Load(false, []string{w.rules}) }
		set, err := load()
		require.NoError(t, err)
		w.cfg.Incidents = &IncidentsConfig{Before: 10 * time.Minute, After: 2 * time.Minute, CoolDown: 10 * time.Minute, MaxDuration: 15 * time.Minute,
			Rules: set, RuleFiles: []string{w.rules}, LoadRules: load, FS: w.evidence, Dir: "storage",
			steps: func(c capture.Config) []capture.Step {
				all := []capture.Step{}
				for _, s := range w.steps {
					if !c.Have(s.Path) {
						all = append(all, s)
					}
				}
				return append(all, followStep(c.Frozen))
			},
			endSteps: func(capture.Config) []capture.Step { return nil }}
		test(t, w)
	})
}

func textStep(what, path, text string, heavy bool) capture.Step {
	return capture.Step{What: what, Path: path, Limit: 1 << 20, Timeout: 5 * time.Second, Heavy: heavy, Run: func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}}
}

// followStep writes a line, and another one at the end of the incident.
func followStep(frozen <-chan struct{}) capture.Step {
	return capture.Step{What: messages.EvidenceNodeLog, Path: "logs/node.log", Limit: 1 << 20, Timeout: 5 * time.Second, Parts: true, Until: frozen, Run: func(ctx context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "begin\n")
		select {
		case <-frozen:
		case <-ctx.Done():
		}
		_, err := io.WriteString(w, "end\n")
		return err
	}}
}

// breakableFS is a directory whose writes can fail, or hang until they may go on.
type breakableFS struct {
	evidence.FS
	mu    sync.Mutex
	err   error
	hangs chan struct{}
	named map[string]int // how often a file was given its name
}

// watch begins to count the files that are given their names.
func (f *breakableFS) watch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.named = map[string]int{}
}

func (f *breakableFS) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named[name]
}

func (f *breakableFS) Rename(from, to string) error {
	f.mu.Lock()
	if f.named != nil {
		f.named[filepath.Base(to)]++
	}
	f.mu.Unlock()
	return f.FS.Rename(from, to)
}

func (f *breakableFS) break_(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *breakableFS) Create(name string) (evidence.WriteFile, error) {
	if err := f.fails(); err != nil {
		return nil, err
	}
	return f.FS.Create(name)
}

func (f *breakableFS) List(dir string) ([]evidence.Entry, error) {
	if err := f.fails(); err != nil {
		return nil, err
	}
	return f.FS.List(dir)
}

func (f *breakableFS) fails() error {
	f.mu.Lock()
	err, hangs := f.err, f.hangs
	f.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
	return err
}

// list returns the incidents, newest first.
func (w *incidentsWorld) list() []*messages.Incident {
	w.t.Helper()
	list, err := w.agent.Incidents(w.t.Context())
	require.NoError(w.t, err)
	return list
}

// one returns the only incident.
func (w *incidentsWorld) one() *messages.Incident {
	w.t.Helper()
	list := w.list()
	require.Len(w.t, list, 1)
	return list[0]
}

// files returns the names of the files of an incident, without their directory.
func files(doc *messages.Incident) (names []string) {
	for _, f := range doc.Nodes[0].Files {
		names = append(names, strings.TrimPrefix(f.Path, doc.Nodes[0].Dir+"/"))
	}
	return names
}

// content returns a file of an incident.
func (w *incidentsWorld) content(doc *messages.Incident, name string) []byte {
	w.t.Helper()
	f, err := w.agent.OpenEvidence(w.t.Context(), doc.ID, doc.Nodes[0].Dir+"/"+name)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, f.Close()) }()
	content := make([]byte, f.Size())
	_, err = f.ReadAt(content, 0)
	if err != io.EOF {
		require.NoError(w.t, err)
	}
	return content
}

// window returns the times of the scrapes of the node that the evidence has, in seconds since the start of the test.
func (w *incidentsWorld) window(doc *messages.Incident) (seconds []int) {
	w.t.Helper()
	f, err := w.agent.OpenEvidence(w.t.Context(), doc.ID, doc.Nodes[0].Dir+"/"+windowFile)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, f.Close()) }()
	view, dir, err := journal.OpenSegment(f, f.Size())
	require.NoError(w.t, err)
	r := view.NewReader(dir, journal.Query{Selection: messages.Selection{Window: messages.Window{Start: time.Unix(0, 0), End: time.Now().Add(time.Hour)}, Names: []string{"g"}}})
	defer r.Close()
	for {
		blocks, err := r.Next(1 << 20)
		require.NoError(w.t, err)
		if len(blocks) == 0 {
			return seconds
		}
		for _, b := range blocks {
			for _, at := range b.Times {
				seconds = append(seconds, int(time.UnixMilli(at).Sub(w.start).Seconds()))
			}
		}
	}
}
