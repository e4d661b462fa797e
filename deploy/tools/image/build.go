package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fodc/deploy/tools/archive"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user that the program runs as, in no group of the host.
const nobody = 65532

// homeDir is the working directory, which that user may write to. A volume that is mounted there gets its owner.
const homeDir = "/var/lib/fodc"

type program struct {
	system, architecture string
	contents             []byte
}

type options struct {
	version, revision string
	created           time.Time
	programs          []program
}

// build returns the files of the OCI archive: one image for each program, behind an index with the version as its tag.
func build(o options) ([]archive.File, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range o.programs {
		img, err := imageOf(o, p)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", p.system, p.architecture, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: p.system, Architecture: p.architecture}}})
	}
	dir, err := os.MkdirTemp("", "fodc-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return nil, err
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": o.version})); err != nil {
		return nil, err
	}
	return filesOf(dir)
}

func filesOf(dir string) (files []archive.File, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		contents, err := os.ReadFile(path)
		files = append(files, archive.File{Name: filepath.ToSlash(name), Mode: 0o644, Contents: contents})
		return err
	})
	return files, err
}

func imageOf(o options, p program) (v1.Image, error) {
	var packed bytes.Buffer
	if err := archive.Tar(&packed, o.created, rootOf(p)); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: o.created}, CreatedBy: "fodc " + o.version}})
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = p.system, p.architecture, v1.Time{Time: o.created}
	file.Config = v1.Config{
		Entrypoint: []string{"/fodc"}, User: fmt.Sprintf("%d:%d", nobody, nobody), WorkingDir: homeDir,
		// A part of Docker's format: other runtimes pass over it.
		Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", "/fodc", "healthcheck"}, Interval: 15 * time.Second, Timeout: 5 * time.Second, StartPeriod: 30 * time.Second},
		ExposedPorts: map[string]struct{}{"17900/tcp": {}, "17901/tcp": {}, "17902/tcp": {}},
		Labels: map[string]string{"org.opencontainers.image.title": "fodc", "org.opencontainers.image.version": o.version,
			"org.opencontainers.image.revision": o.revision, "org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.description": "A flight recorder for the nodes of a database cluster"},
	}
	return mutate.ConfigFile(img, file)
}

// rootOf is the file system: the program, the authorities of public certificates, and directories that are written to.
func rootOf(p program) []archive.File {
	return []archive.File{
		{Name: "fodc", Mode: 0o755, Contents: p.contents},
		{Name: "etc/", Mode: 0o755},
		{Name: "etc/passwd", Mode: 0o644, Contents: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\nfodc:x:%d:%d:fodc:%s:/sbin/nologin\n", nobody, nobody, homeDir)},
		{Name: "etc/group", Mode: 0o644, Contents: fmt.Appendf(nil, "root:x:0:\nfodc:x:%d:\n", nobody)},
		{Name: "etc/ssl/", Mode: 0o755},
		{Name: "etc/ssl/certs/", Mode: 0o755},
		{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Contents: authorities()},
		{Name: "tmp/", Mode: 0o1777},
		{Name: "var/", Mode: 0o755},
		{Name: "var/lib/", Mode: 0o755},
		{Name: homeDir[1:] + "/", Mode: 0o700, UID: nobody},
	}
}

// authorities are those that Mozilla trusts without conditions, in PEM. They come from a Go module, so that they do not
// depend on the machine.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return out.Bytes()
}
