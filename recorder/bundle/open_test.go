package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/bundle/bundletest"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T, path string) *Opened {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	o, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, o.Close())
		require.NoDirExists(t, o.temp)
	})
	return o
}

func TestOpen(t *testing.T) {
	other := "01JDZX3M9V5T6Q2W8R4Y7B1N0D"
	storage := t.TempDir()
	incidents := filepath.Join(storage, incidentsDir)
	o := bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 20}
	one, _ := bundletest.Write(t, incidents, o)
	o.ID = other
	bundletest.Write(t, incidents, o)
	require.NoError(t, os.WriteFile(filepath.Join(storage, "lock"), nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(incidents, "half-written", "nodes"), 0o700))

	d, err := OpenDir(one)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "any name.tar.gz")
	require.NoError(t, os.WriteFile(file, write(t, d, Options{}), 0o600))
	unpacked := t.TempDir()
	require.NoError(t, extract(t.Context(), file, unpacked, defaultExtractLimits))

	f := func(path string, want ...string) {
		t.Helper()
		opened := open(t, path)
		require.Empty(t, opened.Problems)
		var ids []string
		for _, d := range opened.Incidents {
			ids = append(ids, d.Incident().ID)
			got, ok := opened.Get(d.Incident().ID)
			require.True(t, ok)
			require.Same(t, d, got)
			require.Contains(t, d.Readme(t.Context()), "# Incident "+d.Incident().ID)
		}
		require.Equal(t, want, ids)
		dirs, err := opened.Blocks(t.Context())
		require.NoError(t, err)
		require.Empty(t, opened.Problems)
		require.Len(t, dirs, 2*len(want))
		for _, dir := range dirs {
			points, _ := blockstest.Read(t, dir)
			require.NotEmpty(t, points)
		}
	}
	f(one, bundletest.ID)
	f(incidents, bundletest.ID, other)
	f(storage, bundletest.ID, other)
	f(file, bundletest.ID)
	f(unpacked, bundletest.ID)
	f(filepath.Join(unpacked, Root(bundletest.ID)), bundletest.ID)
	_, ok := open(t, one).Get("01JDZX3M9V5T6Q2W8R4Y7B1N0A")
	require.False(t, ok)
}

// TestManyJournals: of many incidents of an agent the newest ones are made blocks.
func TestManyJournals(t *testing.T) {
	dir := t.TempDir()
	for n, id := range []string{"01JDZX3M9V5T6Q2W8R4Y7B1N0A", "01JDZX3M9V5T6Q2W8R4Y7B1N0B", "01JDZX3M9V5T6Q2W8R4Y7B1N0C"} {
		one, i := bundletest.Write(t, dir, bundletest.Options{ID: id, Windows: []string{"data-0"}})
		if n > 0 {
			for f := range i.Nodes[0].Files {
				i.Nodes[0].Files[f].Bytes += maxConverted / 2 // As the document has it.
			}
			bundletest.Save(t, one, i)
		}
	}
	o := open(t, dir)
	dirs, err := o.Blocks(t.Context())
	require.NoError(t, err)
	require.Len(t, dirs, 2)
	require.Len(t, o.Problems, 1)
	require.Contains(t, o.Problems[0], "1 node of older incidents")
}

func TestOpenWhatIsNone(t *testing.T) {
	f := func(want, path string) {
		t.Helper()
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		_, err := Open(t.Context(), path)
		require.ErrorContains(t, err, want)
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		require.Empty(t, left)
	}
	dir := t.TempDir()
	f("no such file", filepath.Join(dir, "x"))
	f("has no incident", dir)
	file := filepath.Join(dir, "x")
	require.NoError(t, os.WriteFile(file, []byte("no gzip"), 0o600))
	f("it is no bundle", file)
	require.NoError(t, os.WriteFile(filepath.Join(dir, documentName), []byte("{}"), 0o600))
	f("no ULID", dir)
	d := incidentDir(t, bundletest.Options{Blocks: []string{"data-0"}})
	whole := write(t, d, Options{})
	require.NoError(t, os.WriteFile(file, whole[:len(whole)-100], 0o600))
	f("it is not whole", file)
}

// member is an entry of an archive.
type member struct {
	name, link string
	kind       byte
	content    string
}

