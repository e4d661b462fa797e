package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"

	"golang.org/x/time/rate"
)

const (
	// evidenceRate bounds what is fetched of all nodes together, in bytes a second: it leaves room for pages
	// and queries on the same connections.
	evidenceRate = 16 << 20
	// minFileRate is what an agent must send of a file, in bytes a second, and fileGrace how much longer it may
	// take.
	minFileRate = 64 << 10
	fileGrace   = 30 * time.Second
	// minProgress is how much of a file must come so that a try has not failed, in bytes.
	minProgress = 64 << 10
)

// evidenceFetcher fetches files into the store. Its functions block for as long as agents and the disk do.
type evidenceFetcher struct {
	store    *evidence.Store
	download func(ctx context.Context, d evidenceDownload, write func([]byte) error) error
	collect  func(ctx context.Context, q messages.Query) (*messages.Collection, error)
	blocks   BlocksOf
	// kept opens what the proxy has kept of a node; nil: nothing is kept.
	kept    func(nodeID string) (*journal.View, journal.FS, error)
	limiter *rate.Limiter
	// ready is closed when the actors that are asked are there.
	ready chan struct{}
	// converting has one place: blocks take much memory while they are made.
	converting chan struct{}
}

// evidenceDownload is a part of a file that an agent has: from offset to its end.
type evidenceDownload struct {
	nodeID       string
	question     messages.EvidenceQuestion
	offset, size int64
}

func newEvidenceFetcher(store *evidence.Store, blocks BlocksOf) *evidenceFetcher {
	return &evidenceFetcher{store: store, blocks: blocks, limiter: rate.NewLimiter(evidenceRate, downloadPiece), ready: make(chan struct{}), converting: make(chan struct{}, 1)}
}

// run does a job. It ends early if the node cannot be fetched from, and with ctx.
func (f *evidenceFetcher) run(ctx context.Context, job evidenceJob) evidenceEnded {
	ctx, cancel := context.WithTimeoutCause(ctx, evidenceJobTime, errJobTime)
	defer cancel()
	done := evidenceEnded{number: job.number, key: job.key}
	select {
	case <-f.ready:
	case <-ctx.Done():
	}
	var left []messages.EvidenceFile
	for _, file := range job.files { // What is here is known, whatever the agent says to the rest.
		if ctx.Err() != nil {
			return done
		}
		if end := f.stored(job, file); end != nil {
			end.file = file
			done.ends = append(done.ends, *end)
		} else {
			left = append(left, file)
		}
	}
	for _, file := range left {
		if ctx.Err() != nil {
			return done
		}
		end, waits := f.fetch(ctx, job, file)
		if end != nil {
			end.file = file
			done.ends = append(done.ends, *end)
		}
		if done.waits = waits; waits != "" {
			return done
		}
	}
	return done
}

var (
	errJobTime  = fmt.Errorf("it takes longer than %s", evidenceJobTime)
	errFileTime = errors.New("the agent sends it too slowly")
)

// isCollected reports whether a file is what the proxy itself makes of samples: those of agents have a sum.
func isCollected(file messages.EvidenceFile) bool { return file.SHA256 == "" }

// stored returns the end of a file of the agent that is in the store; nil: it is not.
func (f *evidenceFetcher) stored(job evidenceJob, file messages.EvidenceFile) *fileEnd {
	id := job.key.incidentID
	switch {
	case isCollected(file):
		return nil
	case file.Path == windowPath(job.key.nodeID):
		if has := f.blocksOf(job, false); has != nil {
			_ = f.store.Remove(id, file.Path) // A crash may have left it.
			return &fileEnd{files: has}
		}
		return nil
	}
	if has, err := f.store.Stat(id, file.Path); err == nil && sameFile(has, file) {
		return &fileEnd{files: []messages.EvidenceFile{file}}
	}
	return nil
}

// fetch fetches one file. The end is nil if that is not to count, and waits says why the node cannot be fetched from.
func (f *evidenceFetcher) fetch(ctx context.Context, job evidenceJob, file messages.EvidenceFile) (end *fileEnd, waits string) {
	switch {
	case isCollected(file) && job.want.from == evidenceOfStream:
		return f.fetchSamples(ctx, job, file)
	case isCollected(file):
		return f.fetchKept(ctx, job)
	}
	if end, waits = f.fetchFile(ctx, job, file); end == nil || end.reason != "" || file.Path != windowPath(job.key.nodeID) {
		return end, waits
	}
	return f.convert(ctx, job, end.files[0]), ""
}

// fetchFile fetches a file of the agent, from where an earlier try has stopped.
func (f *evidenceFetcher) fetchFile(ctx context.Context, job evidenceJob, file messages.EvidenceFile) (end *fileEnd, waits string) {
	id := job.key.incidentID
	if has, err := f.store.Stat(id, file.Path); err == nil && sameFile(has, file) {
		return &fileEnd{files: []messages.EvidenceFile{file}}, ""
	}
	w, err := f.store.OpenPart(id, file.Path)
	if err == nil && w.Size() > file.Bytes {
		w.Discard()
		w, err = f.store.OpenPart(id, file.Path)
	}
	if err != nil {
		return f.storeEnd(err), ""
	}
	defer w.Close()
	if w.Size() < file.Bytes {
		if end, waits = f.load(ctx, job, file, w); end != nil || waits != "" {
			return end, waits
		}
	}
	switch err := w.Finish(file); {
	case errors.Is(err, evidence.ErrMismatch):
		return &fileEnd{reason: "the agent has sent other bytes than those it has announced", wrong: true}, ""
	case err != nil:
		return f.storeEnd(err), ""
	}
	return &fileEnd{files: []messages.EvidenceFile{file}}, ""
}

// load asks the agent for what is missing of a file. The end is nil if all of it has come.
func (f *evidenceFetcher) load(ctx context.Context, job evidenceJob, file messages.EvidenceFile, w *evidence.PartWriter) (end *fileEnd, waits string) {
	limit := fileGrace + time.Duration((file.Bytes-w.Size())/minFileRate)*time.Second
	fileCtx, cancel := context.WithTimeoutCause(ctx, limit, errFileTime)
	defer cancel()
	var failed error // of the store
	began := w.Size()
	d := evidenceDownload{nodeID: job.key.nodeID, question: messages.EvidenceQuestion{IncidentID: job.want.node.IncidentID, Path: file.Path},
		offset: w.Size(), size: file.Bytes}
	err := f.download(fileCtx, d, func(b []byte) error {
		if err := f.limiter.WaitN(fileCtx, min(len(b), downloadPiece)); err != nil {
			return err
		}
		_, failed = w.Write(b)
		return failed
	})
	var said *messages.Error
	came := w.Size()-began >= minProgress
	switch {
	case err == nil:
		return nil, ""
	case failed != nil:
		return f.storeEnd(failed), ""
	case ctx.Err() != nil:
		return nil, context.Cause(ctx).Error()
	case fileCtx.Err() != nil:
		return &fileEnd{reason: errFileTime.Error(), came: came}, errFileTime.Error()
	case errors.As(err, &said) && said.Kind == messages.ErrNotFound:
		return &fileEnd{reason: said.Text}, ""
	default:
		return &fileEnd{reason: err.Error(), came: came}, err.Error()
	}
}

// storeEnd is the end of a file that the store cannot take.
func (f *evidenceFetcher) storeEnd(err error) *fileEnd {
	return &fileEnd{reason: "it cannot be stored: " + err.Error(), final: errors.Is(err, evidence.ErrInvalid) || errors.Is(err, evidence.ErrTooLarge)}
}
