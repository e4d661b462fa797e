package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"fodc/messages"

	"github.com/klauspost/compress/gzhttp"
)

const (
	// maxDownloadTime bounds how long a file or a bundle may take, however slowly it is read.
	maxDownloadTime = 30 * time.Minute

	contentGzip = "application/gzip"
)

// serveFile responds with a file of the evidence, or with the parts that the client asks for.
func (i *Incidents) serveFile(w http.ResponseWriter, r *http.Request) error {
	incident, err := i.get(r)
	if err != nil {
		return err
	}
	name := r.PathValue("path")
	file, ok := fileOf(incident, name)
	if !ok {
		return messages.Errorf(messages.ErrNotFound, "incident %s has no file %q; /incidents/%[1]s lists those that it has", incident.ID, truncated(name))
	}
	release, err := acquire(i.limits.files, "downloads of files of incidents")
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), maxDownloadTime)
	defer cancel()
	f, err := i.OpenFile(ctx, incident.ID, file.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	attach(h, strings.ReplaceAll(strings.TrimPrefix(file.Path, "nodes/"), "/", "-"), contentTypeOf(file.Path))
	if file.SHA256 != "" {
		h.Set("ETag", `"`+file.SHA256+`"`)
	}
	body := &failingReader{ReadSeeker: io.NewSectionReader(f, 0, f.Size())}
	http.ServeContent(newPartWriter(w), r, "", time.Time{}, body)
	// The status was sent: an error closes the connection.
	return body.err
}

// fileOf returns the file of a path. No other file is ever opened.
func fileOf(i *messages.Incident, path string) (messages.EvidenceFile, bool) {
	for n := range i.Nodes {
		files := i.Nodes[n].Files
		if at := slices.IndexFunc(files, func(f messages.EvidenceFile) bool { return f.Path == path }); at >= 0 && messages.ValidEvidencePath(path) {
			return files[at], true
		}
	}
	return messages.EvidenceFile{}, false
}

func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".json":
		return contentJSON
	case ".txt", ".log":
		return contentPlain
	default:
		return contentBytes
	}
}

// attach sets the headers of a file. It is never compressed once more, so that its length and its parts are
// those of the file.
func attach(h http.Header, name, contentType string) {
	setAttachment(h, name)
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set(gzhttp.HeaderNoCompression, "1")
}

// serveBundle streams a bundle. If it does not end well, the connection is cut.
func (i *Incidents) serveBundle(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	o := BundleOptions{Nodes: p.all("nodes")}
	if o.Lite, err = p.flag("lite"); err != nil {
		return err
	}
	incident, err := i.get(r)
	if err != nil {
		return err
	}
	if err := checkNodes(incident, o.Nodes); err != nil {
		return err
	}
	name := "fodc-incident-" + incident.ID + ".tar.gz"
	if r.Method == http.MethodHead {
		attach(w.Header(), name, contentGzip)
		return nil
	}
	release, err := acquire(i.limits.bundles, "bundles")
	if err != nil {
		return err
	}
	defer release()
	i.seen(r, incident)
	ctx, cancel := context.WithTimeout(r.Context(), maxDownloadTime)
	defer cancel()
	attach(w.Header(), name, contentGzip)
	to := newPartWriter(w)
	if err = i.WriteBundle(ctx, to, incident.ID, o); err != nil && !to.begun {
		for _, name := range []string{"Content-Disposition", "Content-Security-Policy", gzhttp.HeaderNoCompression} {
			w.Header().Del(name)
		}
	}
	return err
}

// checkNodes returns an error that names the nodes that are not in the incident.
func checkNodes(i *messages.Incident, ids []string) error {
	var unknown []string
	for _, id := range ids {
		if !slices.ContainsFunc(i.Nodes, func(n messages.IncidentNode) bool { return n.NodeID == id }) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return messages.Errorf(messages.ErrNotFound, "nodes: incident %s does not have %s", i.ID, quotedList(unknown))
	}
	return nil
}

// quotedList returns the first of some texts of a request, for an error.
func quotedList(texts []string) string {
	const most = 10
	var quoted []string
	for _, t := range texts[:min(len(texts), most)] {
		quoted = append(quoted, fmt.Sprintf("%q", truncated(t)))
	}
	list := strings.Join(quoted, ", ")
	if more := len(texts) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// failingReader keeps the error of a read.
type failingReader struct {
	io.ReadSeeker
	err error
}

func (r *failingReader) Read(b []byte) (int, error) {
	n, err := r.ReadSeeker.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
