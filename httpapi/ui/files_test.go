package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
)

// maxBytes bounds all that a browser loads for the pages, as it is sent.
const maxBytes = 200 << 10

func serve(t *testing.T, name string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ui/"+name, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	served, err := Load().Serve(w, r, name)
	require.NoError(t, err)
	require.True(t, served, name)
	return w
}

func TestFilesAreSentOnce(t *testing.T) {
	plain := serve(t, "")
	require.Equal(t, http.StatusOK, plain.Code)
	require.Equal(t, "text/html; charset=utf-8", plain.Header().Get("Content-Type"))
	require.Empty(t, plain.Header().Get("Content-Encoding"))
	require.Equal(t, ContentSecurityPolicy, plain.Header().Get("Content-Security-Policy"))
	zipped := serve(t, "app.js", "Accept-Encoding", "gzip, br")
	require.Equal(t, "gzip", zipped.Header().Get("Content-Encoding"))
	r, err := gzip.NewReader(zipped.Body)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = b.ReadFrom(r)
	require.NoError(t, err)
	require.Equal(t, string(Load()["app.js"].plain), b.String())
	again := serve(t, "app.js", "If-None-Match", zipped.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.Code)
	require.Empty(t, again.Body.Bytes())
	require.Equal(t, http.StatusOK, serve(t, "app.js", "If-None-Match", `"0123456789abcdef"`).Code)
	served, err := Load().Serve(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), "../doc.go")
	require.NoError(t, err)
	require.False(t, served)
}

// Nothing may run that is not a file of ours, and nothing may be loaded from elsewhere.
func TestPolicyAllowsNothingInline(t *testing.T) {
	require.Contains(t, ContentSecurityPolicy, "default-src 'none'")
	for _, no := range []string{"unsafe", "*", "data:", "http:", "https:"} {
		require.NotContains(t, ContentSecurityPolicy, no)
	}
	index := string(Load()[Index].plain)
	require.NotRegexp(t, `<script>|<style>|\son[a-z]+=|\sstyle=`, index)
}

func TestPagesAreSmall(t *testing.T) {
	total := 0
	for name, f := range Load() {
		if strings.HasSuffix(name, ".txt") {
			continue
		}
		if f.gzipped != nil {
			total += len(f.gzipped)
		} else {
			total += len(f.plain)
		}
	}
	t.Logf("all pages: %d bytes, compressed", total)
	require.Less(t, total, maxBytes)
}

var (
	imported  = regexp.MustCompile(`(?m)(?:^|\s)(?:import|from)\s+'([^']+)'`)
	linked    = regexp.MustCompile(`(?:src|href)="([^"#]+)"`)
	elsewhere = regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z]`)
)

// own returns the names of the files that are not a library's.
func own() []string {
	return slices.DeleteFunc(slices.Sorted(keys(Load())), func(name string) bool { return strings.HasPrefix(name, "vendor/") })
}

func keys(files Files) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range files {
			if !yield(name) {
				return
			}
		}
	}
}

func TestAllThatIsLoadedIsThere(t *testing.T) {
	files, used := Load(), map[string]bool{Index: true}
	for _, name := range own() {
		pattern := imported
		if path.Ext(name) == ".html" {
			pattern = linked
		}
		for _, m := range pattern.FindAllSubmatch(files[name].plain, -1) {
			target := path.Join(path.Dir(name), string(m[1]))
			if strings.HasPrefix(target, "..") {
				continue // A link to the HTTP API.
			}
			require.Contains(t, files, target, "%s loads %s", name, m[1])
			used[target] = true
		}
	}
	for _, name := range own() {
		require.True(t, used[name], "nothing loads %s", name)
	}
}

// The rules for the files of the program hold for those of the pages, too.
func TestFilesAreShortAndStayHere(t *testing.T) {
	const maxLines = 300
	for _, name := range own() {
		text := string(Load()[name].plain)
		require.LessOrEqual(t, strings.Count(text, "\n"), maxLines, "%s has too many lines", name)
		if name != "icon.svg" {
			require.NotRegexp(t, elsewhere, text, "%s names another host", name)
		}
		require.NotRegexp(t, `innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`, text, "%s: texts of nodes must stay texts", name)
	}
}

// The libraries are the released files: vendor/SOURCES.txt has the sums.
func TestLibrariesAreUnchanged(t *testing.T) {
	listed := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\S+ +[\d.]+ +\S+ +\S+ +(\S+) +([0-9a-f]{64})$`).FindAllStringSubmatch(string(Load()["vendor/SOURCES.txt"].plain), -1) {
		listed[m[1]] = m[2]
	}
	require.NotEmpty(t, listed)
	err := fs.WalkDir(static, "static/vendor", func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name = strings.TrimPrefix(name, "static/vendor/")
		if entry.IsDir() || name == "SOURCES.txt" {
			return nil
		}
		sum := sha256.Sum256(Load()["vendor/"+name].plain)
		require.Equal(t, listed[name], hex.EncodeToString(sum[:]), name)
		return nil
	})
	require.NoError(t, err)
}
