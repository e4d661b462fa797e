//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// TestE2EThreats are those of the table in docs/security.md. Most are tried against a cluster that has all settings, and some
// against one that has none.
func TestE2EThreats(t *testing.T) {
	t.Parallel()
	s := startSecured(t)
	for _, threat := range []struct {
		name string
		try  func(t *testing.T, s *secured)
	}{
		{"stranger_cannot_read", strangerCannotRead},
		{"stranger_cannot_read_the_traffic", strangerCannotReadTheTraffic},
		{"stranger_cannot_register", strangerCannotRegister},
		{"stranger_cannot_downgrade", strangerCannotDowngrade},
		{"stranger_cannot_pose_as_the_proxy", strangerCannotPoseAsTheProxy},
		{"stranger_cannot_change", strangerCannotChange},
		{"guesser_cannot_keep_others_out", guesserCannotKeepOthersOut},
		{"reader_cannot_change", readerCannotChange},
		{"reader_cannot_find_secrets", readerCannotFindSecrets},
		{"reader_cannot_find_a_key", readerCannotFindAKey},
		{"other_site_cannot_act", otherSiteCannotAct},
		{"other_site_cannot_read_loopback", otherSiteCannotReadLoopback},
		{"node_cannot_be_another_node", nodeCannotBeAnotherNode},
		{"node_cannot_use_the_session_of_another", nodeCannotUseTheSessionOfAnother},
		{"node_cannot_write_control_characters", nodeCannotWriteControlCharacters},
		{"node_cannot_send_passwords_elsewhere", nodeCannotSendPasswordsElsewhere},
		{"proxy_cannot_read_what_is_masked", proxyCannotReadWhatIsMasked},
		{"proxy_cannot_read_other_files", proxyCannotReadOtherFiles},
		{"removed_reader_cannot_come_back", removedReaderCannotComeBack},
		{"removed_token_cannot_keep_its_session", removedTokenCannotKeepItsSession},
		{"removed_authority_cannot_stay_connected", removedAuthorityCannotStayConnected},
	} {
		t.Run(threat.name, func(t *testing.T) { threat.try(t, s.with(t)) })
	}
	page := s.await("/metrics", `planted{on="planted-data-0",node_id="data-0"`, `planted{on="planted-data-1",node_id="data-1"`)
	require.NotContains(t, page, "forged")
	registered := map[any]int{}
	for _, l := range s.proxy.said("agent registered") {
		registered[l["node_id"]]++
	}
	require.Equal(t, 1, registered["data-0"], "it has its first session")
	require.Equal(t, 1, registered["data-1"], "it has its first session")
	require.NotContains(t, registered, "data-9")
}

// trusting is a client that knows the cluster's authority, and shows certificates.
func (s *secured) trusting(certificates ...tls.Certificate) credentials.TransportCredentials {
	return credentials.NewTLS(&tls.Config{RootCAs: s.ca.Pool(), Certificates: certificates})
}

// dial connects to the proxy.
func (s *secured) dial(creds credentials.TransportCredentials) wire.FODCServiceClient {
	s.t.Helper()
	return s.dialFrom("127.0.0.1", s.proxy, creds)
}

// dialFrom connects to a proxy from an address of this machine.
func (s *secured) dialFrom(ip string, proxy *process, creds credentials.TransportCredentials) wire.FODCServiceClient {
	s.t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	conn, err := grpc.NewClient(proxy.addr("grpc"), grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return wire.NewFODCServiceClient(conn)
}

// joined is a registration by hand.
type joined struct {
	client  wire.FODCServiceClient
	stream  grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse]
	welcome *wire.RegisterAgentResponse
}

// register tries to register by hand, and returns why that is refused.
func (s *secured) register(creds credentials.TransportCredentials, token string, first *wire.RegisterAgentRequest) (*joined, error) {
	s.t.Helper()
	return registerWith(s.t, s.dial(creds), token, first)
}

func registerWith(t *testing.T, client wire.FODCServiceClient, token string, first *wire.RegisterAgentRequest) (*joined, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	late := time.AfterFunc(patience, cancel) // The stream stays open; the answer has to come soon.
	defer late.Stop()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	stream, err := client.RegisterAgent(ctx)
	if err != nil {
		return nil, err
	}
	if first.NodeRole == "" {
		first.NodeRole = "ROLE_DATA"
	}
	_ = stream.Send(first)
	welcome, err := stream.Recv()
	if err == nil && !welcome.GetSuccess() {
		_, err = stream.Recv() // the status
		require.Error(t, err)
	}
	return &joined{client, stream, welcome}, err
}
