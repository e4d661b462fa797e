package actorstest

import (
	"context"
	"sync"

	"fodc/messages"

	"google.golang.org/grpc"
)

// plainMethod is a stream of the service, and the messages of its two sides.
type plainMethod struct{ name, question, answer string }

var plainMethods = map[messages.Stream]plainMethod{
	messages.StreamMetrics:   {"StreamMetrics", "StreamMetricsResponse", "StreamMetricsRequest"},
	messages.StreamTopology:  {"StreamClusterTopology", "StreamClusterTopologyResponse", "StreamClusterTopologyRequest"},
	messages.StreamLifecycle: {"StreamLifecycle", "StreamLifecycleResponse", "StreamLifecycleRequest"},
	messages.StreamCrashes:   {"StreamCrashDiagnostics", "StreamCrashDiagnosticsResponse", "StreamCrashDiagnosticsRequest"},
	messages.StreamProfiles:  {"StreamPressureProfiles", "StreamPressureProfilesResponse", "StreamPressureProfilesRequest"},
	messages.StreamSchema:    {"StreamSchemaRegistry", "StreamSchemaRegistryResponse", "StreamSchemaRegistryRequest"},
}

// PlainQuestion returns the message with which a proxy of the baseline asks on the stream. On
// StreamProfiles it asks for the list, with the request id "1".
func PlainQuestion(s messages.Stream) Fields {
	switch s {
	case messages.StreamTopology:
		return Fields{"requestTopology": true}
	case messages.StreamLifecycle:
		return Fields{"requestLifecycle": true}
	case messages.StreamCrashes:
		return Fields{"requestDiagnostics": true}
	case messages.StreamProfiles:
		return Fields{"listProfiles": Fields{"requestId": "1"}}
	case messages.StreamSchema:
		return Fields{"requestRegistry": true}
	}
	return Fields{}
}

// PlainStream is one side of a stream whose peer is under test. One goroutine may receive while
// others send.
type PlainStream struct {
	g interface {
		SendMsg(m any) error
		RecvMsg(m any) error
	}
	in, out string
	send    sync.Mutex
	// reset is nil for the proxy's side.
	reset context.CancelFunc
}

// Send sends the messages.
func (s *PlainStream) Send(list ...Fields) error {
	s.send.Lock()
	defer s.send.Unlock()
	for _, f := range list {
		if err := s.g.SendMsg(Baseline(s.out, f)); err != nil {
			return err
		}
	}
	return nil
}

// SendRaw sends bytes that need not be a message of the stream.
func (s *PlainStream) SendRaw(b []byte) error {
	s.send.Lock()
	defer s.send.Unlock()
	m := NewBaseline("Other")
	m.SetUnknown(b)
	return s.g.SendMsg(m)
}

// Receive returns the next message. The error is that of the stream's end.
func (s *PlainStream) Receive() (Fields, error) {
	m := NewBaseline(s.in)
	if err := s.g.RecvMsg(m); err != nil {
		return nil, err
	}
	return BaselineFields(m), nil
}

// CloseSend half-closes the stream if this is the agent's side.
func (s *PlainStream) CloseSend() error {
	if g, ok := s.g.(grpc.ClientStream); ok {
		return g.CloseSend()
	}
	return nil
}

// Reset breaks the stream off, and no other of its connection, if this is the agent's side.
func (s *PlainStream) Reset() {
	if s.reset != nil {
		s.reset()
	}
}
