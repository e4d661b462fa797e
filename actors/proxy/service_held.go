package proxy

import (
	"fodc/messages/wire"

	"google.golang.org/grpc"
)

type heldServer = grpc.BidiStreamingServer[wire.HeldRequest, wire.HeldResponse]

// StreamClusterTopology is held, not served.
func (v *service) StreamClusterTopology(g heldServer) error { return v.hold(g) }

// StreamLifecycle is held, not served.
func (v *service) StreamLifecycle(g heldServer) error { return v.hold(g) }

// StreamCrashDiagnostics is held, not served.
func (v *service) StreamCrashDiagnostics(g heldServer) error { return v.hold(g) }

// StreamPressureProfiles is held, not served.
func (v *service) StreamPressureProfiles(g heldServer) error { return v.hold(g) }

// StreamSchemaRegistry is held, not served.
func (v *service) StreamSchemaRegistry(g heldServer) error { return v.hold(g) }
