package proxy

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// aFile has more than four pieces.
var aFile = func() []byte {
	file := make([]byte, 4<<20+12345)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range file {
		file[i] = byte(random.Uint32())
	}
	return file
}()

// fileAgent has a file, and sends it in chunks.
type fileAgent struct {
	*fakePeer
	agent *fakeAgent
	file  []byte
	chunk int
	asked []messages.ProfileQuestion
	sent  atomic.Int64 // bytes
	// cut ends an answer after so many bytes by what it returns; nil never.
	cut      func(q question)
	cutAfter int
}

// fileAgent connects an agent that answers questions for its file, and for the list.
func (w *world) fileAgent(name string, native bool, file []byte) *fileAgent {
	return w.fileAgentOf(name, native, file, map[bool]int{false: wire.MaxProfileDataBytes, true: 300 << 10}[native])
}

func (w *world) fileAgentOf(name string, native bool, file []byte, chunk int) *fileAgent {
	a := w.connect(firstOf(name, native))
	a.beat()
	f := &fileAgent{fakePeer: a.peer(kindsOfQuestions["profile"]), agent: a, file: file, chunk: chunk}
	synctest.Wait()
	go f.serve()
	return f
}

func (f *fileAgent) serve() {
	for {
		q, ok := f.next()
		if !ok {
			return
		}
		file, ok := q.Question.(messages.ProfileQuestion)
		if !ok {
			f.send(q, wire.Reply{Part: &messages.PressureProfile{ID: "p"}})
			f.send(q, wire.Reply{End: wire.EndYes})
			continue
		}
		f.asked = append(f.asked, file)
		f.sendFile(q, file)
	}
}

func (f *fileAgent) sendFile(q question, file messages.ProfileQuestion) {
	data := f.file
	if f.native {
		data = data[file.Offset:min(file.Offset+file.Length, int64(len(data)))]
	}
	for first := true; first || len(data) > 0; first = false {
		n := min(f.chunk, len(data))
		if f.cut != nil && int(f.sent.Load())+n > f.cutAfter {
			f.cut(q)
			return
		}
		r := wire.Reply{Part: &messages.ProfileChunk{Data: data[:n], Last: n == len(data), FileSize: int64(len(f.file))}}
		if data = data[n:]; len(data) == 0 {
			r.End = wire.EndYes
		}
		f.send(q, r)
		f.sent.Add(int64(n))
	}
}

func (w *world) download(ctx context.Context, d messages.Download, write func(*messages.ProfileChunk) error) error {
	d.Question = messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/p/heap.pprof"}
	return w.proxy.Download(ctx, d, write)
}

// onBothKinds runs the test with an agent of the field and with one of ours.
func onBothKinds(t *testing.T, cfg Config, test func(t *testing.T, w *world, native bool)) {
	t.Helper()
	for native, name := range map[bool]string{false: "of the field", true: "of ours"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, cfg, func(t *testing.T, w *world) { test(t, w, native) })
		})
	}
}

