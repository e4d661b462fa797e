package modes

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"os"

	"fodc/httpapi"
	"fodc/httpapi/access"
	"fodc/modes/files"
	"fodc/modes/webconfig"

	"go.uber.org/zap"
)

// WebConfig is who may ask the HTTP servers of a process, and how. By default all may.
type WebConfig struct {
	// File is a web configuration: TLS, users, headers. Default "": none.
	File string
	// TokenFile has the tokens of programs. Default "": there are none.
	TokenFile string
	// Operators are the users and names in certificates that may change something. Default none: all of them may.
	Operators []string
}

// maxOperators bounds the names of --http-operator.
const maxOperators = 1000

const tokenFileFlag = "bearer-token-file"

// fileAllowed is the rule of a file that is named by a flag.
const fileAllowed = "must be the path of a file, one line of at most 4096 bytes, in UTF-8"

func (c WebConfig) validate() error {
	return cmp.Or(checkFile(webconfig.Flag, c.File), checkFile(tokenFileFlag, c.TokenFile), c.checkOperators())
}

func checkFile(flag, path string) error {
	if !isText(path) {
		return invalid(flag, path, fileAllowed)
	}
	return nil
}

func (c WebConfig) checkOperators() error {
	for _, name := range c.Operators {
		if name == "" || !isText(name) {
			return invalid("http-operator", name, "must be the name of a user or of a certificate, one line of at most 4096 bytes, in UTF-8")
		}
	}
	if len(c.Operators) > 0 && c.File == "" {
		return invalid("http-operator", c.Operators[0], "needs --web-config-file, which has the users and client certificates")
	}
	return checkDistinct("http-operator", c.Operators, maxOperators)
}

func webOptions(c *WebConfig) []*option {
	return []*option{
		textOption(&c.File, webconfig.Flag, "", "`FILE` of a web configuration, as other programs of Prometheus have it: TLS, client certificates, users with passwords, headers; read again when it changes"),
		textOption(&c.TokenFile, tokenFileFlag, "", "`FILE` of tokens that HTTP requests may have, a line each: NAME, read or operate, and sha256: with the SHA-256 of the token; read again when it changes"),
		listOption(&c.Operators, "http-operator", "`NAME` of a user, or in a client certificate, that may change something over HTTP; may be given several times; without it, all of them may"),
	}
}

// openWeb is what the HTTP servers of a process have in common.
type openWeb struct {
	gate *access.Gate
	// tls is nil for plain HTTP.
	tls func() *tls.Config
}

// open reads the files. listen are the addresses of the servers as they are configured, external where people reach them;
// nil: nobody knows.
func (c WebConfig) open(p Program, external []*url.URL, listen ...string) (*openWeb, error) {
	cfg := access.Config{Operators: c.Operators, Hosts: ownNames(listen), Log: p.Log.Named("http")}
	for _, u := range external {
		if u != nil {
			cfg.ExternalURLs = append(cfg.ExternalURLs, u)
		}
	}
	w := &openWeb{}
	if c.TokenFile != "" {
		table, err := files.Watch(p.Files, tokenFileFlag, tokensOf(c.TokenFile, access.RoleRead, access.RoleOperate), nil)
		if err != nil {
			return nil, err
		}
		cfg.FindToken = func(token string) (name, role string, ok bool) { return table.Get().Find(token) }
	}
	if c.File != "" {
		web, err := files.Watch(p.Files, webconfig.Flag, webconfig.NewLoader(c.File, c.TokenFile != "").Load, nil)
		if err != nil {
			return nil, err
		}
		cfg.Settings = func() *access.Settings { return web.Get().Access }
		if web.Get().TLS != nil { // It stays so.
			w.tls = func() *tls.Config { return web.Get().TLS }
		}
	}
	w.gate = access.New(cfg)
	return w, nil
}

// ownNames returns the names of this machine: its host name, and the hosts of the addresses.
func ownNames(listen []string) (names []string) {
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	for _, addr := range listen {
		if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
			names = append(names, host)
		}
	}
	return names
}

// access is nil-safe: without an openWeb all may ask.
func (w *openWeb) access() *access.Gate {
	if w == nil {
		return nil
	}
	return w.gate
}

func (w *openWeb) tlsOf() func() *tls.Config {
	if w == nil {
		return nil
	}
	return w.tls
}

// refusals returns how many requests were refused, by reason.
func (w *openWeb) refusals() map[string]uint64 {
	if w == nil {
		return nil
	}
	return httpapi.Refusals(w.gate)
}

// logOpen says what strangers can do at servers, unless none can connect. actions: they can change incidents where nobody is asked.
func (w *openWeb) logOpen(log *zap.Logger, actions bool, servers ...*httpapi.Server) {
	if w == nil {
		return
	}
	var addrs []net.Addr
	for _, s := range servers {
		addrs = append(addrs, s.Addr())
	}
	reached := reachedByOthers(addrs)
	if len(reached) == 0 {
		return
	}
	switch http := zap.Strings("http", reached); {
	case !w.gate.Asks() && actions:
		log.Warn("HTTP is open: all who reach the port can read everything, and open and delete incidents, as --allow-remote-actions says; "+
			"--web-config-file and --bearer-token-file let in those who show who they are", http)
	case !w.gate.Asks():
		log.Info("HTTP is open: all who reach the port can read everything; --web-config-file and --bearer-token-file let in those who show who they are", http)
	case w.tls == nil:
		log.Warn("HTTP is not encrypted: passwords and tokens can be read on the network; tls_server_config in --web-config-file encrypts it", http)
	}
}

// reachedByOthers returns the addresses at which not only this machine can connect.
func reachedByOthers(addrs []net.Addr) (reached []string) {
	for _, a := range addrs {
		if addr, err := netip.ParseAddrPort(a.String()); err != nil || !addr.Addr().Unmap().IsLoopback() {
			reached = append(reached, a.String())
		}
	}
	return reached
}

// scheme is that of the servers' URLs.
func (w *openWeb) scheme() string {
	if w != nil && w.tls != nil {
		return "https"
	}
	return "http"
}
