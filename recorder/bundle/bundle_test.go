package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/bundle/bundletest"
	"fodc/recorder/changes"

	"github.com/stretchr/testify/require"
)

// entry is a file of a bundle.
type entry struct {
	name    string
	content []byte
	at      time.Time
	isDir   bool
}

func read(t *testing.T, b []byte) (all []entry) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, z)
			require.NoError(t, err)
			return all
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		name, ok := strings.CutPrefix(h.Name, Root(bundletest.ID)+"/")
		require.True(t, ok, h.Name)
		all = append(all, entry{name, content, h.ModTime, h.Typeflag == tar.TypeDir})
	}
}

func names(all []entry) (n []string) {
	for _, e := range all {
		n = append(n, e.name)
	}
	return n
}

func contentOf(t *testing.T, all []entry, name string) string {
	t.Helper()
	at := slices.IndexFunc(all, func(e entry) bool { return e.name == name })
	require.GreaterOrEqual(t, at, 0, "%s is not among %q", name, names(all))
	return string(all[at].content)
}

// checkSums compares the sums with the files, all of which have one but the sums and those of the set.
func checkSums(t *testing.T, all []entry, wrong ...string) {
	t.Helper()
	sums := map[string]string{}
	for line := range strings.Lines(contentOf(t, all, sumsName)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		require.True(t, ok)
		sums[name] = sum
	}
	for _, e := range all {
		if e.name == sumsName || e.isDir {
			continue
		}
		sum := sha256.Sum256(e.content)
		require.Equal(t, slices.Contains(wrong, e.name), sums[e.name] != hex.EncodeToString(sum[:]), e.name)
		delete(sums, e.name)
	}
	require.Empty(t, sums)
}

func write(t *testing.T, src Source, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(t.Context(), &b, src, o))
	return b.Bytes()
}

func incidentDir(t *testing.T, o bundletest.Options) *Dir {
	t.Helper()
	dir, _ := bundletest.Write(t, t.TempDir(), o)
	d, err := OpenDir(dir)
	require.NoError(t, err)
	return d
}

func TestChanges(t *testing.T) {
	for _, o := range []bundletest.Options{
		{Blocks: []string{"data-0", "data-1"}, Series: 200}, {Windows: []string{"data-0", "data-1"}, Series: 200}, {Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 200},
	} {
		d := incidentDir(t, o)
		for _, src := range []Source{d, &plainSource{d}} { // The second one has no directory, and gives no access at an offset.
			r, err := Changes(t.Context(), src)
			require.NoError(t, err)
			require.Empty(t, r.Unread)
			require.Len(t, r.Changes, 1)
			c := r.Changes[0]
			require.Equal(t, "process_resident_memory_bytes", c.Family)
			require.Equal(t, []string{"data-0", "data-1"}, c.Nodes)
			require.WithinDuration(t, bundletest.First, c.At, 20*time.Second)
			require.Empty(t, c.Labels)
			require.InDelta(t, 500e6, c.From, 20e6)
			require.Len(t, r.Limits, 2)
			require.Equal(t, 1.7e9, r.Limits[0].Limit)
			require.Equal(t, 406, r.Series)
			same, err := Changes(t.Context(), d)
			require.NoError(t, err)
			require.Equal(t, same, r)
		}
	}
}

// The samples of a journal's segment take no temporary files.
func TestChangesWithoutTemporaryFiles(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Windows: []string{"data-0"}, Series: 20})
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	r, err := Changes(t.Context(), d)
	require.NoError(t, err)
	require.Empty(t, r.Unread)
	require.Len(t, r.Changes, 1)
	r, err = Changes(t.Context(), &plainSource{d})
	require.NoError(t, err)
	require.Len(t, r.Unread, 1) // It gives no access at an offset, so it is copied.
}

// plainSource has what a Source must have, and no more.
type plainSource struct{ of Source }

func (s *plainSource) Incident() *messages.Incident { return s.of.Incident() }

func (s *plainSource) Open(path string) (io.ReadCloser, int64, error) {
	f, n, err := s.of.Open(path)
	return struct{ io.ReadCloser }{f}, n, err
}

