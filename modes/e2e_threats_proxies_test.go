//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fodc/actors/agent/pressure"
	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// What agents mask is masked before it leaves their machine.
func proxyCannotReadWhatIsMasked(t *testing.T, s *secured) {
	log, err := os.OpenFile(s.open.log, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer log.Close()
	_, err = fmt.Fprintf(log, "panic: cannot log in with password=%s\n\ngoroutine 1 [running]:\nmain.main()\n\t/node/main.go:1 +0x1\nexit status 2\n", plantedSecret)
	require.NoError(t, err)
	awaitPage(t, s.open.proxy, "/diagnostics", "cannot log in with password=***")
	awaitPage(t, s.open.proxy, "/cluster/config", "storage.endpoint", "***")
	require.True(t, s.open.wire.has("cannot log in with password=***"), "the test would not see it")
	require.False(t, s.open.wire.has(plantedSecret))
}

// thiefProxy is a proxy that somebody has taken over, with its key. It asks agents for files that are not profiles.
type thiefProxy struct {
	wire.UnimplementedFODCServiceServer
	// asks are the id and the path of each.
	asks    [][2]string
	mu      sync.Mutex
	answers []*wire.StreamPressureProfilesRequest
}

func (p *thiefProxy) RegisterAgent(g registerServer) error {
	if _, err := g.Recv(); err != nil {
		return err
	}
	_ = g.Send(&wire.RegisterAgentResponse{Success: true, AgentId: "a1"})
	<-g.Context().Done()
	return nil
}

func (p *thiefProxy) StreamPressureProfiles(g grpc.BidiStreamingServer[wire.StreamPressureProfilesRequest, wire.StreamPressureProfilesResponse]) error {
	for i, ask := range p.asks {
		_ = g.Send(&wire.StreamPressureProfilesResponse{RequestId: uint64(i + 1), Request: &wire.StreamPressureProfilesResponse_FetchProfile{
			FetchProfile: &wire.FetchProfile{RequestId: fmt.Sprint(i + 1), ProfileId: ask[0], Type: "heap", Filepath: ask[1]}}})
		answer, err := g.Recv()
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.answers = append(p.answers, answer)
		p.mu.Unlock()
	}
	<-g.Context().Done()
	return nil
}

func (p *thiefProxy) said() []*wire.StreamPressureProfilesRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers
}

// An agent gives its proxy the files that are profiles, and no others.
func proxyCannotReadOtherFiles(t *testing.T, s *secured) {
	dir := t.TempDir()
	secret := certtest.WriteFile(t, filepath.Join(dir, "secret"), []byte(plantedSecret))
	profiles := filepath.Join(dir, "profiles")
	store := pressure.NewStore(pressure.Config{Dir: profiles, MaxArtifacts: 2, MaxBytes: 1 << 20})
	captured, err := store.Capture(t.Context(), pressure.Event{At: time.Now()}, []pressure.Profile{{Type: "heap", Filename: "heap.pprof", Format: "pprof",
		Fetch: func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "a profile"); return err }}})
	require.NoError(t, err)
	store.Close()
	id := captured.Profile.ID
	thief := &thiefProxy{asks: [][2]string{{id, ""}, {"", secret}, {"..", "secret"}, {"../" + filepath.Base(dir), "secret"}, {id + "/../..", "secret"}}}
	for _, path := range []string{"/etc/passwd", "../secret", "../../secret", profiles + "/../secret", secret, "file://" + secret, s.path("data-1.key"), ".",
		"meta.json", filepath.Join(profiles, id, "meta.json"), "/proc/self/environ"} {
		thief.asks = append(thief.asks, [2]string{id, path})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	creds, err := credentials.NewServerTLSFromFile(s.path("proxy.crt"), s.path("proxy.key"))
	require.NoError(t, err)
	server := grpc.NewServer(grpc.Creds(creds))
	wire.RegisterFODCServiceServer(server, thief)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	s.agentAt(l.Addr().String(), "data-7", "data-1", startNode(t, pageA).endpoint(), "--pressure-profiler-dir", profiles)
	eventually(t, "the answers", func() error {
		if n := len(thief.said()); n < len(thief.asks) {
			return fmt.Errorf("%d answers", n)
		}
		return nil
	})
	for i, answer := range thief.said() {
		if i == 0 {
			require.Equal(t, "a profile", string(answer.GetChunk().GetData()), "it would be given to the thief, too: %v", answer)
			continue
		}
		require.Empty(t, answer.GetChunk().GetData(), thief.asks[i])
	}
}