// A file of any size comes whole, and only so much of it is under way as its reader has room for.
func TestDownload(t *testing.T) {
	cfg := testConfig
	cfg.MaxAnswersBytes = 8 << 20
	onBothKinds(t, cfg, func(t *testing.T, w *world, native bool) {
		const ahead = 8 << 20 // in the proxy and in the transport
		file := bytes.Repeat(aFile, 8)
		f := w.fileAgent("n1", native, file)
		for _, size := range []int{0, len(file)} {
			f.sent.Store(0)
			f.asked = nil
			var got []byte
			require.NoError(t, w.download(t.Context(), messages.Download{NodeID: "n1", Size: int64(size)}, func(c *messages.ProfileChunk) error {
				synctest.Wait()
				require.LessOrEqual(t, f.sent.Load()-int64(len(got)), int64(ahead))
				if native || size > 0 {
					require.EqualValues(t, len(file), c.FileSize)
				}
				got = append(got, c.Data...)
				return nil
			}))
			require.True(t, bytes.Equal(file, got))
			if !native {
				require.Equal(t, []messages.ProfileQuestion{{ProfileID: "p", Type: "heap", Path: "/p/heap.pprof"}}, f.asked)
				continue
			}
			require.Len(t, f.asked, (len(file)+downloadPiece-1)/downloadPiece)
			for i, q := range f.asked {
				require.Equal(t, messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/p/heap.pprof", Offset: int64(i * downloadPiece), Length: downloadPiece}, q)
			}
		}
		require.Equal(t, map[string]any{"n1": 1}, w.collectOf(kindsOfQuestions["list of profiles"]))
		synctest.Wait()
		require.Zero(t, w.alive("download"))
	})
}

// A small file, and an empty one.
func TestSmallDownloads(t *testing.T) {
	onBothKinds(t, testConfig, func(t *testing.T, w *world, native bool) {
		for name, file := range map[string][]byte{"empty": nil, "small": []byte("profile"), "piece": aFile[:downloadPiece]} {
			w.fileAgent(name, native, file)
			var got []byte
			require.NoError(t, w.download(t.Context(), messages.Download{NodeID: name}, func(c *messages.ProfileChunk) error {
				got = append(got, c.Data...)
				return nil
			}))
			require.Equal(t, file, got, name)
		}
	})
}

// A reader that stalls costs others ten seconds at most, and nothing where the agent sends pieces. The download ends
// although the reader has not come back.
func TestAStalledReader(t *testing.T) {
	onBothKinds(t, testConfig, func(t *testing.T, w *world, native bool) {
		f := w.fileAgent("n1", native, bytes.Repeat(aFile, 10))
		other := f.agent.peer(kindsOfQuestions["topology"])
		go other.serve()
		result := make(chan error, 1)
		begin, back := time.Now(), make(chan struct{})
		go func() {
			result <- w.download(t.Context(), messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error {
				<-back
				return nil
			})
		}()
		synctest.Wait()
		require.Equal(t, map[string]any{"n1": 1}, w.collectOf(kindsOfQuestions["topology"]))
		require.Equal(t, begin, time.Now(), "another stream")
		got := outcomes(w.collect(messages.Query{Question: messages.ProfilesQuestion{}, Deadline: time.Now().Add(time.Minute)}))
		require.Equal(t, map[string]any{"n1": 1}, got)
		if native {
			require.Equal(t, begin, time.Now())
		} else {
			require.Equal(t, downloadStall, time.Since(begin))
		}
		time.Sleep(time.Minute)
		require.Empty(t, result)
		close(back)
		var failed *messages.Error
		require.ErrorAs(t, <-result, &failed)
		require.Equal(t, messages.ErrTimeout, failed.Kind)
		require.ErrorContains(t, failed, "nothing was read for 10s")
		synctest.Wait()
		require.Equal(t, [][2]string{{"n1 p heap", "nothing was read for 10s: the download has ended"}}, w.ended("download"))
	})
}

// A reader that is slow has the whole file.
func TestASlowReader(t *testing.T) {
	onBothKinds(t, testConfig, func(t *testing.T, w *world, native bool) {
		w.fileAgent("n1", native, aFile)
		var got []byte
		require.NoError(t, w.download(t.Context(), messages.Download{NodeID: "n1"}, func(c *messages.ProfileChunk) error {
			time.Sleep(downloadStall - time.Second)
			got = append(got, c.Data...)
			return nil
		}))
		require.True(t, bytes.Equal(aFile, got))
	})
}

// What becomes of a download that cannot be whole. The agent can be asked again.
func TestDownloadsThatFail(t *testing.T) {
	f := func(name string, prepare func(f *fileAgent), d messages.Download, kind messages.ErrorKind, text string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			onBothKinds(t, testConfig, func(t *testing.T, w *world, native bool) {
				f := w.fileAgent("n1", native, aFile)
				prepare(f)
				w.connect(firstOf("without", native))
				lost := w.connect(firstOf("lost", native))
				synctest.Wait()
				lost.cancel()
				synctest.Wait()
				var got int
				err := w.download(t.Context(), d, func(c *messages.ProfileChunk) error {
					got += len(c.Data)
					return nil
				})
				var failed *messages.Error
				require.ErrorAs(t, err, &failed)
				require.Equal(t, kind, failed.Kind)
				require.ErrorContains(t, err, text)
				require.Less(t, got, len(aFile))
				synctest.Wait()
				require.Zero(t, w.alive("download"))
				again := w.fileAgent("n1", native, aFile) // in the place of the former one
				require.NoError(t, w.download(t.Context(), messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error { return nil }))
				synctest.Wait()
				require.EqualValues(t, len(aFile), again.sent.Load())
			})
		})
	}
	one := messages.Download{NodeID: "n1"}
	none := func(*fileAgent) {}
	cut := func(after int, how func(f *fileAgent, q question)) func(*fileAgent) {
		return func(f *fileAgent) { f.cutAfter, f.cut = after, func(q question) { how(f, q) } }
	}
	says := func(f *fileAgent, q question) { f.send(q, wire.Reply{End: wire.EndYes, Error: "no such file"}) }
	f("unknown node", none, messages.Download{NodeID: "nobody"}, messages.ErrNotFound, `no node with the node_id "nobody"`)
	f("no node", none, messages.Download{}, messages.ErrNotFound, `no node`)
	f("unconnected", none, messages.Download{NodeID: "lost"}, messages.ErrUnavailable, "unconnected")
	f("without the stream", none, messages.Download{NodeID: "without"}, messages.ErrNotFound, "has no profiles")
	f("gone", cut(0, says), one, messages.ErrNotFound, "no such file")
	f("removed meanwhile", cut(3<<20, says), one, messages.ErrUnavailable, "cut short after")
	f("stream ends", cut(3<<20, func(f *fileAgent, _ question) { _ = f.g.CloseSend() }), one, messages.ErrUnavailable, "the stream of the agent has ended")
	f("session ends", cut(3<<20, func(f *fileAgent, _ question) { f.agent.cancel() }), one, messages.ErrUnavailable, "the stream of the agent has ended")
	f("nothing comes", cut(3<<20, func(*fileAgent, question) {}), one, messages.ErrTimeout, "the agent has sent nothing for 10s, after")
	f("another size", none, messages.Download{NodeID: "n1", Size: int64(len(aFile)) + 1}, messages.ErrUnavailable, "the file")
}