func TestBundle(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 20, LogBytes: 5000})
	all := read(t, write(t, d, Options{}))
	require.Equal(t, []string{readmeName, documentName, changesName}, names(all)[:3])
	require.Equal(t, sumsName, all[len(all)-1].name)
	checkSums(t, all)
	for _, e := range all {
		require.Equal(t, d.Incident().FrozenAt, e.at.UTC())
	}
	for _, n := range d.Incident().Nodes {
		for _, f := range n.Files {
			require.Len(t, contentOf(t, all, f.Path), int(f.Bytes))
		}
		require.Contains(t, names(all), n.Dir+"/block/wal/")
	}
	require.NotContains(t, names(all), missingName)
	i, err := messages.ParseIncident([]byte(contentOf(t, all, documentName)))
	require.NoError(t, err)
	require.Equal(t, d.Incident().ID, i.ID)
	var r changes.Report
	require.NoError(t, json.Unmarshal([]byte(contentOf(t, all, changesName)), &r))
	require.Len(t, r.Changes, 1)
	readme := contentOf(t, all, readmeName)
	for _, want := range []string{"Resident memory of the node is 93 % of its limit.", "2026-03-01 03:12:00 UTC", "data-1", "`process_resident_memory_bytes` went up", "MiB | 1.392 GiB |", "permission denied",
		"timeout", "go tool pprof -http=: nodes/data-0/profiles/heap.pb.gz", "promtool tsdb list nodes/data-0/block", "fodc view"} {
		require.Contains(t, readme, want)
	}
	some := read(t, write(t, d, Options{Nodes: []string{"data-1"}}))
	require.False(t, slices.ContainsFunc(some, func(e entry) bool { return strings.Contains(e.name, "data-0") }))
	checkSums(t, some)
	require.ErrorContains(t, Write(t.Context(), io.Discard, d, Options{Nodes: []string{"data-9"}}), "data-9")
}

// TestSameBundle: the same incident gives the same bytes.
func TestSameBundle(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0", "data-1"}, Series: 20, LogBytes: 5000})
	require.Equal(t, write(t, d, Options{}), write(t, d, Options{}))
}

// failing is a source of which some files cannot be read, or not to their end.
type failing struct {
	Source
	fails map[string]func(io.ReadCloser) (io.ReadCloser, error)
}

func (s *failing) Open(path string) (io.ReadCloser, int64, error) {
	f, n, err := s.Source.Open(path)
	if fail := s.fails[path]; fail != nil && err == nil {
		f, err = fail(f)
	}
	return f, n, err
}

var errDisk = errors.New("the disk is gone")

// TestDamage: a file that cannot be read costs that file alone.
func TestDamage(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0", "data-1"}, Series: 20, LogBytes: maxBuffered + 100_000})
	gone := func(io.ReadCloser) (io.ReadCloser, error) { return nil, errDisk }
	breaks := func(f io.ReadCloser) (io.ReadCloser, error) {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(f, 5), &brokenReader{}), f}, nil
	}
	other := func(f io.ReadCloser) (io.ReadCloser, error) { // Of the same length.
		_, err := io.CopyN(io.Discard, f, 3)
		require.NoError(t, err)
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(strings.NewReader("xxx"), f), f}, nil
	}
	const at = "nodes/data-0/"
	var index string
	for _, f := range d.Incident().Nodes[1].Files {
		if strings.HasSuffix(f.Path, "/index") {
			index = f.Path
		}
	}
	src := &failing{&plainSource{d}, map[string]func(io.ReadCloser) (io.ReadCloser, error){
		at + "config.json": gone, at + "events.json": breaks, at + "process/status.txt": other, at + "logs/node.log": breaks, "nodes/data-1/logs/node.log": other, index: breaks,
	}}
	all := read(t, write(t, src, Options{}))
	checkSums(t, all, at+"logs/node.log", "nodes/data-1/logs/node.log")
	missing := contentOf(t, all, missingName)
	for _, path := range []string{at + "config.json", at + "events.json", at + "process/status.txt", at + "logs/node.log", "nodes/data-1/logs/node.log", index} {
		require.Contains(t, missing, path)
	}
	for _, path := range []string{at + "config.json", at + "events.json", at + "process/status.txt", index} {
		require.NotContains(t, names(all), path)
	}
	log := contentOf(t, all, at+"logs/node.log")
	require.Equal(t, strings.Repeat("\x00", maxBuffered+100_000-5), log[5:])
	require.Len(t, names(all), len(slices.Compact(slices.Sorted(slices.Values(names(all))))))
	require.Contains(t, contentOf(t, all, readmeName), "data-1: what changed: block")
	require.Contains(t, contentOf(t, all, "nodes/data-1/config.json"), "{}")
	require.Contains(t, contentOf(t, all, readmeName), "`process_resident_memory_bytes` went up", "data-0 is whole")
}

