package modes

import (
	"net/http"
	"net/url"
	"strings"

	"fodc/actors/agent/mask"
	"fodc/actors/proxy"
	"fodc/httpapi/access"
	"fodc/modes/certs"
	"fodc/modes/httpconfig"
	"fodc/modes/webconfig"
)

const (
	lookAtWeb         = "the field in the documentation of web configurations of Prometheus' exporter-toolkit"
	lookAtAgentTokens = "the line: NAME, agent, and sha256:HEX"
	lookAtTokens      = "the line: NAME, read or operate, and sha256:HEX"
)

// checkAgents says which agents may connect, and who is told about incidents.
func (c ProxyConfig) checkAgents(r *configReport) {
	t := c.GRPCTLS
	whose := "a certificate that cannot be read"
	if t.CertFile != "" {
		if pair, ok := loadPair(r, certs.File{Flag: "grpc-tls-cert-file", Path: t.CertFile}, certs.File{Flag: "grpc-tls-key-file", Path: t.KeyFile}); ok {
			whose = "the certificate of " + subjectOf(pair)
		}
	}
	how := "without TLS"
	if t.CertFile != "" {
		how = "with TLS " + t.MinVersion + " or newer, and " + whose
	}
	r.fact("agents connect to %s %s: %s may register", c.GRPCListenAddr, how, c.checkRegistering(r))
	if text := t.readable(textAddr(c.GRPCListenAddr)); text != "" {
		r.warn(agentTokenFileFlag, "%s", text)
	}
	if text := t.open(textAddr(c.GRPCListenAddr)); text != "" {
		r.warn("grpc-listen-addr", "%s", text)
	}
	c.checkTold(r)
}

// checkRegistering says which agents may register.
func (c ProxyConfig) checkRegistering(r *configReport) string {
	t := c.GRPCTLS
	var must []string
	if t.ClientCAFile != "" {
		loadFor(r, "grpc-client-ca-file", lookAtAuthority, certs.Pool(certs.File{Flag: "grpc-client-ca-file", Path: t.ClientCAFile}))
		names := "whose names allow the node id (--grpc-node-id-from " + t.NodeIDFrom + ")"
		if t.NodeIDFrom == string(proxy.NodeIDFromNone) {
			names = "for any node id (--grpc-node-id-from none)"
		}
		if t.ClientAuth == clientAuthOptional {
			must = append(must, "none, or a certificate of an authority in --grpc-client-ca-file "+names)
		} else {
			must = append(must, "a certificate of an authority in --grpc-client-ca-file "+names)
		}
	}
	if t.TokenFile != "" {
		r.checkSecret(agentTokenFileFlag, t.TokenFile)
		many := "one of the tokens in --grpc-agent-token-file"
		if table, ok := loadFor(r, agentTokenFileFlag, lookAtAgentTokens, tokensOf(t.TokenFile, agentRole)); ok {
			if many = "one of " + counted(table.Len(), "token"); table.Len() == 1 {
				many = "the token in --grpc-agent-token-file"
			}
		}
		must = append(must, many)
	}
	if len(must) == 0 {
		return "all that reach the address"
	}
	return "those with " + strings.Join(must, ", and ")
}

// textAddr is an address that is not bound yet.
type textAddr string

func (textAddr) Network() string  { return "tcp" }
func (a textAddr) String() string { return string(a) }

func (c ProxyConfig) checkTold(r *configReport) {
	how := "nothing that shows who asks"
	if path := c.AlertmanagerConfigFile; path != "" {
		read, certificates, err := httpconfig.Load(path, r.reader(alertmanagerConfigFlag, path))
		if err == nil {
			_, err = httpconfig.NewClient(read, http.DefaultTransport.(*http.Transport).Clone())
		}
		if err != nil {
			r.problem(alertmanagerConfigFlag, err, lookAtSettings)
			how = "settings that cannot be read"
		} else {
			r.expire(alertmanagerConfigFlag, certificates)
			how = httpconfig.Describe(read)
		}
	}
	for _, text := range c.AlertmanagerURLs {
		if u, err := url.Parse(text); err == nil && u.User != nil {
			u.User = nil
			text = u.String()
		}
		r.fact("tells the Alertmanager %s of incidents, with %s", mask.Text(text), how)
	}
}

// checkWeb says who may ask over HTTP. flag is the one of the first address.
func (r *configReport) checkWeb(flag string, c WebConfig, listen ...string) {
	scheme, asks := "http", false
	var who []string
	if c.TokenFile != "" {
		asks = true
		many := "those with a token"
		if table, ok := loadFor(r, tokenFileFlag, lookAtTokens, tokensOf(c.TokenFile, access.RoleRead, access.RoleOperate)); ok {
			many = counted(table.Len(), "token")
		}
		who = append(who, many)
		r.checkSecret(tokenFileFlag, c.TokenFile)
	}
	if c.File != "" {
		web, ok := loadFor(r, webconfig.Flag, lookAtWeb, webconfig.NewLoader(c.File, c.TokenFile != "").Load)
		if !ok {
			return
		}
		if web.TLS != nil {
			scheme = "https"
		}
		if n := len(web.Access.Users); n > 0 {
			who = append(who, counted(n, "user")+" with a password")
		}
		if web.Access.CertificateRequired {
			who = append(who, "certificates of clients")
		}
		asks = asks || web.Access.Asks()
	}
	open := openAddrs(listen)
	for _, addr := range listen {
		if asks {
			r.fact("answers %s on %s to %s", strings.ToUpper(scheme), addr, strings.Join(who, ", "))
			continue
		}
		r.fact("answers %s on %s to all that reach it", strings.ToUpper(scheme), addr)
	}
	switch {
	case len(open) == 0:
	case !asks:
		r.warn(flag, "HTTP is open on %s: all who reach it can read everything; --web-config-file and --bearer-token-file let in those who show who they are", strings.Join(open, " and "))
	case scheme == "http" && c.TokenFile != "":
		r.warn(tokenFileFlag, "tokens can be read on the network: tls_server_config in --web-config-file encrypts HTTP on %s", strings.Join(open, " and "))
	case scheme == "http":
		r.warn(webconfig.Flag, "passwords can be read on the network: tls_server_config encrypts HTTP on %s", strings.Join(open, " and "))
	}
}
