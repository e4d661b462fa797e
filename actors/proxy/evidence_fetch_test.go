package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

const fetchedIncident = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

var errPowerless = errors.New("the process has ended")

// faultyFS fails each operation from one on: the process has ended, or the disk has.
type faultyFS struct {
	evidence.FS
	left int // operations; negative: no end
	err  error
}

func (f *faultyFS) op() error {
	if f.left == 0 {
		return f.err
	}
	f.left--
	return nil
}

func (f *faultyFS) Create(name string) (evidence.WriteFile, error) {
	if err := f.op(); err != nil {
		return nil, err
	}
	w, err := f.FS.Create(name)
	return faultyFile{w, f}, err
}

func (f *faultyFS) Append(name string) (evidence.WriteFile, error) {
	if err := f.op(); err != nil {
		return nil, err
	}
	w, err := f.FS.Append(name)
	return faultyFile{w, f}, err
}

func (f *faultyFS) Rename(from, to string) error {
	if err := f.op(); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *faultyFS) Remove(name string) error {
	if err := f.op(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

type faultyFile struct {
	evidence.WriteFile
	of *faultyFS
}

func (w faultyFile) Write(p []byte) (int, error) {
	if err := w.of.op(); err != nil {
		return 0, err
	}
	return w.WriteFile.Write(p)
}

// evidenceAgent is an agent with files.
type evidenceAgent struct {
	files map[string][]byte
	sent  map[string]int64
	// chunk is called before each chunk, and may return an error that ends the connection.
	chunk func(path string, offset int64) error
	data  func(path string, b []byte) []byte
	size  int
}

func (a *evidenceAgent) download(ctx context.Context, d evidenceDownload, write func([]byte) error) error {
	b, ok := a.files[d.question.Path]
	if !ok {
		return messages.Errorf(messages.ErrNotFound, "there is no file %s", d.question.Path)
	}
	for offset := d.offset; offset < int64(len(b)); {
		if err := ctx.Err(); err != nil {
			return err
		}
		if a.chunk != nil {
			if err := a.chunk(d.question.Path, offset); err != nil {
				return err
			}
		}
		part := b[offset:min(offset+int64(a.size), int64(len(b)))]
		if a.data != nil {
			part = a.data(d.question.Path, bytes.Clone(part))
		}
		if err := write(part); err != nil {
			return err
		}
		offset += int64(len(part))
		a.sent[d.question.Path] += int64(len(part))
	}
	return nil
}

// node is the agent's node in its incident.
func (a *evidenceAgent) node() messages.IncidentNode {
	n := messages.IncidentNode{NodeID: "n1", Role: "data", IncidentID: "01JDZX3M9V5T6Q2W8R4Y7B1N0D", Dir: messages.EvidenceDir("n1")}
	for name, b := range a.files {
		what := messages.EvidenceProcess
		if path.Base(name) == windowName {
			what = messages.EvidenceWindow
		}
		sum := sha256.Sum256(b)
		n.Files = append(n.Files, messages.EvidenceFile{Path: name, What: what, Bytes: int64(len(b)), SHA256: hex.EncodeToString(sum[:])})
	}
	return n
}

// segmentBytes is a segment with so many scrapes of one series.
func segmentBytes(t require.TestingT, scrapes int) []byte {
	var b bytes.Buffer
	list := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "x"}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "x"}}}
	_, err := journal.WriteSegment(&b, journal.Node{NodeID: "n1"}, 1, func(yield func(*recorder.Batch, error) bool) {
		for i := range scrapes {
			if !yield(&recorder.Batch{Target: "t", At: int64(i+1) * 1000, Series: list, Values: []float64{float64(i)}}, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	return b.Bytes()
}

func newEvidenceAgent(t require.TestingT, random *rand.Rand) *evidenceAgent {
	a := &evidenceAgent{files: map[string][]byte{}, sent: map[string]int64{}, size: 1 + random.IntN(9000)}
	dir := messages.EvidenceDir("n1")
	for i := range 1 + random.IntN(4) {
		b := make([]byte, random.IntN(30_000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		a.files[fmt.Sprintf("%s/profiles/%d.pb.gz", dir, i)] = b
	}
	a.files[dir+"/"+windowName] = segmentBytes(t, 1+random.IntN(200))
	return a
}

// countingBlocks makes files that say how many scrapes there are.
func countingBlocks(_ context.Context, w SampleWindow, put func(string, io.Reader) error) (samples int, err error) {
	r := w.View.NewReader(w.Files, journal.Query{Selection: messages.Selection{Window: messages.Window{Start: w.From, End: w.To}}})
	defer r.Close()
	for {
		blocks, err := r.Next(1 << 20)
		if err != nil {
			return 0, err
		}
		if blocks == nil {
			break
		}
		for i := range blocks {
			samples += len(blocks[i].Times)
		}
	}
	if samples == 0 {
		return 0, nil
	}
	for _, name := range []string{"chunks/000001", "index", "meta.json"} {
		if err := put("01HK2Z7T4Q8YV5M3X6W9R1B0CD/"+name, strings.NewReader(fmt.Sprint(name, " of ", samples, " samples of ", w.Seed))); err != nil {
			return 0, err
		}
	}
	return samples, nil
}

func openEvidence(t require.TestingT, fs evidence.FS) *evidence.Store {
	s, report, err := evidence.Open(fs, evidence.Limits{}, time.Now())
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	return s
}

// fetchWorld is a proxy that fetches from an agent, and may end at any moment.
type fetchWorld struct {
	*testing.T
	agent  *evidenceAgent
	memory *evidence.Memory
	fs     *faultyFS
	store  *evidence.Store
	state  *evidenceState
	fetch  *evidenceFetcher
}

func (w *fetchWorld) start() {
	w.fs = &faultyFS{FS: w.memory, left: -1, err: errPowerless}
	w.store = openEvidence(w, w.fs)
	w.state = newEvidenceState()
	w.fetch = newEvidenceFetcher(w.store, countingBlocks)
	w.fetch.download = w.agent.download
	close(w.fetch.ready)
	if _, ok := w.store.Get(fetchedIncident); !ok {
		require.NoError(w, w.store.Put(w.document(nodeFetched{})))
	}
	w.state.ask(fetchEvidence{incidentID: fetchedIncident, node: w.agent.node()}, time.Now())
}

func (w *fetchWorld) document(r nodeFetched) *messages.Incident {
	n := w.agent.node()
	n.Files = r.files
	return &messages.Incident{Version: 1, ID: fetchedIncident, Kind: messages.IncidentRule, State: messages.IncidentFrozen, Nodes: []messages.IncidentNode{n}}
}

// step does what is due next. It returns what there is then.
func (w *fetchWorld) step() nodeFetched {
	time.Sleep(time.Until(w.state.nextDue()))
	var last nodeFetched
	for _, job := range w.state.next(time.Now()) {
		r, ok := w.state.ended(w.fetch.run(w.Context(), job), time.Now())
		require.True(w, ok)
		last = r
	}
	return last
}

// Whatever breaks, and whenever the proxy ends: all evidence comes, right, and nothing of it twice.
func TestEvidenceComesWhateverBreaks(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			w := &fetchWorld{T: t, agent: newEvidenceAgent(t, random), memory: evidence.NewMemory(64 << 20)}
			w.agent.chunk = func(string, int64) error {
				if random.IntN(6) == 0 {
					return messages.Errorf(messages.ErrUnavailable, "the stream of the agent has ended")
				}
				return nil
			}
			var last nodeFetched
			w.start()
			for range 400 {
				if random.IntN(4) == 0 {
					w.fs.left = random.IntN(20)
				}
				if last = w.step(); last.done && len(last.missing) == 0 && w.fs.left != 0 {
					break
				}
				if w.fs.left == 0 || random.IntN(5) == 0 {
					w.start()
				}
				w.fs.left = -1
				if last.done { // It was given up.
					w.state.ask(fetchEvidence{incidentID: fetchedIncident, node: w.agent.node()}, time.Now())
				}
			}
			require.True(t, last.done, "seed %d", seed)
			require.Empty(t, last.missing, "seed %d", seed)
			w.fs.left = -1
			require.NoError(t, w.store.Put(w.document(last)))
			require.NoError(t, w.store.Verify(fetchedIncident))
			require.Len(t, last.files, len(w.agent.files)-1+3)
			window := windowPath("n1")
			for name, want := range w.agent.files {
				f, err := w.store.OpenFile(fetchedIncident, name)
				if name == window {
					require.Error(t, err, "it is blocks now")
					continue
				}
				require.NoError(t, err)
				got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.NoError(t, f.Close())
				require.LessOrEqual(t, w.agent.sent[name], int64(len(want)+40*w.agent.size), "seed %d: all but what was not written comes once", seed)
			}
			// Asked once more, nothing is sent again.
			before := fmt.Sprint(w.agent.sent)
			w.start()
			last = w.step()
			require.True(t, last.done)
			require.Equal(t, before, fmt.Sprint(w.agent.sent))
		})
	}
}

// fetchOnce fetches from an agent with one file until nothing more will come, and returns how it ended and how often
// the file was asked for.
func fetchOnce(t *testing.T, limits evidence.Limits, change func(w *fetchWorld)) (last nodeFetched, took time.Duration, w *fetchWorld) {
	w = &fetchWorld{T: t, agent: &evidenceAgent{files: map[string][]byte{}, sent: map[string]int64{}, size: 1000}, memory: evidence.NewMemory(64 << 20)}
	w.agent.files[messages.EvidenceDir("n1")+"/config.json"] = bytes.Repeat([]byte("0123456789"), 1000)
	w.start()
	var err error
	w.store, _, err = evidence.Open(w.fs, limits, time.Now())
	require.NoError(t, err)
	w.fetch.store = w.store
	change(w)
	begin := time.Now()
	for !last.done {
		last = w.step()
	}
	return last, time.Since(begin), w
}

// An agent that lies, or never ends, costs a bounded time, and its evidence is named as missing with the reason.
func TestEvidenceOfABadAgent(t *testing.T) {
	f := func(want string, most time.Duration, change func(w *fetchWorld)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			last, took, w := fetchOnce(t, evidence.Limits{}, change)
			require.Empty(t, last.files)
			require.Len(t, last.missing, 1)
			require.Contains(t, last.missing[0].Reason, want)
			require.LessOrEqual(t, took, most)
			w.fs.left = -1
			require.NoError(t, w.store.Put(w.document(last)))
		})
	}
	f("other bytes than those it has announced", time.Minute, func(w *fetchWorld) {
		w.agent.data = func(_ string, b []byte) []byte { b[0] = 'x'; return b }
	})
	f("there is no file", 10*time.Minute, func(w *fetchWorld) { clear(w.agent.files) })
	f("the agent sends it too slowly", 15*time.Minute, func(w *fetchWorld) {
		w.agent.chunk = func(string, int64) error { time.Sleep(9 * time.Second); return nil }
		w.agent.size = 1
	})
	f("is not connected", 10*time.Minute, func(w *fetchWorld) {
		w.agent.chunk = func(string, int64) error {
			return messages.Errorf(messages.ErrUnavailable, "the node is not connected")
		}
	})
	f("it cannot be stored: disk full", 10*time.Minute, func(w *fetchWorld) { w.fs.left, w.fs.err = 0, errors.New("disk full") })
}

