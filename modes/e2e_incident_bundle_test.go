//go:build e2e && linux

package modes_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/stretchr/testify/require"
)

// exportedBundle is an unpacked bundle.
type exportedBundle struct {
	t        *testing.T
	dir      string
	readme   string
	incident messages.Incident
}

// exportBundle exports a bundle with the command, and unpacks it with tar alone.
func exportBundle(t *testing.T, addr, id string, args ...string) *exportedBundle {
	t.Helper()
	file, dir := filepath.Join(t.TempDir(), "bundle.tar.gz"), t.TempDir()
	out, err := exec.Command(binary, append([]string{"incidents", "export", "--proxy-url", "http://" + addr, "-o", file}, append(args, id)...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, command("tar", "-xzf", file, "-C", dir))
	roots, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, roots, 1)
	b := &exportedBundle{t: t, dir: filepath.Join(dir, roots[0].Name())}
	b.readme = b.read("README.md")
	b.incident, err = messages.ParseIncident([]byte(b.read("incident.json")))
	require.NoError(t, err)
	sums := exec.Command("sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS")
	sums.Dir = b.dir
	out, err = sums.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return b
}

func (b *exportedBundle) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	require.NoError(b.t, err)
	return string(text)
}

// requireReadable looks at each file with the tools that people have, and requires that nothing tells a secret.
func (b *exportedBundle) requireReadable() {
	t := b.t
	t.Helper()
	require.Contains(t, b.readme, b.incident.Summary)
	profiles, blocks := 0, 0
	require.NoError(t, filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && d.Name() == "block":
			out, err := exec.Command("promtool", "tsdb", "list", path).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "01", "%s: no block", path)
			blocks++
		case strings.HasSuffix(path, ".pb.gz"):
			out, err := exec.Command("go", "tool", "pprof", "-raw", path).CombinedOutput()
			require.NoError(t, err, "%s: %s", path, out)
			profiles++
		case !d.IsDir():
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.False(t, bytes.Contains(text, []byte("hunter2")), "%s has a secret", path)
		}
		return nil
	}))
	require.Positive(t, blocks)
	t.Logf("%d blocks and %d profiles can be read", blocks, profiles)
}

// node returns a node of the incident.
func (b *exportedBundle) node(id string) *messages.IncidentNode {
	b.t.Helper()
	i := slices.IndexFunc(b.incident.Nodes, func(n messages.IncidentNode) bool { return n.NodeID == id })
	require.GreaterOrEqual(b.t, i, 0, "%s is not in the incident", id)
	return &b.incident.Nodes[i]
}

// what returns of which kind a node has files, and which are missing, with the reasons.
func (b *exportedBundle) what(id string) (has []string, missing map[string]string) {
	n := b.node(id)
	missing = map[string]string{}
	for _, f := range n.Files {
		has = append(has, f.What)
	}
	for _, m := range n.Missing {
		missing[m.What] = m.Reason
	}
	slices.Sort(has)
	return slices.Compact(has), missing
}

// requireEvidence requires that a node has each kind of evidence, or says why not.
func (b *exportedBundle) requireEvidence(id string, kinds ...string) {
	b.t.Helper()
	has, missing := b.what(id)
	for _, kind := range kinds {
		if !slices.Contains(has, kind) && missing[kind] == "" {
			b.t.Errorf("%s has neither %s nor a reason for that: %q, %q", id, kind, has, missing)
		}
	}
}

// samplesOf returns the times of the samples of a series in a node's block, as promtool dumps them.
func (b *exportedBundle) samplesOf(id, series string) (times []time.Time) {
	b.t.Helper()
	out, err := exec.Command("promtool", "tsdb", "dump", filepath.Join(b.dir, b.node(id).Dir, "block")).Output()
	require.NoError(b.t, err)
	for line := range strings.Lines(string(out)) {
		if labels, rest, ok := strings.Cut(line, "} "); ok && strings.Contains(labels, `"`+series+`"`) {
			var value float64
			var at int64
			_, err := fmt.Sscan(rest, &value, &at)
			require.NoError(b.t, err, line)
			times = append(times, time.UnixMilli(at))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// checkBundle returns an error if a bundle is not whole: each file has its sum, and is as its document says. One that
// could not be read has to be in MISSING.md, and whole says that there is none.
func checkBundle(b []byte, whole bool) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	files, in := map[string][]byte{}, tar.NewReader(z)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		_, name, _ := strings.Cut(h.Name, "/")
		if files[name], err = io.ReadAll(in); err != nil {
			return err
		}
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(files["SHA256SUMS"])) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		sums[name] = sum
	}
	for name, content := range files {
		if sum := sha256.Sum256(content); name != "SHA256SUMS" && sums[name] != hex.EncodeToString(sum[:]) {
			return fmt.Errorf("%s: the sum is not %q", name, sums[name])
		}
	}
	missing := string(files["MISSING.md"])
	if whole && missing != "" {
		return fmt.Errorf("files are missing: %s", missing)
	}
	i, err := messages.ParseIncident(files["incident.json"])
	if err != nil {
		return err
	}
	for n := range i.Nodes {
		for _, f := range i.Nodes[n].Files {
			if content, has := files[f.Path]; (!has || !isFile(content, f)) && !strings.Contains(missing, f.Path) {
				return fmt.Errorf("%s is not as the document says", f.Path)
			}
		}
	}
	return nil
}
