package proxy

import (
	"context"

	"fodc/messages/wire"

	"google.golang.org/grpc/stats"
)

// meter counts the bytes of agents' answers. gRPC knows them; to measure a frame again
// would cost a walk through all its series.
type meter struct{ tally *tally }

// metered marks the context of a stream whose frames count.
type metered struct{}

// TagRPC implements stats.Handler.
func (meter) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if info.FullMethodName != wire.FODCService_StreamMetrics_FullMethodName {
		return ctx
	}
	return context.WithValue(ctx, metered{}, true)
}

// HandleRPC implements stats.Handler.
func (m meter) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if in, ok := s.(*stats.InPayload); ok && ctx.Value(metered{}) != nil {
		m.tally.received(in.Length)
	}
}

// TagConn implements stats.Handler.
func (meter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (meter) HandleConn(context.Context, stats.ConnStats) {}