type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, errDisk }

// TestEnds: an end of the context or of the client ends the bundle, and leaves nothing behind.
func TestEnds(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Windows: []string{"data-0"}, Series: 20})
	temp := t.TempDir()
	src := &inTemp{d, temp}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Write(ctx, io.Discard, src, Options{}), context.Canceled)
	require.ErrorIs(t, Write(t.Context(), &fullWriter{left: 3000}, src, Options{}), errDisk)
	require.ErrorIs(t, Write(t.Context(), &fullWriter{left: 3000}, src, Options{Lite: true}), errDisk)
	require.NoError(t, Write(t.Context(), io.Discard, src, Options{}))
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left)
}

type inTemp struct {
	Source
	dir string
}

func (s *inTemp) TempDir() string { return s.dir }

type fullWriter struct{ left int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestLite(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 300, LogBytes: 300_000})
	b := write(t, d, Options{Lite: true})
	all := read(t, b)
	checkSums(t, all)
	i, err := messages.ParseIncident([]byte(contentOf(t, all, documentName)))
	require.NoError(t, err)
	dir := t.TempDir()
	for _, n := range i.Nodes {
		kinds := map[string]bool{}
		for _, f := range n.Files {
			content := contentOf(t, all, f.Path)
			require.Len(t, content, int(f.Bytes))
			kinds[f.What] = true
			file := filepath.Join(dir, filepath.FromSlash(f.Path))
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		}
		require.Equal(t, map[string]bool{messages.EvidenceMetrics: true, messages.EvidenceNodeLog: true, messages.EvidenceEvents: true, messages.EvidenceConfig: true, messages.EvidenceProcess: true}, kinds)
		points, _ := blockstest.Read(t, filepath.Join(dir, filepath.FromSlash(n.Dir), "block"))
		require.NotEmpty(t, points)
		for p := range points {
			require.Contains(t, p.Series, "process_resident_memory_bytes")
		}
		require.Contains(t, n.Missing[len(n.Missing)-1].Reason, "small bundle")
	}
}

// TestLiteIsSmall: many nodes, with more than fits.
func TestLiteIsSmall(t *testing.T) {
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0"}, Series: 50, LogBytes: 450_000})
	i := d.Incident().Clone()
	first := i.Nodes[0]
	i.Nodes = nil
	paths := map[string]string{}
	for n := range 30 {
		node := first
		node.NodeID = fmt.Sprintf("data-%d", n)
		node.Dir = messages.EvidenceDir(node.NodeID)
		node.Files = slices.Clone(first.Files)
		node.Missing = []messages.EvidenceMissing{{What: "x", Reason: strings.Repeat("y", 2000)}}
		for f := range node.Files {
			path := node.Dir + strings.TrimPrefix(first.Files[f].Path, first.Dir)
			paths[path] = first.Files[f].Path
			node.Files[f].Path = path
		}
		i.Nodes = append(i.Nodes, node)
	}
	for n := range messages.MaxIncidentEvents {
		i.Timeline = append(i.Timeline, messages.IncidentEvent{At: bundletest.First, NodeID: "data-0", Kind: "log", Text: fmt.Sprint(n, strings.Repeat("z", 1900))})
	}
	b := write(t, &many{d, &i, paths}, Options{Lite: true})
	require.Less(t, len(b), 10<<20)
	all := read(t, b)
	checkSums(t, all)
	raw := 0
	for _, e := range all {
		raw += len(e.content)
	}
	require.Less(t, raw, 10<<20, "also if nothing of it could be compressed")
	_, err := messages.ParseIncident([]byte(contentOf(t, all, documentName)))
	require.NoError(t, err)
	for n := range 10 {
		require.Contains(t, names(all), fmt.Sprintf("nodes/data-%d/config.json", n))
	}
}

