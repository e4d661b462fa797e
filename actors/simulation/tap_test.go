package simulation

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// tap wraps the proxy's end of a stream. It can break the stream without its connection, and
// duplicate frames in both directions.
type tap struct {
	grpc.ServerStream
	world  *world
	node   *node // nil: it is of an impostor
	kind   verb  // what breaks it
	broken chan struct{}
	again  func(m any) // receives the last frame once more; only for the stream's reader
}

// errBroken is the error that the agent gets when a stream is broken.
var errBroken = status.Error(codes.Unavailable, "the stream is broken, and only the stream")

// intercept puts a tap on the stream.
func (w *world) intercept(srv any, g grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	t := &tap{ServerStream: g, world: w, kind: breakOthers, broken: make(chan struct{})}
	switch info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:] {
	case "RegisterAgent":
		t.kind = breakRegistration
	case "StreamMetrics":
		t.kind = breakMetrics
	}
	if from, ok := peer.FromContext(g.Context()); ok {
		for _, n := range w.nodes {
			if strings.HasPrefix(from.Addr.String(), n.home.ip+":") {
				t.node = n
			}
		}
	}
	w.mu.Lock()
	w.taps[t] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.taps, t)
		w.mu.Unlock()
	}()
	done := make(chan error, 1)
	go func() { done <- handler(srv, t) }()
	select {
	case err := <-done:
		return err
	case <-t.broken:
		return errBroken
	}
}

// breakStreams ends the node's streams of one kind, as a fault of the proxy's, or of
// something between it and the agent, does that knows gRPC.
func (w *world) breakStreams(n *node, kind verb) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range slices.Collect(maps.Keys(w.taps)) {
		if t.node == n && t.kind == kind {
			delete(w.taps, t)
			close(t.broken)
		}
	}
}

// doubles tells whether the node's frames come twice now.
func (t *tap) doubles() bool {
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	return t.node != nil && t.node.duplicated && !(t.node.baseline && t.kind == breakMetrics)
}

// doublesAnswers is doubles for what agents send. The answers of a baseline agent are told apart by their
// number, and the parts of an answer that is no samples not at all: they do not come twice.
func (t *tap) doublesAnswers() bool { return t.kind != breakOthers && t.doubles() }

func (t *tap) RecvMsg(m any) error {
	if t.again != nil {
		t.again(m)
		t.again = nil
		return nil
	}
	err := t.ServerStream.RecvMsg(m)
	if err == nil && t.doublesAnswers() {
		t.again = repeat(m)
	}
	return err
}

// bytesFrame is a frame that the proxy takes as it comes.
type bytesFrame interface {
	Bytes() []byte
	SetBytes([]byte)
}

// repeat returns what sets a frame to what this one is now. The proxy takes the first
// frame of a registration stream as a message, and all others as they come.
func repeat(m any) func(any) {
	var b []byte
	if f, ok := m.(bytesFrame); ok {
		b = bytes.Clone(f.Bytes())
	} else {
		b, _ = proto.Marshal(m.(proto.Message))
	}
	return func(to any) {
		if f, ok := to.(bytesFrame); ok {
			f.SetBytes(b)
			return
		}
		_ = proto.Unmarshal(b, to.(proto.Message))
	}
}

func (t *tap) SendMsg(m any) error {
	if t.doubles() {
		if err := t.ServerStream.SendMsg(m); err != nil {
			return err
		}
	}
	return t.ServerStream.SendMsg(m)
}
