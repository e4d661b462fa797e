package simulation

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"fodc/actors/actorstest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// baselineRetry is the delay before a baseline agent connects again.
const baselineRetry = reconnectInterval - 500*time.Millisecond

// baselineAgent is an agent that knows the baseline of the contract only. It answers requests
// in order. When one of its streams breaks it closes everything and registers again.
type baselineAgent struct {
	process *process
	work    sync.WaitGroup
	ctx     context.Context
	cut     context.CancelFunc
	leaving chan struct{}
	leave   func()
}

func startBaseline(p *process) *baselineAgent {
	b := &baselineAgent{process: p, leaving: make(chan struct{})}
	b.leave = sync.OnceFunc(func() { close(b.leaving) })
	b.ctx, b.cut = context.WithCancel(context.Background())
	b.work.Go(b.scrape)
	b.work.Go(b.connect)
	return b
}

// Stop half-closes the streams, and cuts them when ctx ends.
func (b *baselineAgent) Stop(ctx context.Context) error {
	b.leave()
	defer context.AfterFunc(ctx, b.cut)()
	b.work.Wait()
	b.cut()
	return nil
}

// isOver waits, and reports whether the agent is to end.
func (b *baselineAgent) isOver(after time.Duration) bool {
	select {
	case <-b.ctx.Done():
	case <-b.leaving:
	case <-time.After(after):
		return false
	}
	return true
}

func (b *baselineAgent) isLeaving() bool {
	select {
	case <-b.leaving:
		return true
	default:
		return false
	}
}

func (b *baselineAgent) scrape() {
	for {
		ctx, cancel := context.WithTimeout(b.ctx, scrapeInterval/2)
		_, _, _ = b.process.fetch(ctx, "")
		cancel()
		if b.isOver(scrapeInterval) {
			return
		}
	}
}

func (b *baselineAgent) connect() {
	for {
		b.session()
		if b.isOver(baselineRetry) {
			return
		}
	}
}

// session is one connection, until one of its streams ends.
func (b *baselineAgent) session() {
	conn, err := grpc.NewClient("passthrough:///proxy:17900", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return b.process.dial(ctx, mainAddr) }),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithIdleTimeout(0))
	if err != nil {
		b.process.w.fail("connection of %s: %v", b.process.node.id, err)
		return
	}
	ctx, cancel := context.WithCancel(b.ctx)
	var streams sync.WaitGroup
	defer func() {
		cancel()
		_ = conn.Close()
		streams.Wait()
	}()
	patience := time.AfterFunc(2*reconnectInterval, cancel)
	registration, err := open(ctx, conn, "RegisterAgent")
	if err != nil || registration.SendMsg(b.registration()) != nil {
		return
	}
	welcome := actorstest.NewBaseline("RegisterAgentResponse")
	if registration.RecvMsg(welcome) != nil || !patience.Stop() {
		return
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "agent_id", welcome.Get(field(welcome, "agent_id")).String())
	metrics, err := open(ctx, conn, "StreamMetrics")
	if err != nil {
		return
	}
	lifecycle, err := open(ctx, conn, "StreamLifecycle")
	if err != nil {
		return
	}
	ended := make(chan struct{}, 3)
	for _, read := range []func() error{
		func() error { return registration.RecvMsg(actorstest.NewBaseline("RegisterAgentResponse")) },
		func() error { return lifecycle.RecvMsg(actorstest.NewBaseline("Other")) },
		func() error { return b.answer(metrics) },
	} {
		streams.Go(func() {
			for read() == nil {
			}
			ended <- struct{}{}
		})
	}
	if b.beat(registration, ended); !b.isLeaving() {
		return
	}
	for _, s := range []grpc.ClientStream{lifecycle, metrics, registration} {
		_ = s.CloseSend()
	}
	for range cap(ended) {
		select {
		case <-ended:
		case <-b.ctx.Done():
		}
	}
}

// beat sends heartbeats, and returns when a stream has ended or the agent is to leave.
func (b *baselineAgent) beat(registration grpc.ClientStream, ended chan struct{}) {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.leaving:
			return
		case <-ended:
			ended <- struct{}{}
			return
		case <-time.After(heartbeatInterval):
			if registration.SendMsg(b.registration()) == io.EOF {
				return
			}
		}
	}
}

func open(ctx context.Context, conn *grpc.ClientConn, method string) (grpc.ClientStream, error) {
	return conn.NewStream(ctx, actorstest.BaselineStream(), "/"+actorstest.BaselineService+"/"+method)
}

func field(m *dynamicpb.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func (b *baselineAgent) registration() proto.Message {
	n := b.process.node
	return actorstest.Baseline("RegisterAgentRequest", actorstest.Fields{"nodeRole": n.role, "podName": n.id,
		"primaryAddress": actorstest.Fields{"ip": b.process.host.ip, "port": 17912}})
}

// answer answers one request.
func (b *baselineAgent) answer(metrics grpc.ClientStream) error {
	request := actorstest.NewBaseline("StreamMetricsResponse")
	if err := metrics.RecvMsg(request); err != nil {
		return err
	}
	from, to := instant(request, "start_time"), instant(request, "end_time")
	var all []any
	for _, at := range b.process.kept(from, to) {
		all = append(all, actorstest.Fields{"name": sampleName, "type": 1, "value": at.UnixMilli(),
			"labels":    actorstest.Fields{"sim_node": b.process.node.id, "sim_process": b.process.label()},
			"timestamp": at.UTC().Format(time.RFC3339Nano)})
	}
	return metrics.SendMsg(actorstest.Baseline("StreamMetricsRequest",
		actorstest.Fields{"metrics": all, "timestamp": time.Now().UTC().Format(time.RFC3339Nano)}))
}

// instant returns the time in a field, zero if there is none.
func instant(m *dynamicpb.Message, name protoreflect.Name) time.Time {
	f := field(m, name)
	if !m.Has(f) {
		return time.Time{}
	}
	t := m.Get(f).Message()
	fields := t.Descriptor().Fields()
	return (&timestamppb.Timestamp{Seconds: t.Get(fields.ByName("seconds")).Int(), Nanos: int32(t.Get(fields.ByName("nanos")).Int())}).AsTime()
}

// kept returns the times of the samples that a baseline agent answers with: of the
// newest scrape where there are no bounds.
func (p *process) kept(from, to time.Time) (times []time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.scrapes {
		switch {
		case s.done.IsZero():
		case from.IsZero() && to.IsZero():
			times = nil
			if s.whole {
				times = []time.Time{s.at}
			}
		case s.whole && !s.at.Before(from) && (to.IsZero() || !s.at.After(to)):
			times = append(times, s.at)
		}
	}
	return times
}
