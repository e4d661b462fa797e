package agent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// bigPage has n series of a gauge, with long labels.
func bigPage(n int) string { return widePage(n, 100) }

// widePage has n series of a gauge, with labels of so many bytes.
func widePage(n, width int) string {
	var b strings.Builder
	b.WriteString("# TYPE big gauge\n")
	for i := range n {
		fmt.Fprintf(&b, "big{i=%q,text=%q} %d\n", fmt.Sprint(i), strings.Repeat("x", width), i)
	}
	return b.String()
}

func columnarRequest(id uint64) *wire.StreamMetricsResponse {
	return &wire.StreamMetricsResponse{RequestId: id, Form: wire.AnswerForm_ANSWER_FORM_COLUMNAR,
		TimeLeft: durationpb.New(5 * time.Second)}
}

// values returns the values of a family in an answer's frames, by label text.
func values(t *testing.T, frames []*wire.StreamMetricsRequest, family string) map[messages.LabelText][]float64 {
	t.Helper()
	all := map[messages.LabelText][]float64{}
	for _, f := range frames {
		a := wire.FromAnswer(f, time.Now())
		require.NoError(t, a.FirstRejected)
		for _, b := range a.Blocks {
			for _, fam := range b.Families {
				for _, s := range fam.Series {
					if fam.Name == family {
						all[s.Labels] = append(all[s.Labels], s.Values...)
					}
				}
			}
		}
	}
	return all
}

func TestColumnarAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.proxy.ask(columnarRequest(7))
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 1)
		require.EqualValues(t, 7, frames[0].GetRequestId())
		require.False(t, frames[0].GetMoreFollows())
		require.Empty(t, frames[0].GetMetrics())
		require.Equal(t, map[messages.LabelText][]float64{
			`a="1",container_name="db"`: {1}, `a="2",container_name="db"`: {2}}, values(t, frames, "g"))
		require.Equal(t, map[messages.LabelText][]float64{
			`container_name="db",endpoint="http://node/metrics"`: {1}}, values(t, frames, "fodc_node_up"))
		require.Contains(t, values(t, frames, "fodc_agent_build_info"), messages.LabelText(`version="test"`))
	})
}

// Answers of any size go out whole, in order, in chunks within the limit.
func TestAnswersInChunks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const series = 20_000
		w.node.serve(bigPage(series), nil)
		w.run()
		for id := uint64(1); id <= 3; id++ {
			w.proxy.ask(columnarRequest(id))
		}
		synctest.Wait()
		byID := map[uint64][]*wire.StreamMetricsRequest{}
		lastID := uint64(1)
		for _, f := range w.proxy.answers() {
			require.LessOrEqual(t, proto.Size(f), wire.MaxChunkBytes)
			require.GreaterOrEqual(t, f.GetRequestId(), lastID, "answers do not mix")
			lastID = f.GetRequestId()
			byID[lastID] = append(byID[lastID], f)
		}
		require.Len(t, byID, 3)
		for id, frames := range byID {
			require.Greater(t, len(frames), 10)
			for i, f := range frames {
				require.Equal(t, i < len(frames)-1, f.GetMoreFollows(), "answer %d, frame %d", id, i)
				require.Empty(t, f.GetError())
				if f.GetMoreFollows() {
					require.Greater(t, proto.Size(f), wire.MaxChunkBytes/2, "chunks are not needlessly small")
				}
			}
			require.Len(t, values(t, frames, "big"), series)
		}
	})
}

func TestWindowAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(time.Minute)
		r := columnarRequest(1)
		r.StartTime, r.EndTime = timestamppb.New(w.start.Add(15*time.Second)), timestamppb.New(w.start.Add(45*time.Second))
		r.Names = []string{"g"}
		w.proxy.ask(r)
		synctest.Wait()
		got := values(t, w.proxy.answers(), "g")
		require.Equal(t, map[messages.LabelText][]float64{
			`a="1",container_name="db"`: {1, 1, 1}, `a="2",container_name="db"`: {2, 2, 2}}, got)
		require.Empty(t, values(t, w.proxy.answers(), "fodc_node_up"))
	})
}

