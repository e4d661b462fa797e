//go:build bench && linux

package proxybench

import (
	"net"
	"net/http"
	"strconv"
	"sync"

	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// blob is a message that is not read.
type blob []byte

// blobCodec passes blobs as they are.
type blobCodec struct{ encoding.CodecV2 }

func newBlobCodec() blobCodec { return blobCodec{encoding.GetCodecV2(proto.Name)} }

func (c blobCodec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(*blob); ok {
		return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c blobCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if b, ok := v.(*blob); ok {
		*b = data.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// floor asks every agent whenever a client asks it, and passes on what comes.
type floor struct {
	wire.UnimplementedFODCServiceServer

	mu     sync.Mutex
	agents map[*floorAgent]struct{}
	ids    int
}

type floorAgent struct {
	ask    chan struct{}
	answer chan blob
}

func (f *floor) RegisterAgent(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) error {
	f.mu.Lock()
	f.ids++
	id := strconv.Itoa(f.ids)
	f.mu.Unlock()
	for first := true; ; first = false {
		if _, err := g.Recv(); err != nil {
			return err
		}
		if !first {
			continue
		}
		if err := g.Send(&wire.RegisterAgentResponse{Success: true, AgentId: id}); err != nil {
			return err
		}
	}
}

func (f *floor) StreamMetrics(g grpc.BidiStreamingServer[wire.StreamMetricsRequest, wire.StreamMetricsResponse]) error {
	a := &floorAgent{ask: make(chan struct{}, 1), answer: make(chan blob, 1)}
	f.mu.Lock()
	f.agents[a] = struct{}{}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.agents, a)
	}()
	go func() {
		for {
			select {
			case <-a.ask:
				_ = g.Send(&wire.StreamMetricsResponse{})
			case <-g.Context().Done():
				return
			}
		}
	}()
	for {
		var b blob
		if err := g.RecvMsg(&b); err != nil {
			return err
		}
		a.answer <- b
	}
}

func (f *floor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	asked := make([]*floorAgent, 0, len(f.agents))
	for a := range f.agents {
		asked = append(asked, a)
	}
	f.mu.Unlock()
	for _, a := range asked {
		a.ask <- struct{}{}
	}
	for _, a := range asked {
		_, _ = w.Write(<-a.answer)
	}
}

// runFloor serves until it is killed.
func runFloor(grpcAddr, httpAddr string) error {
	f := &floor{agents: map[*floorAgent]struct{}{}}
	l, err := net.Listen("tcp", grpcAddr)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(newBlobCodec()), grpc.MaxRecvMsgSize(maxMessage))
	wire.RegisterFODCServiceServer(server, f)
	go func() { _ = server.Serve(l) }()
	return http.ListenAndServe(httpAddr, f)
}
