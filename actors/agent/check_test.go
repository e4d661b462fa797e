package agent

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// checkedServer is a server of gRPC in memory, which notes the methods that are called.
type checkedServer struct {
	called []string
	answer func(g grpc.ServerStream) error
}

func (s *checkedServer) serve(_ any, g grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(g)
	s.called = append(s.called, method)
	return s.answer(g)
}

// checkIn runs a check of the server in fake time, and returns the lines of the steps.
func checkIn(t *testing.T, answer func(g grpc.ServerStream) error, change func(*Check)) (lines []string, s *checkedServer, took time.Duration) {
	s = &checkedServer{answer: answer}
	synctest.Test(t, func(t *testing.T) {
		l, server := bufconn.Listen(1<<16), grpc.NewServer(grpc.UnknownServiceHandler(s.serve))
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		began := time.Now()
		c := Check{Address: "proxy:17900", Registration: messages.Registration{NodeID: "n1", Role: "data"},
			Lookup: func(context.Context, string) ([]string, error) { return []string{"10.0.0.1", "10.0.0.2"}, nil },
			Dial:   func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }}
		change(&c)
		ok := c.Run(t.Context(), func(step CheckStep) {
			lines = append(lines, fmt.Sprintf("%d %s: %s. %s", step.Result, step.Name, step.Text, step.Next))
		})
		took = time.Since(began)
		require.Equal(t, !strings.HasPrefix(lines[len(lines)-1], fmt.Sprint(CheckFailed, " ")), ok)
		server.Stop()
		<-served // It says that it was stopped, if it was before it began.
	})
	return lines, s, took
}

// No proxy is sent what it could take for a registration, whatever it is and does.
func TestCheckNeverRegisters(t *testing.T) {
	f := func(answer func(grpc.ServerStream) error, want string) {
		t.Helper()
		lines, s, _ := checkIn(t, answer, func(*Check) {})
		require.Contains(t, lines[len(lines)-1], want)
		require.Equal(t, []string{wire.FODCService_CheckRegistration_FullMethodName}, s.called)
	}
	cannotSay := "1 registration: not tried: the proxy is of a version that cannot say whether it would accept one: nothing was registered"
	f(func(grpc.ServerStream) error { return status.Error(codes.Unimplemented, "unknown method") }, cannotSay)
	f(func(grpc.ServerStream) error {
		return status.Error(codes.Unauthenticated, "the metadata has no agent_id")
	}, cannotSay)
	f(func(g grpc.ServerStream) error { <-g.Context().Done(); return nil },
		"3 registration: the proxy does not say within 10s whether it would accept one: nothing was registered. whether it is a proxy of fodc")
	f(func(grpc.ServerStream) error { return status.Error(codes.Unavailable, "busy") }, "3 registration: Unavailable: busy: nothing was registered. the proxy's log")
	f(func(grpc.ServerStream) error { return nil }, "3 registration: the proxy ended the stream: nothing was registered")
	f(func(g grpc.ServerStream) error { return g.SendMsg(&wire.RegisterAgentResponse{Message: "no\x1b[31m"}) }, "3 registration: the proxy would refuse it: no")
	f(func(g grpc.ServerStream) error {
		first := &wire.RegisterAgentRequest{}
		require.NoError(t, g.RecvMsg(first))
		require.Equal(t, "n1", first.GetNodeId())
		return g.SendMsg(&wire.RegisterAgentResponse{Success: true, Message: "yes"})
	}, "0 registration: yes")
}

// Each step has its time, and the first failure ends the check.
func TestCheckEndsInTime(t *testing.T) {
	never := func(g grpc.ServerStream) error { return nil }
	f := func(change func(*Check), want string, most time.Duration) {
		t.Helper()
		lines, s, took := checkIn(t, never, change)
		require.Contains(t, lines[len(lines)-1], want)
		require.Empty(t, s.called)
		require.LessOrEqual(t, took, most)
	}
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	f(func(c *Check) {
		c.Lookup = func(ctx context.Context, _ string) ([]string, error) { return nil, hang(ctx) }
	}, `3 DNS: "proxy" has no address: no server answers in time`, checkTimeout)
	f(func(c *Check) {
		c.Dial = func(ctx context.Context, _ string) (net.Conn, error) { return nil, hang(ctx) }
	}, "3 TCP: no connection: 10.0.0.1:17900: nothing comes back, 10.0.0.2:17900: nothing comes back. whether a firewall or a NetworkPolicy", checkTimeout)
	f(func(c *Check) {
		c.Dial = func(context.Context, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { _, _ = there.Read(make([]byte, 1<<10)) }()
			return here, nil
		}
	}, "3 HTTP/2: nothing comes on the connection. the port: ", checkTimeout)
	f(func(c *Check) {
		c.Dial = func(context.Context, string) (net.Conn, error) { return nil, errors.New("no route") }
	}, "3 TCP: no connection: 10.0.0.1:17900: no route, 10.0.0.2:17900: no route. the network between", 0)
}

// One address of several that answers is enough, as it is for an agent.
func TestCheckTriesAllAddresses(t *testing.T) {
	lines, _, _ := checkIn(t, func(grpc.ServerStream) error { return status.Error(codes.Unimplemented, "") }, func(c *Check) {
		dial := c.Dial
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "10.0.0.1:") {
				return nil, errors.New("no route")
			}
			return dial(ctx, address)
		}
	})
	require.Contains(t, lines[1], "0 TCP: 10.0.0.2:17900 answers within 0s; others do not: 10.0.0.1:17900: no route")
}

// A certificate that has names of hosts, or a URI, needs no common name.
func TestDescribeCertificate(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := func(want string, c x509.Certificate) {
		t.Helper()
		if c.NotAfter.IsZero() {
			c.NotAfter = now.Add(48 * time.Hour)
		}
		require.Equal(t, want, describe(&c, now))
	}
	named := func(name string) pkix.Name { return pkix.Name{CommonName: name} }
	hosts := []string{"proxy.example"}
	f(`that of "proxy" for "proxy.example", issued by "ca", and expires at 2026-01-03T00:00:00Z, in 2 days`, x509.Certificate{Subject: named("proxy"), DNSNames: hosts, Issuer: named("ca")})
	f(`for "proxy.example", issued by "O=us", and expires at 2026-01-02T06:00:00Z, in 1 day`,
		x509.Certificate{DNSNames: hosts, Issuer: pkix.Name{Organization: []string{"us"}}, NotAfter: now.Add(30 * time.Hour)})
	f(`that of "spiffe://cluster/node/n1" for no host, issued by "ca", and expires at 2026-01-01T06:00:00Z, in less than a day`,
		x509.Certificate{URIs: []*url.URL{{Scheme: "spiffe", Host: "cluster", Path: "/node/n1"}}, Issuer: named("ca"), NotAfter: now.Add(6 * time.Hour)})
	f(`for no host, issued by "ca", and expires at 2026-01-03T00:00:00Z, in 2 days`, x509.Certificate{Issuer: named("ca")})
}