// Requests that cannot be understood are answered, those of ours with the reason.
func TestGarbageRequests(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		bad := columnarRequest(1)
		bad.StartTime = &timestamppb.Timestamp{Seconds: -1 << 60}
		late := columnarRequest(2)
		late.TimeLeft = durationpb.New(-time.Second)
		strange := columnarRequest(3)
		strange.Form = 99
		unknown := columnarRequest(4)
		unknown.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 999, protowire.VarintType), 1))
		for _, r := range []*wire.StreamMetricsResponse{bad, late, strange, unknown} {
			w.proxy.ask(r)
		}
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 4)
		require.Contains(t, frames[0].GetError(), "start_time")
		require.Contains(t, frames[1].GetError(), "time_left")
		require.NotEmpty(t, frames[2].GetMetrics(), "an unknown form is the baseline's")
		require.EqualValues(t, 3, frames[2].GetRequestId())
		require.Len(t, values(t, frames[3:], "g"), 2)
		require.Len(t, w.proxy.sessions(), 1)
	})
}

// A proxy that does not read gets no more than a few frames; requests over the limit
// are answered as busy, in their turn.
func TestProxyDoesNotRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.node.serve(bigPage(5_000), nil)
		begin := make(chan struct{})
		w.proxy.metrics = func(n int, g metricsServer) error {
			select {
			case <-begin:
			case <-g.Context().Done():
			}
			return w.proxy.holdMetrics(n, g)
		}
		w.run()
		for id := uint64(1); id <= maxQueuedRequests+10; id++ {
			r := columnarRequest(id)
			r.TimeLeft = nil
			w.proxy.ask(r)
		}
		w.pass(time.Minute)
		require.Len(t, w.proxy.sessions()[0].frames, 7, "heartbeats go on")
		close(begin)
		synctest.Wait()
		lastID := uint64(0)
		busy := 0
		for _, f := range w.proxy.answers() {
			require.True(t, f.GetRequestId() == lastID || f.GetRequestId() == lastID+1)
			lastID = f.GetRequestId()
			if strings.HasPrefix(f.GetError(), "busy") {
				busy++
			}
		}
		require.EqualValues(t, maxQueuedRequests+10, lastID)
		require.GreaterOrEqual(t, busy, framesInFlight)
		require.LessOrEqual(t, busy, 10)
	})
}

// A recorder that does not answer costs an error, not the session.
func TestRecorderDoesNotAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		silent := actorstest.NewProbe(w.sys)
		cfg := sessionConfig{address: "proxy:17900", identity: newNodeIdentity(w.cfg.Registration, false), heartbeat: 10 * time.Second, recorder: silent.PID, load: hostLoad, dial: w.net.dial}
		w.sys.Spawn("link", restarts, func() actors.Actor { return newLink(w.sys, cfg, time.Second) })
		synctest.Wait()
		w.proxy.ask(&wire.StreamMetricsResponse{})
		long := columnarRequest(2)
		long.TimeLeft = durationpb.New(time.Hour)
		w.proxy.ask(long)
		short := columnarRequest(3)
		short.TimeLeft = durationpb.New(time.Second)
		w.proxy.ask(short)
		w.pass(recorderTimeout - time.Millisecond)
		require.Empty(t, w.proxy.answers())
		w.pass(time.Millisecond)
		frames := w.proxy.answers()
		require.Len(t, frames, 3)
		require.Empty(t, frames[0].GetError())
		require.Contains(t, frames[1].GetError(), "recorder has not answered for 5s")
		require.Contains(t, frames[2].GetError(), "time to answer has run out")
		w.pass(time.Minute)
		require.Len(t, w.proxy.sessions(), 1)
		require.Len(t, w.proxy.sessions()[0].frames, 6, "one heartbeat waited for the recorder")
	})
}
