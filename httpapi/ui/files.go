package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Index is the path of the one document, relative to /ui/. All else is loaded by it.
const Index = "index.html"

// ContentSecurityPolicy lets the pages load what the program serves, and nothing else: no inline script, no
// frame, no other host.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// file is one of the files, as it is sent.
type file struct {
	contentType, etag string
	plain             []byte
	// gzipped is nil if it is not smaller.
	gzipped []byte
}

// Files are the files of the pages, by their path relative to /ui/.
type Files map[string]*file

// Load returns the files. They are compressed once for the whole process.
var Load = sync.OnceValue(func() Files {
	files := Files{}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := newFile(name, plain)
		files[strings.TrimPrefix(name, "static/")] = f
		return err
	})
	if err != nil {
		panic(err) // The files are part of the program, and a test loads them.
	}
	return files
})

func newFile(name string, plain []byte) (*file, error) {
	kind, ok := contentTypes[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("%s: no content type is known for a name that ends in %q", name, path.Ext(name))
	}
	sum := sha256.Sum256(plain)
	f := &file{contentType: kind, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: plain}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() < len(plain) {
		f.gzipped = b.Bytes()
	}
	return f, nil
}

// contentTypes are those of the files, by the end of their name. Licences have none.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// Serve sends the file of a path relative to /ui/; the empty path is that of the index. It returns false,
// and sends nothing, if there is no such file.
func (files Files) Serve(w http.ResponseWriter, r *http.Request, name string) (bool, error) {
	if name == "" {
		name = Index
	}
	f, ok := files[name]
	if !ok {
		return false, nil
	}
	h := w.Header()
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache") // A new version of the program has new pages.
	if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	body := f.plain
	if f.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	h.Set("Content-Type", f.contentType)
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(body); err != nil {
		return true, fmt.Errorf("write the response: %w", err)
	}
	return true, nil
}