func archiveOf(t *testing.T, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		if m.kind == 0 {
			m.kind = tar.TypeReg
		}
		require.NoError(t, w.WriteHeader(&tar.Header{Name: m.name, Linkname: m.link, Typeflag: m.kind, Size: int64(len(m.content)), Mode: 0o644}))
		_, err := w.Write([]byte(m.content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	file := filepath.Join(t.TempDir(), "x.tar.gz")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	return file
}

// TestHostileBundles: nothing is written outside the directory, on any system.
func TestHostileBundles(t *testing.T) {
	root := Root(bundletest.ID)
	good := member{name: root + "/README.md", content: "x"}
	f := func(want string, limits extractLimits, members ...member) {
		t.Helper()
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		require.NoError(t, os.Mkdir(dir, 0o700))
		err := extract(t.Context(), archiveOf(t, members...), dir, limits)
		require.ErrorContains(t, err, want)
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	}
	for _, name := range []string{"/etc/passwd", "../x", root + "/../../x", root + "/a/../../../x", root + "//x", root + "/./x", `C:\x`, root + `/a\b`, root + "/C:x", root + "/a:stream",
		root + "/CON", root + "/nul.txt", root + "/a/com1.log", root + "/x.", root + "/x ", root + "/é", root + "/" + strings.Repeat("a", 201), root + "/" + strings.Repeat("a/", 300) + "b"} {
		f("no name that a file of a bundle may have", defaultExtractLimits, good, member{name: name, content: "x"})
	}
	f("neither a file nor a directory", defaultExtractLimits, member{name: root + "/a", kind: tar.TypeSymlink, link: "/etc"}, member{name: root + "/a/b", content: "x"})
	f("neither a file nor a directory", defaultExtractLimits, member{name: root + "/a", kind: tar.TypeLink, link: "/etc/passwd"})
	f("neither a file nor a directory", defaultExtractLimits, member{name: root + "/a", kind: tar.TypeFifo})
	f("neither a file nor a directory", defaultExtractLimits, member{name: root + "/a", kind: tar.TypeChar})
	f("not in the directory of an incident", defaultExtractLimits, member{name: "x", content: "x"})
	f("not in the directory of an incident", defaultExtractLimits, member{name: rootPrefix + "x/y", content: "x"})
	f("not in the directory of an incident", defaultExtractLimits, member{name: root, content: "x"})
	f("not in the directory of an incident", defaultExtractLimits, good, member{name: Root("01JDZX3M9V5T6Q2W8R4Y7B1N0D") + "/x", content: "x"})
	f("twice", defaultExtractLimits, good, good)
	f("letter cases", defaultExtractLimits, good, member{name: root + "/readme.MD", content: "y"})
	f("letter cases", defaultExtractLimits, member{name: root + "/nodes/a/x"}, member{name: root + "/Nodes/b/x"})
	f("twice", defaultExtractLimits, member{name: root + "/a"}, member{name: root + "/a/b"})
	f("it is no bundle", defaultExtractLimits)
	f("more than 0 MiB", extractLimits{bytes: 100, files: 10, ratio: 1000, ratioFrom: 100}, member{name: root + "/a", content: strings.Repeat("x", 60)}, member{name: root + "/b", content: strings.Repeat("x", 60)})
	f("more than 1 MiB", extractLimits{bytes: 1 << 30, files: 10, ratio: 200, ratioFrom: 1 << 20}, member{name: root + "/a", content: strings.Repeat("\x00", 3<<20)})
	f("more than 3 files", extractLimits{bytes: 1 << 30, files: 3, ratio: 200, ratioFrom: 1 << 20}, good, member{name: root + "/a/b"}, member{name: root + "/a/c"})
}

// TestLinksAreNotFollowed: a directory that was unpacked by another program may have links.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, i := bundletest.Write(t, t.TempDir(), bundletest.Options{Blocks: []string{"data-0"}})
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("x"), 0o600))
	config := filepath.Join(dir, "nodes", "data-0", "config.json")
	require.NoError(t, os.Remove(config))
	if err := os.Symlink(secret, config); err != nil {
		t.Skip("no links here: ", err)
	}
	d, err := OpenDir(dir)
	require.NoError(t, err)
	_, _, err = d.Open(i.Nodes[0].Dir + "/config.json")
	require.Error(t, err)
	for _, path := range []string{"../x", "/etc/passwd", `nodes\data-0`, "nodes/data-0", ""} {
		_, _, err = d.Open(path)
		require.Error(t, err, path)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add([]byte("fodc-incident-01JDZX3M9V5T6Q2W8R4Y7B1N0C/README.md"), []byte("x"))
	f.Add([]byte("../x"), []byte("x"))
	f.Fuzz(func(t *testing.T, name, content []byte) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		if w.WriteHeader(&tar.Header{Name: string(name), Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}) != nil {
			return
		}
		_, _ = w.Write(content)
		_, _ = w.Close(), z.Close()
		parent := t.TempDir()
		file, dir := filepath.Join(parent, "x"), filepath.Join(parent, "in")
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
		require.NoError(t, os.Mkdir(dir, 0o700))
		_ = extract(context.Background(), file, dir, defaultExtractLimits)
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		require.Len(t, entries, 2)
	})
}