// A store that is full says so, and what fits in it comes.
func TestEvidenceThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last, _, _ := fetchOnce(t, evidence.Limits{MaxBytes: 100_000, MaxIncidentBytes: 20_000}, func(w *fetchWorld) {
			w.agent.files[messages.EvidenceDir("n1")+"/large"] = make([]byte, 50_000)
			w.state.ask(fetchEvidence{incidentID: fetchedIncident, node: w.agent.node()}, time.Now())
		})
		require.Len(t, last.files, 1)
		require.Len(t, last.missing, 1)
		require.Contains(t, last.missing[0].Reason, "it cannot be stored: ")
	})
}

// What a node has itself takes the place of what the proxy had kept of it.
func TestEvidenceOfTheNodeReplacesKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fetchWorld{T: t, agent: &evidenceAgent{files: map[string][]byte{}, sent: map[string]int64{}, size: 1000}, memory: evidence.NewMemory(64 << 20)}
		w.start()
		w.fetch.kept = func(string) (*journal.View, journal.FS, error) {
			b := segmentBytes(t, 3)
			return journal.OpenSegment(bytes.NewReader(b), int64(len(b)))
		}
		seed := ""
		w.fetch.blocks = func(ctx context.Context, s SampleWindow, put func(string, io.Reader) error) (int, error) {
			return countingBlocks(ctx, s, func(name string, content io.Reader) error {
				return put(strings.Replace(name, "01HK2", "01HK"+seed, 1), content)
			})
		}
		fetch := func(from evidenceSource) nodeFetched {
			n := w.agent.node()
			n.From, n.To = time.UnixMilli(0), time.UnixMilli(10_000)
			w.state.ask(fetchEvidence{incidentID: fetchedIncident, from: from, node: n}, time.Now())
			r := w.step()
			require.True(t, r.done)
			require.Empty(t, r.missing)
			require.NoError(t, w.store.Put(w.document(r)))
			return r
		}
		seed = "A"
		r := fetch(evidenceKept)
		require.Len(t, r.files, 3)
		require.True(t, r.files[0].Truncated)
		w.agent.files[windowPath("n1")] = segmentBytes(t, 9)
		seed = "B"
		r = fetch(evidenceOfAgent)
		require.Len(t, r.files, 3)
		require.False(t, r.files[0].Truncated)
		require.NoError(t, w.store.Verify(fetchedIncident))
		var bytes int64
		for _, f := range r.files {
			bytes += f.Bytes
		}
		doc, _ := w.store.Get(fetchedIncident)
		text, err := messages.EncodeIncident(&doc)
		require.NoError(t, err)
		require.Equal(t, bytes+int64(len(text)), w.store.Usage().Bytes, "nothing else is left")
	})
}
