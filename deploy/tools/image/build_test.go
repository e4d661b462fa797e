package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stretchr/testify/require"
)

func made(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"amd64", "arm64"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("program of "+name), 0o600))
	}
	out := filepath.Join(dir, "image.tar")
	o := options{version: "v1.2.3", revision: "abc", created: time.Unix(1700000000, 0).UTC()}
	require.NoError(t, run(out, o, []string{"linux/amd64=" + filepath.Join(dir, "amd64"), "linux/arm64=" + filepath.Join(dir, "arm64")}))
	return out
}

// unpack writes the archive to a directory.
func unpack(t *testing.T, r io.Reader, dir string) {
	t.Helper()
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		name := filepath.Join(dir, filepath.FromSlash(h.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		if h.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(name, 0o700))
			continue
		}
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, text, 0o600))
	}
}

func TestImageIsTheSameEachTime(t *testing.T) {
	one, err := os.ReadFile(made(t))
	require.NoError(t, err)
	other, err := os.ReadFile(made(t))
	require.NoError(t, err)
	require.True(t, bytes.Equal(one, other))
}

func TestImage(t *testing.T) {
	f, err := os.Open(made(t))
	require.NoError(t, err)
	defer f.Close()
	dir := t.TempDir()
	unpack(t, f, dir)
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	top, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, top.Manifests, 1)
	require.Equal(t, "v1.2.3", top.Manifests[0].Annotations["org.opencontainers.image.ref.name"])
	inner, err := index.ImageIndex(top.Manifests[0].Digest)
	require.NoError(t, err)
	all, err := inner.IndexManifest()
	require.NoError(t, err)
	require.Len(t, all.Manifests, 2)
	for i, architecture := range []string{"amd64", "arm64"} {
		require.Equal(t, architecture, all.Manifests[i].Platform.Architecture)
		img, err := inner.Image(all.Manifests[i].Digest)
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		text, err := json.Marshal(config)
		require.NoError(t, err)
		require.Equal(t, architecture, config.Architecture, "%s", text)
		require.Equal(t, "linux", config.OS)
		require.Equal(t, []string{"/fodc"}, config.Config.Entrypoint)
		require.Equal(t, "65532:65532", config.Config.User)
		require.Equal(t, []string{"CMD", "/fodc", "healthcheck"}, config.Config.Healthcheck.Test)
		require.Equal(t, "abc", config.Config.Labels["org.opencontainers.image.revision"])
		layers, err := img.Layers()
		require.NoError(t, err)
		require.Len(t, layers, 1)
		contents, err := layers[0].Uncompressed()
		require.NoError(t, err)
		root := t.TempDir()
		unpack(t, contents, root)
		program, err := os.ReadFile(filepath.Join(root, "fodc"))
		require.NoError(t, err)
		require.Equal(t, "program of "+architecture, string(program))
		pem, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
		require.NoError(t, err)
		require.True(t, x509.NewCertPool().AppendCertsFromPEM(pem))
		require.Greater(t, bytes.Count(pem, []byte("BEGIN CERTIFICATE")), 80)
	}
}

func TestWrongArguments(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		require.ErrorContains(t, run(filepath.Join(t.TempDir(), "x"), options{}, args), want)
	}
	f("is missing")
	f(`argument "linux/amd64": must be OS/ARCHITECTURE=PROGRAM`, "linux/amd64")
	f(`argument "amd64=x": must be OS/ARCHITECTURE=PROGRAM`, "amd64=x")
	f("no such file", "linux/amd64="+filepath.Join(t.TempDir(), "gone"))
}

// TestDockerfile compares what both ways of making an image set.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	img, err := imageOf(options{version: "v1.2.3"}, program{system: "linux", architecture: "amd64"})
	require.NoError(t, err)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	c := config.Config
	h := c.Healthcheck
	asJSON := func(words []string) string {
		text, err := json.Marshal(words)
		require.NoError(t, err)
		return strings.ReplaceAll(string(text), ",", ", ")
	}
	for _, line := range []string{
		"USER " + c.User, "WORKDIR " + c.WorkingDir, "ENTRYPOINT " + asJSON(c.Entrypoint),
		fmt.Sprintf("HEALTHCHECK --interval=%s --timeout=%s --start-period=%s CMD %s", h.Interval, h.Timeout, h.StartPeriod, asJSON(h.Test[1:])),
		"EXPOSE " + strings.ReplaceAll(strings.Join(slices.Sorted(maps.Keys(c.ExposedPorts)), " "), "/tcp", ""),
	} {
		require.Contains(t, string(text), line+"\n")
	}
	for _, name := range []string{"title", "description", "licenses"} {
		require.Contains(t, string(text), fmt.Sprintf("org.opencontainers.image.%s=%q", name, c.Labels["org.opencontainers.image."+name]))
	}
}
