package modes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"fodc/actors/agent"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/rules"
	"fodc/modes/certs"
	"fodc/modes/files"
	"fodc/modes/logsink"
	"fodc/modes/scrapeconfig"
)

// What to look at if a file cannot be used.
const (
	lookAtCertificate = "openssl x509 -noout -subject -dates -in FILE, and whether the key was issued with it"
	lookAtAuthority   = "openssl x509 -noout -subject -dates -in FILE: it must have the authorities' certificates in PEM"
	lookAtToken       = "that the file has one line with the token, and nothing else"
	lookAtSettings    = "the field in the documentation of Prometheus (scrape_config, http_config), and docs/scraping.md"
)

// checkNode says what is scraped, and reads the files about the node.
func (c AgentConfig) checkNode(r *configReport) {
	r.fact("the node is %q with the role %s", c.NodeID, orText(c.NodeRole, "that it has at --cluster-state-ports"))
	c.checkScrapes(r)
	for _, name := range c.NodeConfigFiles {
		shown, problems := nodeconfig.Preview(name)
		for _, p := range problems {
			r.problem("node-config-file", asRead(name, p), "fodc check mask "+name)
		}
		if len(problems) == 0 {
			r.fact("of the node's configuration %q, %s would be sent (fodc check mask shows what)", name, counted(len(shown), "value"))
		}
	}
	c.checkNodeFiles(r)
	c.checkRuleFiles(r)
}

// asRead returns why a file cannot be opened, or the text if it can.
func asRead(name, text string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_ = f.Close()
	return errors.New(text)
}

func orText(text, other string) string {
	if text == "" {
		return other
	}
	return fmt.Sprintf("%q", text)
}

func (c AgentConfig) checkScrapes(r *configReport) {
	how := func(string) string { return "nothing that shows who asks" }
	settings := func(string) *agent.EndpointSettings { return nil }
	if c.ScrapeConfigFile != "" {
		made, certificates, err := scrapeconfig.Load(c.ScrapeConfigFile, c.urls(), r.reader(scrapeConfigFlag, c.ScrapeConfigFile))
		if err != nil {
			r.problem(scrapeConfigFlag, err, lookAtSettings)
			how = func(string) string { return "settings that cannot be read" }
		} else {
			defer made.Close()
			r.expire(scrapeConfigFlag, certificates)
			how, settings = made.How, made.Settings
		}
	}
	for _, t := range c.Targets {
		asked := t.URL
		if s := settings(t.URL); s != nil {
			asked = s.URL
		}
		if strings.Contains(how(t.URL), "insecure_skip_verify") {
			r.warn(scrapeConfigFlag, "%s is scraped without a look at its certificate (insecure_skip_verify): anybody between can answer", agent.Target{URL: asked}.Name())
		}
		r.fact("scrapes %s every %s, with %s", agent.Target{URL: asked}.Name(), c.PollInterval, how(t.URL))
	}
}

// checkNodeFiles looks at files that the node writes. They may come later, so they are no problem.
func (c AgentConfig) checkNodeFiles(r *configReport) {
	look := func(flag string, paths ...string) {
		for _, path := range paths {
			if path == "" {
				continue
			}
			f, err := os.Open(path)
			if err == nil {
				_ = f.Close()
				r.fact("reads %q (--%s)", path, flag)
				continue
			}
			if of := (*fs.PathError)(nil); errors.As(err, &of) {
				err = of.Err
			}
			r.warn(flag, "%q cannot be read now: %v", path, err)
		}
	}
	look("node-pid-file", c.NodePIDFile)
	look("node-log-file", c.Crashes.LogFiles...)
	look("crash-source-dir", c.Crashes.Dirs...)
	look("data-dir", c.DataDirs...)
}

func (c AgentConfig) checkRuleFiles(r *configReport) {
	if !c.Incidents.Enabled {
		r.fact("evaluates no rules (--incidents=false)")
		return
	}
	set, err := c.Incidents.loadRules()
	if err != nil { // Validate has read them before.
		r.problem("rule-file", err, "fodc rules check FILE")
		return
	}
	for _, g := range rules.Unmatched(c.Incidents.RuleFiles) {
		r.warn("rule-file", "no file matches %q: one that appears later is read then", g)
	}
	r.fact("evaluates %s", counted(len(set.Rules()), "alerting rule"))
}

// checkLinks says which proxies the agent connects to, and how.
func (c AgentConfig) checkLinks(r *configReport) {
	s := c.Security
	token := ""
	if s.TokenFile != "" {
		if _, ok := loadFor(r, "proxy-token-file", lookAtToken, certs.Token(certs.File{Flag: "proxy-token-file", Path: s.TokenFile})); ok {
			token = ", and shows the token of --proxy-token-file"
		}
		r.checkSecret("proxy-token-file", s.TokenFile)
		if !s.TLS {
			r.warn("proxy-token-file", "the token is shown without TLS, to proxies on this machine alone")
		}
	}
	if !s.TLS {
		for _, addr := range c.ProxyAddrs {
			r.fact("connects to the proxy %s without TLS%s", addr, token)
		}
		if text := s.open(c.ProxyAddrs); text != "" {
			r.warn("proxy-addr", "%s", text)
		}
		return
	}
	roots := "of an authority of the system"
	if s.CAFile != "" {
		roots = "of an authority in --proxy-ca-file"
		loadFor(r, "proxy-ca-file", lookAtAuthority, certs.Pool(certs.File{Flag: "proxy-ca-file", Path: s.CAFile}))
	}
	shown := "no certificate"
	if s.CertFile != "" {
		if pair, ok := loadPair(r, certs.File{Flag: "proxy-cert-file", Path: s.CertFile}, certs.File{Flag: "proxy-key-file", Path: s.KeyFile}); ok {
			shown = "the certificate of " + subjectOf(pair)
			c.checkOwnNames(r, pair.Leaf)
		}
	}
	for _, addr := range c.ProxyAddrs {
		r.fact("connects to the proxy %s with TLS %s or newer; its certificate must be for %q and %s; the agent shows %s%s",
			addr, s.MinVersion, certs.Client{Name: s.ServerName}.Config(addr).ServerName, roots, shown, token)
	}
}

// checkOwnNames warns of a certificate that no proxy takes for that of this node, unless it has another rule.
func (c AgentConfig) checkOwnNames(r *configReport, own *x509.Certificate) {
	if c.NodeID == "" {
		return
	}
	for _, name := range append([]string{own.Subject.CommonName}, own.DNSNames...) {
		if name == c.NodeID || strings.HasPrefix(name, "*.") && strings.HasSuffix(c.NodeID, name[1:]) {
			return
		}
	}
	for _, u := range own.URIs {
		if u.String() == c.NodeID || strings.HasSuffix(u.Path, "/"+c.NodeID) {
			return
		}
	}
	r.warn("proxy-cert-file", "the node id %q is not in the certificate of %q: proxies refuse the agent unless their --grpc-node-id-from is none", c.NodeID, files.Subject(own))
}

func subjectOf(pair *tls.Certificate) string { return fmt.Sprintf("%q", files.Subject(pair.Leaf)) }

// loadPair loads a certificate with its key.
func loadPair(r *configReport, cert, key certs.File) (*tls.Certificate, bool) {
	r.checkSecret(key.Flag, key.Path)
	return loadFor(r, cert.Flag, strings.ReplaceAll(lookAtCertificate, "FILE", logsink.Printable(cert.Path)), certs.Pair(cert, key))
}
