package certtest

import (
	"os"
	"path/filepath"
	"testing"
)

// WriteFile replaces a file by rename, and returns its path: who reads it sees the old or the new content.
func WriteFile(t testing.TB, path string, content []byte) string {
	t.Helper()
	next := path + ".next"
	must(t, os.WriteFile(next, content, 0o600))
	must(t, os.Rename(next, path))
	return path
}

// SwapDir makes dir have the files, in the way in which Kubernetes replaces those of a secret: each is a symlink into
// dir/..data, which is a symlink to the directory of one version, and is swapped by rename.
func SwapDir(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
	version, err := os.MkdirTemp(dir, "..version-")
	must(t, err)
	for name, content := range files {
		must(t, os.WriteFile(filepath.Join(version, name), content, 0o600))
	}
	data := filepath.Join(dir, "..data")
	old, _ := os.Readlink(data)
	must(t, os.Symlink(filepath.Base(version), data+"-next"))
	must(t, os.Rename(data+"-next", data))
	for name := range files {
		if _, err := os.Lstat(filepath.Join(dir, name)); os.IsNotExist(err) {
			must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
