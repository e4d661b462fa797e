package proxy

import (
	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc"
)

// StreamMetrics serves a session's metrics stream.
func (v *service) StreamMetrics(g grpc.BidiStreamingServer[wire.StreamMetricsRequest, wire.StreamMetricsResponse]) error {
	return v.serveQuestions(messages.StreamMetrics, g)
}
