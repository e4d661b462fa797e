package modes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"fodc/httpapi/promapi"
	"fodc/modes/query"
	"fodc/recorder/blocks"
	"fodc/recorder/journal/diskfs"

	"go.uber.org/zap"
)

// queryDir answers from a directory, with the API of a proxy in this process.
type queryDir struct {
	dir    string
	routes map[string]http.HandlerFunc
	// newest returns the time of the newest sample, in unix milliseconds. It is not ok if there is
	// none.
	newest func(context.Context) (at int64, ok bool, err error)
	closer io.Closer
	// maxBytes is maxAnswerBytes, or less in tests.
	maxBytes int64
}

// Limits of a query in this process: those of a proxy, for one query at a time.
const (
	dirMaxSamples = 50_000_000
	// What the samples that were read, and those of the evaluation, may take of the memory; the series
	// of these may take as much again.
	dirReadPercent     = 20
	dirEvaluatePercent = 30
	// dirUnknownMemory is what counts where the system does not say how much memory there is.
	dirUnknownMemory = 4 << 30
)

// dirMemory returns a part of the memory.
func dirMemory(percent int64) int64 {
	limit, _, err := memoryLimit()
	if err != nil {
		limit = dirUnknownMemory
	}
	return limit / 100 * percent
}

// openQueryDir opens a journal, or blocks, and finds out which of them it is. Warnings go to stderr.
func openQueryDir(ctx context.Context, c QueryCommandConfig, stderr io.Writer) (*queryDir, error) {
	if info, err := os.Stat(c.Dir); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("--dir %s is a file: it must be a directory", c.Dir)
	}
	names, err := blocks.Find(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	dir, err := findJournal(c.Dir)
	if err != nil {
		return nil, err
	}
	files := diskfs.New(dir)
	view, err := openView(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("list the segments: %w", err)
	}
	isJournal := len(view.Segments)+len(view.Unreadable) > 0
	switch {
	case isJournal && len(names) > 0:
		return nil, fmt.Errorf("%s has both the segments of a journal and blocks of a Prometheus database: they must be in directories of their own", c.Dir)
	case isJournal:
		return newQueryDir(c, newJournalStorage(files, view, stderr)), nil
	case len(names) > 0:
		return openBlocks(c, stderr)
	case dir != c.Dir:
		return nil, fmt.Errorf("the journal in %s has no samples", c.Dir)
	}
	more := ""
	switch {
	case isBlock(c.Dir):
		more = "; it is such a block: name the directory that it is in"
	case hasWAL(c.Dir):
		more = "; it has the write-ahead log of one, which is not read"
	}
	return nil, fmt.Errorf("%s has neither segments of a journal (00000001.segment and so on, in it or in its directory %s) nor blocks of a Prometheus database (directories such as %s)%s",
		c.Dir, journalDirName, exampleBlock, more)
}

// exampleBlock is a name that a block may have.
const exampleBlock = "01HK2Z7T4Q8YV5M3X6W9R1B0CD"

// openBlocks opens blocks. What a Prometheus has beside them is not read: it is a warning.
func openBlocks(c QueryCommandConfig, stderr io.Writer) (*queryDir, error) {
	if hasWAL(c.Dir) {
		text := "samples that are in the write-ahead log of " + c.Dir + ", and in no block yet, are not read"
		if c.Strict {
			return nil, errors.New(text)
		}
		sayNotes(stderr, "warning", []string{text})
	}
	r, err := blocks.Open(c.Dir)
	if err != nil {
		return nil, err
	}
	d := newQueryDir(c, r)
	d.newest, d.closer = r.Newest, r
	return d, nil
}

// isBlock reports whether the directory is a block itself.
func isBlock(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "meta.json"))
	return err == nil
}

// hasWAL reports whether a Prometheus has left a write-ahead log in the directory. An empty one is
// there for tools that look for it.
func hasWAL(dir string) bool {
	files, err := os.ReadDir(filepath.Join(dir, "wal"))
	return err == nil && len(files) > 0
}

// dirStorage is what is queried.
type dirStorage interface {
	promapi.Storage
	Newest(context.Context) (at int64, ok bool, err error)
}

func newQueryDir(c QueryCommandConfig, s dirStorage) *queryDir {
	api := promapi.New(promapi.Config{
		Storage: s,
		Targets: func(context.Context) ([]promapi.Target, error) { return nil, nil },
		Limits:  promapi.Limits{Timeout: c.Timeout, MaxSamples: dirMaxSamples, Memory: dirMemory(dirEvaluatePercent), Concurrency: 1},
		Now:     time.Now, Log: zap.NewNop(),
	})
	d := &queryDir{dir: c.Dir, routes: make(map[string]http.HandlerFunc), newest: s.Newest, maxBytes: maxAnswerBytes}
	for _, r := range api.Routes() {
		d.routes[r.Path] = r.Serve
	}
	return d
}

func (d *queryDir) name() string { return d.dir }

func (d *queryDir) close() {
	if d.closer != nil {
		_ = d.closer.Close() // Nothing was written.
	}
}

// now is the time of the newest sample: the machine may be dead for long.
func (d *queryDir) now(ctx context.Context) (time.Time, error) {
	at, ok, err := d.newest(ctx)
	switch {
	case err != nil:
		return time.Time{}, err
	case !ok:
		return time.Time{}, fmt.Errorf("%s has no samples", d.dir)
	}
	return time.UnixMilli(at).UTC(), nil
}

func (d *queryDir) ask(ctx context.Context, path string, params url.Values) (a query.Answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path+"?"+params.Encode(), http.NoBody)
	if err != nil {
		return a, err
	}
	w := answerBuffer{header: make(http.Header), left: d.maxBytes}
	d.routes[path](&w, r)
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case w.left < 0:
		return a, answerTooLong(d.maxBytes)
	}
	return query.Answer{Status: w.status, ContentType: w.header.Get("Content-Type"), Body: w.body.Bytes()}, nil
}

// answerBuffer is a response in memory.
type answerBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
	// left is how much more it may have; less than 0 if it has had too much.
	left int64
}

// Header implements http.ResponseWriter.
func (b *answerBuffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b *answerBuffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

// Write implements http.ResponseWriter.
func (b *answerBuffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return b.body.Write(p)
}
