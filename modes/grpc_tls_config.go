package modes

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/netip"

	"fodc/actors/proxy"
	"fodc/messages"
)

// GRPCTLSConfig is how the connections of agents to a proxy are encrypted, and who may connect.
type GRPCTLSConfig struct {
	// CertFile and KeyFile are the proxy's certificate and its key. Default "": connections are not encrypted.
	CertFile, KeyFile string
	// ClientCAFile are the authorities of agents' certificates. Default "": agents show none.
	ClientCAFile string
	// ClientAuth is require or optional: whether agents without a certificate may connect. Default require.
	ClientAuth string
	// NodeIDFrom says which names of its certificate an agent may have: san, cn, any or none. Default any.
	NodeIDFrom string
	// TokenFile has the tokens of agents. Default "": they need none.
	TokenFile string
	// MinVersion is 1.3 or 1.2. Default 1.3.
	MinVersion string

	// localNode is the node of the agent in this process; empty: there is none.
	localNode string
}

const (
	clientAuthRequire  = "require"
	clientAuthOptional = "optional"
	tls12              = "1.2"
	tls13              = "1.3"
)

// tlsVersion returns the number of a version. An empty text is the default.
func tlsVersion(text string) uint16 {
	if text == tls12 {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

func (c GRPCTLSConfig) validate() error {
	const noTLS = "needs --grpc-tls-cert-file and --grpc-tls-key-file: without TLS "
	switch {
	case c.CertFile != "" && c.KeyFile == "":
		return absent("grpc-tls-key-file", "--grpc-tls-cert-file needs its key")
	case c.CertFile == "" && c.KeyFile != "":
		return absent("grpc-tls-cert-file", "--grpc-tls-key-file is the key of a certificate")
	case c.ClientCAFile != "" && c.CertFile == "":
		return invalid("grpc-client-ca-file", c.ClientCAFile, noTLS+"no agent shows a certificate")
	case c.ClientAuth == clientAuthOptional && c.ClientCAFile == "":
		return invalid("grpc-client-auth", c.ClientAuth, "needs --grpc-client-ca-file: without it no agent is asked for a certificate")
	case c.ClientCAFile == "" && c.NodeIDFrom != "" && c.NodeIDFrom != string(proxy.NodeIDFromAny):
		return invalid("grpc-node-id-from", c.NodeIDFrom, "needs --grpc-client-ca-file: without it no agent is asked for a certificate")
	case c.MinVersion == tls12 && c.CertFile == "":
		return invalid("grpc-tls-min-version", c.MinVersion, noTLS+"there is no version of it")
	}
	return nil
}

func grpcTLSOptions(c *GRPCTLSConfig) []*option {
	return []*option{
		fileOption(&c.CertFile, "grpc-tls-cert-file", "`FILE` with the certificate of the gRPC server in PEM, and those between it and its authority; "+
			"agents then connect with --proxy-tls. The file, as those of the next two flags, is read again when it changes"),
		fileOption(&c.KeyFile, "grpc-tls-key-file", "`FILE` with the key of that certificate in PEM"),
		fileOption(&c.ClientCAFile, "grpc-client-ca-file", "`FILE` with the authorities of agents' certificates in PEM: agents need one of them. "+
			"If an authority is removed, the connections of its agents are closed"),
		choiceOption(&c.ClientAuth, "grpc-client-auth", clientAuthRequire, "`RULE` for agents where there is a --grpc-client-ca-file: require a certificate, "+
			"or optional, which lets agents without one connect, too", []string{clientAuthRequire, clientAuthOptional}),
		choiceOption(&c.NodeIDFrom, "grpc-node-id-from", string(proxy.NodeIDFromAny), "`NAMES` of its certificate that an agent may register with, as its node id and its pod name: "+
			"san, the DNS names and the URIs, or the last part of their path; cn, the common name; any of both; or none, which allows all, for nodes that share a certificate", nodeIDFrom()),
		fileOption(&c.TokenFile, agentTokenFileFlag, "`FILE` of tokens, one of which an agent must show: a line each with a name, agent, and sha256: with the SHA-256 of the token; "+
			"read again when it changes. The sessions of agents end when no token of that name is left, so the successor of one that has leaked needs another name"),
		choiceOption(&c.MinVersion, "grpc-tls-min-version", tls13, "lowest `VERSION` of TLS with agents: 1.3 or 1.2", []string{tls13, tls12}),
	}
}

// nodeIDFrom returns the values of --grpc-node-id-from.
func nodeIDFrom() []string {
	return []string{string(proxy.NodeIDFromSAN), string(proxy.NodeIDFromCN), string(proxy.NodeIDFromAny), string(proxy.NodeIDFromNone)}
}

// LinkSecurityConfig is how an agent's connections to its proxies are secured.
type LinkSecurityConfig struct {
	// TLS encrypts connections. Default false.
	TLS bool
	// CAFile are the authorities of proxies' certificates. Default "": those of the system.
	CAFile string
	// CertFile and KeyFile are the agent's own certificate and its key. Default "": none.
	CertFile, KeyFile string
	// ServerName is what proxies' certificates must be for. Default "": the host of the address.
	ServerName string
	// MinVersion is 1.3 or 1.2. Default 1.3.
	MinVersion string
	// TokenFile has what a registration shows. Default "": nothing.
	TokenFile string

	// local is that of an agent with its proxy in the same process.
	local linkSecurity
}

func (c LinkSecurityConfig) validate(addrs []string) error {
	needTLS := func(flag, value string) error {
		if c.TLS || value == "" {
			return nil
		}
		return invalid(flag, value, "needs --proxy-tls: without it connections are not encrypted")
	}
	oldVersion := ""
	if c.MinVersion == tls12 {
		oldVersion = tls12
	}
	var pair error
	switch {
	case c.CertFile != "" && c.KeyFile == "":
		pair = absent("proxy-key-file", "--proxy-cert-file needs its key")
	case c.CertFile == "" && c.KeyFile != "":
		pair = absent("proxy-cert-file", "--proxy-key-file is the key of a certificate")
	}
	return cmp.Or(
		needTLS("proxy-ca-file", c.CAFile), needTLS("proxy-cert-file", c.CertFile), needTLS("proxy-key-file", c.KeyFile),
		needTLS("proxy-server-name", c.ServerName), needTLS("proxy-tls-min-version", oldVersion), pair, c.checkServerName(), c.checkToken(addrs))
}

func (c LinkSecurityConfig) checkServerName() error {
	if c.ServerName == "" || isHost(c.ServerName) {
		return nil
	}
	return invalid("proxy-server-name", c.ServerName, "must be the name of a host, or an IP address")
}

// checkToken refuses a token that could be read on its way.
func (c LinkSecurityConfig) checkToken(addrs []string) error {
	if c.TokenFile == "" || c.TLS {
		return nil
	}
	for _, addr := range addrs {
		if !isLoopback(addr) {
			return invalid("proxy-token-file", c.TokenFile, "needs --proxy-tls, since --proxy-addr %s is not on this machine: the token could be read on its way", shorten(addr))
		}
	}
	return nil
}

// isLoopback reports whether an address is one of this machine's alone.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func linkSecurityOptions(c *LinkSecurityConfig) []*option {
	ca := fileOption(&c.CAFile, "proxy-ca-file", "`FILE` with the authorities of proxies' certificates in PEM. It is read again when it changes, as those of the other flags are")
	ca.defaultText = "those of the system"
	name := textOption(&c.ServerName, "proxy-server-name", "", "`NAME` that the certificates of proxies must be for")
	name.defaultText = "the host of --proxy-addr"
	return []*option{
		boolOption(&c.TLS, "proxy-tls", false, "encrypt connections to proxies; the other flags of TLS need it"),
		ca,
		fileOption(&c.CertFile, "proxy-cert-file", "`FILE` with this agent's certificate in PEM, for proxies with --grpc-client-ca-file"),
		fileOption(&c.KeyFile, "proxy-key-file", "`FILE` with the key of that certificate in PEM"),
		name,
		choiceOption(&c.MinVersion, "proxy-tls-min-version", tls13, "lowest `VERSION` of TLS with proxies: 1.3 or 1.2", []string{tls13, tls12}),
		fileOption(&c.TokenFile, "proxy-token-file", "`FILE` with a token that the agent shows when it registers; without --proxy-tls, only to proxies on this machine"),
	}
}

// fileOption is the option of a file that need not be given.
func fileOption(dst *string, name, usage string) *option {
	o := textOption(dst, name, "", usage)
	o.parse = func(texts []string) error {
		if len(texts) == 0 {
			return nil
		}
		*dst = texts[0]
		if !isText(*dst) {
			return invalid(name, *dst, "must be a path of at most %d bytes without control characters", messages.MaxTextBytes)
		}
		return nil
	}
	return o
}
