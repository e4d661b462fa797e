package proxy

import (
	"fodc/messages/wire"

	"google.golang.org/grpc"
)

type drainedServer = grpc.BidiStreamingServer[wire.HeldRequest, wire.HeldResponse]

// StreamClusterTopology is drained.
func (v *service) StreamClusterTopology(g drainedServer) error { return v.drainStream(g) }

// StreamLifecycle is drained.
func (v *service) StreamLifecycle(g drainedServer) error { return v.drainStream(g) }

// StreamCrashDiagnostics is drained.
func (v *service) StreamCrashDiagnostics(g drainedServer) error { return v.drainStream(g) }

// StreamPressureProfiles is drained.
func (v *service) StreamPressureProfiles(g drainedServer) error { return v.drainStream(g) }

// StreamSchemaRegistry is drained.
func (v *service) StreamSchemaRegistry(g drainedServer) error { return v.drainStream(g) }
