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

// StreamClusterTopology serves a session's stream of topologies.
func (v *service) StreamClusterTopology(g grpc.BidiStreamingServer[wire.StreamClusterTopologyRequest, wire.StreamClusterTopologyResponse]) error {
	return v.serveQuestions(messages.StreamTopology, g)
}

// StreamLifecycle serves a session's stream of what became of the data's groups.
func (v *service) StreamLifecycle(g grpc.BidiStreamingServer[wire.StreamLifecycleRequest, wire.StreamLifecycleResponse]) error {
	return v.serveQuestions(messages.StreamLifecycle, g)
}

// StreamCrashDiagnostics serves a session's stream of crash records.
func (v *service) StreamCrashDiagnostics(g grpc.BidiStreamingServer[wire.StreamCrashDiagnosticsRequest, wire.StreamCrashDiagnosticsResponse]) error {
	return v.serveQuestions(messages.StreamCrashes, g)
}

// StreamPressureProfiles serves a session's stream of profiles.
func (v *service) StreamPressureProfiles(g grpc.BidiStreamingServer[wire.StreamPressureProfilesRequest, wire.StreamPressureProfilesResponse]) error {
	return v.serveQuestions(messages.StreamProfiles, g)
}

// StreamSchemaRegistry serves a session's stream of the schema registry.
func (v *service) StreamSchemaRegistry(g grpc.BidiStreamingServer[wire.StreamSchemaRegistryRequest, wire.StreamSchemaRegistryResponse]) error {
	return v.serveQuestions(messages.StreamSchema, g)
}

// StreamIncidents serves a session's stream of incidents.
func (v *service) StreamIncidents(g grpc.BidiStreamingServer[wire.StreamIncidentsRequest, wire.StreamIncidentsResponse]) error {
	return v.serveQuestions(messages.StreamIncidents, g)
}
