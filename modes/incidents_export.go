package modes

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"
)

const (
	// partSuffix is behind the name of a file while it is written.
	partSuffix = ".part"
	// toStdout is the name of no file.
	toStdout = "-"
	// progressInterval is how often the progress is shown.
	progressInterval = 500 * time.Millisecond
)

// export writes the bundle of an incident to a file, which has its name only when it is whole.
func (r *incidentsRun) export(ctx context.Context, id string) error {
	if r.File == toStdout {
		if isTerminal(r.stdout) {
			return fmt.Errorf("-o %s: a terminal cannot show a .tar.gz; name a file", toStdout)
		}
		_, err := r.download(ctx, id, r.stdout)
		return err
	}
	name, err := r.bundleName(id)
	if err != nil {
		return err
	}
	part := name + partSuffix
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	bytes, err := r.download(ctx, id, f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.Remove(part)
		return err
	}
	_, err = fmt.Fprintf(r.stdout, "%s: %d bytes\n", name, bytes)
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bundleName returns the name of the file; in a directory, that of the incident.
func (r *incidentsRun) bundleName(id string) (string, error) {
	name := "fodc-incident-" + id + ".tar.gz"
	if r.File == "" {
		return name, nil
	}
	info, err := os.Stat(r.File)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return r.File, nil
	case err != nil:
		return "", err
	case info.IsDir():
		return filepath.Join(r.File, name), nil
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file", r.File)
	}
	return r.File, nil
}

// download writes the bundle, and returns how many bytes it has. All of it is unpacked on the way, so that one that
// is not whole is found.
func (r *incidentsRun) download(ctx context.Context, id string, to io.Writer) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(r.Timeout, func() { cancel(fmt.Errorf("no bytes within %s (--timeout)", r.Timeout)) })
	defer stalled.Stop()
	p := url.Values{"nodes": r.Nodes}
	if r.Lite {
		p.Set("lite", "1")
	}
	response, err := r.client.send(ctx, http.MethodGet, incidentsPath+"/"+id+"/bundle", p, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		a, err := readAnswer(response, maxIncidentAnswer)
		if err != nil {
			return 0, r.client.explain(ctx, err)
		}
		return 0, r.named(a.Err())
	}
	in := &bundleReader{from: response.Body, to: to, read: func() { stalled.Reset(r.Timeout) }, progress: progressOn(r.stderr)}
	defer in.progress.end()
	err = unpack(in)
	switch {
	case in.writeErr != nil:
		return in.bytes, in.writeErr
	case err != nil:
		return in.bytes, r.client.explain(ctx, fmt.Errorf("the bundle is cut off or damaged after %d bytes: %w", in.bytes, err))
	}
	return in.bytes, nil
}

// unpack reads a gzip file to its end, and compares its checksum.
func unpack(from io.Reader) error {
	z, err := gzip.NewReader(from)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, z)
	return err
}

// bundleReader writes what is read of a bundle.
type bundleReader struct {
	from io.Reader
	to   io.Writer
	// read is called after each read.
	read     func()
	progress *progress
	bytes    int64
	writeErr error
}

func (b *bundleReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.read()
	if n > 0 {
		if _, b.writeErr = b.to.Write(p[:n]); b.writeErr != nil {
			return n, b.writeErr
		}
		b.bytes += int64(n)
		b.progress.show(b.bytes)
	}
	return n, err
}

// progress is a line on a terminal that is written again and again; nil: there is none.
type progress struct {
	w     io.Writer
	begun time.Time
	shown time.Time
}

// progressOn returns a progress if the writer is a terminal.
func progressOn(w io.Writer) *progress {
	if !isTerminal(w) {
		return nil
	}
	return &progress{w: w, begun: time.Now()}
}

func (p *progress) show(bytes int64) {
	if p == nil || time.Since(p.shown) < progressInterval {
		return
	}
	p.shown = time.Now()
	mib := float64(bytes) / (1 << 20)
	fmt.Fprintf(p.w, "\r%.1f MiB, %.1f MiB/s   ", mib, mib/max(time.Since(p.begun).Seconds(), 0.001))
}

// end clears the line.
func (p *progress) end() {
	if p != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r                                        \r")
	}
}
