//go:build bench && linux

package proxybench

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	maxMessage = 64 << 20
	patience   = 30 * time.Second
	// windowBytes is what our agents let the proxy send ahead.
	windowBytes = 64 << 10
	// perFamily is the series of a family.
	perFamily = 10
)

// load is agents that answer alike.
type load struct {
	agents, series int
	// samples is how many a series has in the answer to a window.
	samples int
	// own says that the agents are ours, not baseline ones.
	own bool
}

// answer is the whole answer of an agent in baseline form.
func (l load) answer(agent, samples int) *wire.StreamMetricsRequest {
	now := time.Now()
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(now)}
	for s := range l.series {
		for i := range samples {
			m := &wire.Metric{
				Name:        fmt.Sprintf("bench_node_metric_%04d_total", s/perFamily),
				Labels:      map[string]string{"group": "sw_metric", "segment": strconv.Itoa(s % perFamily), "operation": "write_batch"},
				Value:       float64(agent*1000+s) + 0.25,
				Description: "A counter of the family number " + strconv.Itoa(s/perFamily),
				Type:        wire.MetricType_METRIC_TYPE_COUNTER,
			}
			if !l.own { // which stamp who they are
				m.Labels["node_role"], m.Labels["pod_name"] = "ROLE_DATA", podName(agent)
			}
			if samples > 1 {
				m.Timestamp = timestamppb.New(now.Add(time.Duration(i-samples) * 10 * time.Second))
			}
			f.Metrics = append(f.Metrics, m)
		}
	}
	return f
}

func podName(agent int) string { return fmt.Sprintf("bench-%05d", agent) }

// agent is one connection.
type agent struct {
	number int
	load   load
	client wire.FODCServiceClient
	id     string
	stream grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse]
	// chunks is how many frames of a dictionary were sent.
	chunks uint64
}

// connect lets all agents register and attach. They answer until ctx ends.
func (l load) connect(ctx context.Context, t *testing.T, to *process) {
	var ready sync.WaitGroup
	for i := range l.agents {
		ready.Go(func() {
			a := &agent{number: i, load: l}
			if err := a.connect(ctx, to); err != nil {
				t.Errorf("agent %d: %v", i, err)
				return
			}
			go a.serve()
		})
	}
	ready.Wait()
	require.False(t, t.Failed())
}

func (a *agent) connect(ctx context.Context, to *process) error {
	secure := insecure.NewCredentials()
	if to.agents != nil {
		secure = credentials.NewTLS(to.agents)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(secure),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(newBlobCodec()), grpc.MaxCallSendMsgSize(maxMessage))}
	if a.load.own { // Those of the field leave it to gRPC.
		options = append(options, grpc.WithInitialConnWindowSize(windowBytes), grpc.WithInitialWindowSize(windowBytes))
	}
	conn, err := grpc.NewClient(to.grpcAddr, options...)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	a.client = wire.NewFODCServiceClient(conn)
	session, err := a.client.RegisterAgent(ctx)
	if err != nil {
		return err
	}
	r := messages.Registration{Role: "ROLE_DATA", PodName: podName(a.number), Labels: map[string]string{"type": "hot"},
		Primary: messages.Address{IP: "10.0.0.1", Port: int32(20000 + a.number)}}
	if a.load.own {
		r.NodeID, r.Capabilities = r.PodName, messages.Capabilities{ColumnarAnswers: true, Dictionary: true}
	}
	if err := session.Send(wire.RegistrationFrame(r)); err != nil {
		return err
	}
	welcome, err := session.Recv()
	if err != nil {
		return err
	}
	go func() {
		for range time.Tick(5 * time.Second) {
			if session.Send(wire.RegistrationFrame(r)) != nil {
				return
			}
		}
	}()
	a.id = welcome.GetAgentId()
	a.stream, err = a.client.StreamMetrics(metadata.AppendToOutgoingContext(ctx, "agent_id", a.id))
	return err
}

// serve answers each request with what was made of it before: the agents are not what
// is measured.
func (a *agent) serve() {
	frames := map[content][]blob{}
	dictionary := uint64(0) // the one in which all is described
	for {
		request, err := a.stream.Recv()
		if err != nil {
			return
		}
		what := content{window: request.GetStartTime() != nil, described: dictionary != 0 && request.GetDictionary() == dictionary}
		if frames[what] == nil {
			frames[what] = a.frames(what)
		}
		dictionary = max(dictionary, request.GetDictionary())
		for _, frame := range frames[what] {
			// Of several words on a field the last counts.
			frame = append(frame, a.head(request)...)
			if a.stream.SendMsg(&frame) != nil {
				return
			}
		}
	}
}

// content says which answer is meant.
type content struct {
	window bool
	// described says that the proxy knows the families.
	described bool
}

// frames are those of agent 0, with the name of this one: names are of one length.
func (a *agent) frames(what content) []blob {
	frames := a.load.template(what)
	named := make([]blob, len(frames))
	for i, f := range frames {
		named[i] = slices.Clip(bytes.ReplaceAll(f, []byte(podName(0)), []byte(podName(a.number))))
	}
	return named
}

var templates = struct {
	sync.Mutex
	frames map[string][]blob
}{frames: map[string][]blob{}}

// template is the frames of agent 0.
func (l load) template(what content) []blob {
	samples := 1
	if what.window {
		samples = l.samples
	}
	key := fmt.Sprint(l.series, samples, l.own, what)
	templates.Lock()
	defer templates.Unlock()
	if templates.frames[key] == nil {
		templates.frames[key] = l.make(samples, what)
	}
	return templates.frames[key]
}

func (l load) make(samples int, what content) []blob {
	answer := l.answer(0, samples)
	if !l.own {
		return []blob{marshal(answer)}
	}
	var frames []blob
	block := wire.FromAnswer(answer, time.Now()).Blocks[0]
	var d wire.DictionaryEncoder
	number := uint64(1)
	if what.window {
		number = 0
	}
	d.Begin(number)
	if what.described {
		d.Frame(wire.Answer{Blocks: []messages.Block{block}})
		d.Begin(number)
	}
	for len(block.Families) > 0 {
		// As many families as are sure to fit a chunk.
		n := min(len(block.Families), max(1, wire.MaxChunkBytes/2/(perFamily*(100+8*samples))))
		part := messages.Block{Times: block.Times, Families: block.Families[:n]}
		block.Families = block.Families[n:]
		frames = append(frames, marshal(d.Frame(wire.Answer{Blocks: []messages.Block{part}, More: len(block.Families) > 0})))
	}
	return frames
}

// head is what an answer to the request says beside its samples.
func (a *agent) head(r *wire.StreamMetricsResponse) []byte {
	if !a.load.own {
		return nil
	}
	head := &wire.StreamMetricsRequest{RequestId: r.GetRequestId(), Dictionary: r.GetDictionary()}
	if head.Dictionary > 0 {
		a.chunks++
		head.DictionaryChunk = a.chunks
	}
	return marshal(head)
}

func marshal(m proto.Message) blob {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b[:len(b):len(b)]
}