// TestLiteHasTheEndsOfLogs: of a log that is larger than its part it has the end, those of the nodes with problems first.
func TestLiteHasTheEndsOfLogs(t *testing.T) {
	var log strings.Builder
	for n := 0; log.Len() < 1<<20; n++ {
		fmt.Fprintf(&log, "line %d %s\n", n, strings.Repeat("x", n%200))
	}
	sum := sha256.Sum256([]byte(log.String()))
	i := &messages.Incident{Version: messages.IncidentVersion, ID: bundletest.ID, Kind: messages.IncidentRule, State: messages.IncidentFrozen, FirstOccurrence: bundletest.First}
	for n := range 40 {
		id := fmt.Sprintf("data-%02d", n)
		node := messages.IncidentNode{NodeID: id, Kind: messages.IncidentContext, State: messages.IncidentFrozen, Dir: messages.EvidenceDir(id)}
		if n == 39 {
			node.Kind = messages.IncidentRule
		}
		node.Files = []messages.EvidenceFile{{Path: node.Dir + "/logs/node.log", What: messages.EvidenceNodeLog, Bytes: int64(log.Len()), SHA256: hex.EncodeToString(sum[:])}}
		i.Nodes = append(i.Nodes, node)
	}
	b := write(t, &oneText{i, log.String()}, Options{Lite: true})
	require.Less(t, len(b), 10<<20)
	all := read(t, b)
	checkSums(t, all)
	doc, err := messages.ParseIncident([]byte(contentOf(t, all, documentName)))
	require.NoError(t, err)
	logs := 0
	for _, n := range doc.Nodes {
		for _, f := range n.Files {
			logs++
			content := contentOf(t, all, f.Path)
			require.True(t, f.Truncated)
			require.Len(t, content, int(f.Bytes))
			require.True(t, strings.HasPrefix(content, "line "))
			require.True(t, strings.HasSuffix(log.String(), "\n"+content))
		}
	}
	require.Greater(t, logs, 20)
	require.Less(t, logs, 40)
	last := doc.Nodes[39]
	require.Len(t, last.Files, 1, "a rule has fired there")
	require.Greater(t, last.Files[0].Bytes, int64(250<<10))
}

// oneText is a source all of whose files are the same.
type oneText struct {
	incident *messages.Incident
	text     string
}

func (o *oneText) Incident() *messages.Incident { return o.incident }

func (o *oneText) Open(string) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader(o.text)), int64(len(o.text)), nil
}

// TestLiteNamesWhatIsMissingInLittleRoom: of two hundred nodes of which all is missing.
func TestLiteNamesWhatIsMissingInLittleRoom(t *testing.T) {
	i := &messages.Incident{Version: messages.IncidentVersion, ID: bundletest.ID, Kind: messages.IncidentRule, State: messages.IncidentFrozen, FirstOccurrence: bundletest.First}
	for n := range messages.MaxIncidentNodes {
		id := fmt.Sprintf("data-%d", n)
		node := messages.IncidentNode{NodeID: id, Kind: messages.IncidentContext, State: messages.IncidentFrozen, Dir: messages.EvidenceDir(id)}
		for m := range messages.MaxEvidenceMissing {
			node.Missing = append(node.Missing, messages.EvidenceMissing{What: fmt.Sprint("what ", m), Reason: strings.Repeat("y", messages.MaxIncidentText)})
		}
		i.Nodes = append(i.Nodes, node)
	}
	i.Timeline = []messages.IncidentEvent{{At: bundletest.First, Kind: "log", Text: "a"}, {At: bundletest.First, Kind: "log", Text: "b"}, {At: bundletest.First, Kind: "log", Text: "c"}}
	all := read(t, write(t, &oneText{incident: i}, Options{Lite: true}))
	require.LessOrEqual(t, len(contentOf(t, all, documentName)), liteDocuments)
	doc, err := messages.ParseIncident([]byte(contentOf(t, all, documentName)))
	require.NoError(t, err)
	require.Len(t, doc.Timeline, 3)
	for _, n := range doc.Nodes {
		require.Equal(t, "what 0", n.Missing[0].What)
		require.Equal(t, "99 others", n.Missing[1].What)
	}
}

