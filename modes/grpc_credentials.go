package modes

import (
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"fodc/actors/proxy"
	"fodc/modes/certs"
	"fodc/modes/files"
	"fodc/modes/tokens"
)

const (
	agentTokenFileFlag = "grpc-agent-token-file"
	// agentRole is the role of the tokens in --grpc-agent-token-file.
	agentRole = "agent"
	// ownTokenName is the name of the token that the agent in this process has.
	ownTokenName = "this process"
)

// grpcSecurity is who may connect to a proxy's gRPC server, and how.
type grpcSecurity struct {
	server     *certs.Server // nil: without TLS
	nodeIDFrom proxy.NodeIDFrom
	tokens     *agentTokens // nil: agents need none
	// own is the certificate of the agent in this process; nil: there is none, or it needs none.
	own *tls.Certificate
}

// start reads the files. changed is called when an agent may not be accepted any more that was.
func (c GRPCTLSConfig) start(w *files.Watcher, changed func()) (*grpcSecurity, error) {
	s := &grpcSecurity{nodeIDFrom: proxy.NodeIDFrom(c.NodeIDFrom)}
	if c.CertFile != "" {
		if err := s.startTLS(c, w, changed); err != nil {
			return nil, err
		}
	}
	if c.TokenFile == "" {
		return s, nil
	}
	table, err := files.Watch(w, agentTokenFileFlag, tokensOf(c.TokenFile, agentRole), func(tokens.Table) { changed() })
	if err != nil {
		return nil, err
	}
	s.tokens = &agentTokens{table: table.Get}
	if c.localNode != "" {
		s.tokens.own = rand.Text()
	}
	return s, nil
}

// tokensOf loads a file of tokens with the roles.
func tokensOf(path string, roles ...string) files.Load[tokens.Table] {
	return func(r *files.Reader, _ time.Time) (files.Loaded[tokens.Table], error) {
		content, err := r.Read(path)
		if err != nil {
			return files.Loaded[tokens.Table]{}, err
		}
		table, err := tokens.Parse(content, roles...)
		if err != nil {
			return files.Loaded[tokens.Table]{}, fmt.Errorf("%q: %w", path, err)
		}
		return files.Loaded[tokens.Table]{Value: table}, nil
	}
}

// configure lets the proxy's actors ask agents who they are.
func (s *grpcSecurity) configure(c *proxy.Config) {
	c.Credentials.NodeIDFrom = s.nodeIDFrom
	if s.tokens != nil {
		c.Credentials.Tokens = s.tokens
	}
	if s.server == nil {
		return
	}
	c.TLS = s.server.Config
	if s.server.Clients != nil {
		c.Credentials.Certificates = true
		c.Credentials.Trusted = func(chain []*x509.Certificate) bool { return s.server.Verify(chain) == nil }
	}
	if s.own != nil {
		c.Credentials.Own = s.own.Leaf
	}
}

// agentTokens are the tokens of agents: those of the file, and that of the agent in this process.
type agentTokens struct {
	table func() tokens.Table
	own   string // in memory only; empty: there is no agent in this process
}

var _ proxy.TokenTable = (*agentTokens)(nil)

// Find implements proxy.TokenTable.
func (t *agentTokens) Find(token string) (name string, ok bool) {
	if t.own != "" && subtle.ConstantTimeCompare([]byte(token), []byte(t.own)) == 1 {
		return ownTokenName, true
	}
	name, _, ok = t.table().Find(token)
	return name, ok
}

// Has implements proxy.TokenTable.
func (t *agentTokens) Has(name string) bool {
	return t.own != "" && name == ownTokenName || t.table().Has(name)
}

// open returns what the log says of a proxy to which everybody may connect; empty: it is not one.
func (c GRPCTLSConfig) open(bound net.Addr) string {
	switch {
	case isLoopback(bound.String()), c.TokenFile != "":
		return ""
	case c.CertFile == "":
		return "agents connect without TLS: who can reach --grpc-listen-addr may register, and who is between may read and change what agents send; " +
			"--grpc-tls-cert-file and --grpc-client-ca-file change that"
	case c.ClientCAFile == "":
		return "agents connect with TLS, and need no certificate: who can reach --grpc-listen-addr may register; --grpc-client-ca-file changes that"
	case c.ClientAuth == clientAuthOptional:
		return "agents need no certificate, as --grpc-client-auth is optional: who can reach --grpc-listen-addr may register"
	}
	return ""
}

// readable returns a warning for a proxy whose agents' tokens may be read on their way; empty: there is none.
func (c GRPCTLSConfig) readable(bound net.Addr) string {
	if c.TokenFile == "" || c.CertFile != "" || isLoopback(bound.String()) {
		return ""
	}
	return "agents show tokens without TLS: who is between may read them, and register with them, unless what is in front of --grpc-listen-addr ends TLS; " +
		"--grpc-tls-cert-file changes that"
}
