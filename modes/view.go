package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"fodc/httpapi"
	"fodc/httpapi/access"
	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/modes/logsink"
	"fodc/recorder/blocks"
	"fodc/recorder/bundle"
	"fodc/recorder/changes"

	"go.uber.org/zap"
)

// Limits of fodc view. It serves one person.
const (
	viewTimeout      = time.Minute
	viewWriteTimeout = 30 * time.Minute
	viewConcurrency  = 4
	// viewMaxBlocks bounds the blocks that are open: each takes address space and a few files.
	viewMaxBlocks = 4096
	// viewStopTime bounds the wait for requests under way in the end.
	viewStopTime = 2 * time.Second
	// viewReadmeLines and viewIncidents bound what is printed at the start, viewProblems what is wrong.
	viewReadmeLines = 12
	viewIncidents   = 10
	viewProblems    = 20
)

// RunView serves the incidents of a file or a directory until its context ends.
func RunView(ctx context.Context, c ViewConfig, stdout, stderr io.Writer) (err error) {
	opened, err := bundle.Open(ctx, c.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	dirs, err := opened.Blocks(ctx)
	if err != nil {
		return err
	}
	reader, damaged, leftOut := blocks.OpenDirs(dirs, viewMaxBlocks)
	defer func() { err = errors.Join(err, reader.Close()) }()
	for _, d := range damaged {
		opened.Problems = append(opened.Problems, fmt.Sprintf("%s: %v", d.Dir, d.Err))
	}
	if leftOut > 0 {
		opened.Problems = append(opened.Problems, fmt.Sprintf("queries see the newest %d blocks, and not %d older ones", viewMaxBlocks, leftOut))
	}
	sayProblems(stderr, opened.Problems)
	api, err := newView(ctx, opened, reader)
	if err != nil {
		return err
	}
	api.Access = access.New(access.Config{Hosts: ownNames([]string{c.ListenAddress})})
	server, err := listenForView(c, api.Handler())
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve() }()
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), viewStopTime)
		defer cancel()
		server.Cancel()
		_ = server.Shutdown(stopping) // Whoever reads on is cut off.
	}()
	for _, line := range append(welcome(ctx, opened), "", urlOf(server.Addr())+"  (Ctrl-C ends it)") {
		if _, err := fmt.Fprintln(stdout, logsink.Printable(line)); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// sayProblems prints what could not be read; the rest is shown.
func sayProblems(stderr io.Writer, problems []string) {
	shown := problems[:min(len(problems), viewProblems)]
	if more := len(problems) - len(shown); more > 0 {
		shown = append(shown[:len(shown):len(shown)], fmt.Sprintf("%d more parts cannot be read", more))
	}
	for _, text := range shown {
		fmt.Fprintln(stderr, logsink.Printable(programName+" view: "+text))
	}
}

// listenForView takes the address, or another port of the same host if any will do.
func listenForView(c ViewConfig, handler http.Handler) (*httpapi.Server, error) {
	cfg := httpapi.ServerConfig{Addr: c.ListenAddress, Handler: handler, ReadTimeout: viewTimeout, WriteTimeout: viewWriteTimeout, Log: zap.NewNop()}
	server, err := httpapi.Listen(cfg)
	if err == nil || !c.OtherPort {
		return server, err
	}
	host, _, splitErr := net.SplitHostPort(c.ListenAddress)
	if splitErr != nil {
		return nil, err
	}
	cfg.Addr = net.JoinHostPort(host, "0")
	return httpapi.Listen(cfg)
}

// urlOf is where a browser finds the server.
func urlOf(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err != nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// welcome is what one incident says of itself, or a list of many.
func welcome(ctx context.Context, o *bundle.Opened) (lines []string) {
	if len(o.Incidents) == 1 {
		lines = strings.Split(strings.TrimSpace(o.Incidents[0].Readme(ctx)), "\n")
		return lines[:min(len(lines), viewReadmeLines)]
	}
	lines = append(lines, fmt.Sprintf("%d incidents; the newest:", len(o.Incidents)))
	for n := range min(len(o.Incidents), viewIncidents) {
		i := o.Incidents[len(o.Incidents)-1-n].Incident()
		lines = append(lines, fmt.Sprintf("%s  %s  %.200s", i.ID, i.FirstOccurrence.UTC().Format(time.RFC3339), i.Summary))
	}
	return lines
}

// view answers for incidents that are in a directory.
type view struct {
	opened *bundle.Opened
	mu     sync.Mutex
	// changed has the changes of the incident that was asked for last.
	changedID string
	changed   changes.Report
}

func newView(ctx context.Context, o *bundle.Opened, r *blocks.Reader) (*httpapi.ViewAPI, error) {
	newest, ok, err := r.Newest(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if ok {
		now = func() time.Time { return time.UnixMilli(newest) }
	}
	v := &view{opened: o}
	routes := promapi.New(promapi.Config{
		Storage: r, Targets: func(context.Context) ([]promapi.Target, error) { return nil, nil },
		Limits: promapi.Limits{Timeout: viewTimeout, MaxSamples: dirMaxSamples, Memory: dirMemory(dirEvaluatePercent), Concurrency: viewConcurrency},
		Now:    now, Started: time.Now(), Revision: thisBuild().revision, Log: zap.NewNop(),
	}).Routes()
	return &httpapi.ViewAPI{List: v.list, Get: v.get, Changes: v.changes, OpenFile: v.openFile, WriteBundle: v.writeBundle, Queries: routes, Version: thisBuild().version, Log: zap.NewNop()}, nil
}

func (v *view) list(context.Context) (all []*messages.Incident, _ error) {
	for _, d := range v.opened.Incidents {
		all = append(all, d.Incident())
	}
	return all, nil
}

func (v *view) find(id string) (*bundle.Dir, error) {
	if d, ok := v.opened.Get(id); ok {
		return d, nil
	}
	return nil, messages.Errorf(messages.ErrNotFound, "there is no incident %s here", id)
}

func (v *view) get(_ context.Context, id string) (*messages.Incident, error) {
	d, err := v.find(id)
	if err != nil {
		return nil, err
	}
	return d.Incident(), nil
}

func (v *view) changes(ctx context.Context, id string) (changes.Report, error) {
	d, err := v.find(id)
	if err != nil {
		return changes.Report{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changedID == id {
		return v.changed, nil
	}
	r, err := bundle.Changes(ctx, d)
	if err == nil {
		v.changedID, v.changed = id, r
	}
	return r, err
}

// openedFile is a file of the evidence with its size.
type openedFile struct {
	io.ReaderAt
	io.Closer
	size int64
}

// Size implements httpapi.IncidentFile.
func (f openedFile) Size() int64 { return f.size }

func (v *view) openFile(_ context.Context, id, path string) (httpapi.IncidentFile, error) {
	d, err := v.find(id)
	if err != nil {
		return nil, err
	}
	f, err := d.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, messages.Errorf(messages.ErrNotFound, "%s is not in what is viewed here", path)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return openedFile{f, f, info.Size()}, nil
}

func (v *view) writeBundle(ctx context.Context, w io.Writer, id string, o httpapi.BundleOptions) error {
	d, err := v.find(id)
	if err != nil {
		return err
	}
	return bundle.Write(ctx, w, d, bundle.Options{Nodes: o.Nodes, Lite: o.Lite})
}