// many is a source with the files of one node for many.
type many struct {
	of       Source
	incident *messages.Incident
	paths    map[string]string
}

func (m *many) Incident() *messages.Incident { return m.incident }

func (m *many) Open(path string) (io.ReadCloser, int64, error) { return m.of.Open(m.paths[path]) }

// TestLargeFileIsStreamed: of a file that is large no more than a piece is in memory.
func TestLargeFileIsStreamed(t *testing.T) {
	i := &messages.Incident{Version: 1, ID: bundletest.ID, Nodes: []messages.IncidentNode{{NodeID: "n", Dir: "nodes/n",
		Files: []messages.EvidenceFile{{Path: "nodes/n/big", What: messages.EvidenceCrash, Bytes: 1 << 28}}}}}
	src := &endless{incident: i}
	require.NoError(t, Write(t.Context(), io.Discard, src, Options{}))
	require.LessOrEqual(t, src.largest, 64<<10)
	require.GreaterOrEqual(t, src.read, int64(1<<28))
}

// endless is a source whose file is zeros.
type endless struct {
	incident *messages.Incident
	largest  int
	read     int64
}

func (e *endless) Incident() *messages.Incident              { return e.incident }
func (e *endless) Open(string) (io.ReadCloser, int64, error) { return e, 1 << 28, nil }
func (e *endless) Close() error                              { return nil }
func (e *endless) Read(p []byte) (int, error) {
	e.largest = max(e.largest, len(p))
	n := int(min(int64(len(p)), 1<<28-e.read))
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	e.read += int64(n)
	return n, nil
}

// TestMarkdown: what a stranger says changes nothing of a README but its own words.
func TestMarkdown(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		require.Equal(t, want, plain(text))
	}
	f("a b", "a\nb")
	f(`\| a \|`, "| a |")
	f(`\<script\>`, "<script>")
	f(`\[x\](y)`, "[x](y)")
	f("a\uFFFDb", "a\x1bb")
	f("a\uFFFDb", "a\u202eb")
	f("a\uFFFD", "a\xff")
	require.Equal(t, "`a'\\|b`", code("a`|b"))
	require.LessOrEqual(t, len(plain(strings.Repeat("é", 1000))), maxText+4)
	i := &messages.Incident{ID: bundletest.ID, Summary: "x\n# y\n\n| z |", Timeline: []messages.IncidentEvent{{Text: "a\n## b"}}}
	text := readme(i, &changes.Report{})
	require.NotContains(t, text, "\n# y")
	require.NotContains(t, text, "\n## b")
}

// TestChurnIsLast: what comes and goes all the time stands below all that left its course.
func TestChurnIsLast(t *testing.T) {
	churn := []changes.Churn{{By: []string{"device"}, Ended: 8, Began: 16, Nodes: []string{"data-0", "data-1"}, Families: []string{"node_network_up"}}}
	want := "8 series ended and 16 series began while others of the same metrics went on, as devices come and go (`device`). Such as `node_network_up`.\n\n"
	i := &messages.Incident{ID: bundletest.ID}
	for _, all := range [][]changes.Change{nil, {{Family: "errors_total", Name: "errors_total"}}} {
		text := readme(i, &changes.Report{Changes: all, Churn: churn})
		_, below, ok := strings.Cut(text, "On data-0 and 1 more, from ")
		require.True(t, ok, text)
		require.Contains(t, below, want)
		require.NotContains(t, below, "errors_total")
	}
}

// TestOtherTools reads a bundle with tar and sha256sum.
func TestOtherTools(t *testing.T) {
	for _, tool := range []string{"tar", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not here")
		}
	}
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 20})
	dir := t.TempDir()
	file := filepath.Join(dir, "b.tar.gz")
	require.NoError(t, os.WriteFile(file, write(t, d, Options{}), 0o600))
	run := func(in, name string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = in
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	run(dir, "tar", "xzf", file)
	root := filepath.Join(dir, Root(bundletest.ID))
	require.NotContains(t, run(root, "sha256sum", "-c", sumsName), "FAILED")
}