// An agent that sends more of a file than it was asked for is cut off.
func TestAPieceThatIsTooLong(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		p := w.connect(firstOf("n1", true)).peer(kindsOfQuestions["profile"])
		go func() {
			q, _ := p.next()
			for range 100 {
				p.send(q, wire.Reply{Part: &messages.ProfileChunk{Data: aFile[:64<<10]}})
			}
		}()
		synctest.Wait()
		got := 0
		err := w.download(t.Context(), messages.Download{NodeID: "n1"}, func(c *messages.ProfileChunk) error {
			got += len(c.Data)
			return nil
		})
		require.ErrorContains(t, err, "cut short")
		require.LessOrEqual(t, got, downloadPiece)
	})
}

// A reader that goes away, or that fails, leaves nothing behind.
func TestReadersThatGoAway(t *testing.T) {
	onBothKinds(t, testConfig, func(t *testing.T, w *world, native bool) {
		w.fileAgent("n1", native, aFile)
		ctx, cancel := context.WithCancel(t.Context())
		require.ErrorIs(t, w.download(ctx, messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error {
			cancel()
			return nil
		}), context.Canceled)
		require.ErrorIs(t, w.download(t.Context(), messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error { return errLost }), errLost)
		require.ErrorIs(t, w.download(ctx, messages.Download{NodeID: "n1"}, nil), context.Canceled)
		begin := time.Now()
		require.Equal(t, map[string]any{"n1": 1}, w.collectOf(kindsOfQuestions["list of profiles"]))
		require.Equal(t, begin, time.Now())
		synctest.Wait()
		require.Zero(t, w.alive("download"))
	})
}

func TestDownloadsAreBounded(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.fileAgent("n1", true, aFile)
		hold, results := make(chan struct{}), make(chan error, maxDownloads)
		read := func() error {
			return w.download(t.Context(), messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error {
				<-hold
				return nil
			})
		}
		for range maxDownloads {
			go func() { results <- read() }()
		}
		synctest.Wait()
		var refused *messages.Error
		require.ErrorAs(t, read(), &refused)
		require.Equal(t, messages.ErrUnavailable, refused.Kind)
		close(hold)
		for range maxDownloads {
			require.NoError(t, <-results)
		}
		synctest.Wait()
		require.NoError(t, read())
	})
}

// What is not read takes room in the budget of all answers, and no longer than it is not read.
func TestDownloadsTakeMemory(t *testing.T) {
	cfg := testConfig
	cfg.MaxAnswersBytes = 1 << 20
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.fileAgent("n1", false, aFile)
		for range 3 {
			err := w.download(t.Context(), messages.Download{NodeID: "n1"}, func(*messages.ProfileChunk) error { return nil })
			var refused *messages.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, messages.ErrUnavailable, refused.Kind)
			require.ErrorContains(t, err, "--max-answers-memory-percentage")
		}
		w.fileAgentOf("n2", false, aFile, 100<<10)
		require.NoError(t, w.download(t.Context(), messages.Download{NodeID: "n2"}, func(*messages.ProfileChunk) error { return nil }))
	})
}
