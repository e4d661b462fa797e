package proxy

import (
	"fodc/messages/wire"

	"google.golang.org/grpc"
)

// StreamClusterTopology is drained.
func (v *service) StreamClusterTopology(g grpc.BidiStreamingServer[wire.StreamClusterTopologyRequest, wire.StreamClusterTopologyResponse]) error {
	return v.drainStream(g)
}

// StreamLifecycle is drained.
func (v *service) StreamLifecycle(g grpc.BidiStreamingServer[wire.StreamLifecycleRequest, wire.StreamLifecycleResponse]) error {
	return v.drainStream(g)
}

// StreamCrashDiagnostics is drained.
func (v *service) StreamCrashDiagnostics(g grpc.BidiStreamingServer[wire.StreamCrashDiagnosticsRequest, wire.StreamCrashDiagnosticsResponse]) error {
	return v.drainStream(g)
}

// StreamPressureProfiles is drained.
func (v *service) StreamPressureProfiles(g grpc.BidiStreamingServer[wire.StreamPressureProfilesRequest, wire.StreamPressureProfilesResponse]) error {
	return v.drainStream(g)
}

// StreamSchemaRegistry is drained.
func (v *service) StreamSchemaRegistry(g grpc.BidiStreamingServer[wire.StreamSchemaRegistryRequest, wire.StreamSchemaRegistryResponse]) error {
	return v.drainStream(g)
}
