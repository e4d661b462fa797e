package agent

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// The steps of a connection.
const (
	stepTLS         = "TLS"
	stepCertificate = "certificate"
	stepHTTP2       = "HTTP/2"
)

// expiresSoon is the time before the end of a certificate in which a check warns.
const expiresSoon = 7 * 24 * time.Hour

// clientPreface and emptySettings are the first bytes of a client of HTTP/2 (RFC 9113, sections 3.4 and 6.5).
const (
	clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	emptySettings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
)

// handshake is what a check has seen of TLS.
type handshake struct {
	proxy   []*x509.Certificate // as the proxy has sent them, its own first
	asked   bool                // the proxy asks for a certificate of this agent
	shown   *x509.Certificate   // the agent's; nil: it has none
	alerted error               // what the proxy has said; nil: nothing
}

// speak makes a handshake on the connection, and looks whether a server of HTTP/2 answers.
func (k *checking) speak(ctx context.Context, raw net.Conn) {
	_ = raw.SetDeadline(time.Now().Add(checkTimeout))
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if k.Security.TLS == nil {
		k.say(stepTLS, CheckSkipped, "not used, since --proxy-tls is not given: who is between can read and change what is sent")
		k.checkHTTP2(raw, nil)
		return
	}
	h := &handshake{}
	conn := tls.Client(raw, h.watch(k.Security.TLS(k.Address)))
	if err := conn.HandshakeContext(ctx); err != nil {
		k.fail(stepTLS, strings.Join(append([]string{k.whyNoTLS(err)}, h.sawCertificate()...), "; "), "")
		return
	}
	k.saySecured(conn.ConnectionState())
	k.checkHTTP2(alertConn{conn, func(err error) { h.alerted = err }}, h)
}

func (k *checking) whyNoTLS(err error) string {
	switch {
	case isTimeout(err):
		return "the handshake does not end: the address accepts connections, and says nothing; a proxy that speaks no TLS needs --grpc-tls-cert-file"
	case errors.Is(err, io.EOF):
		return "the address ends the connection in the handshake: a server that speaks no TLS, or a load balancer without a proxy behind it"
	}
	return explainTLS(err, time.Now())
}

// watch returns the configuration, which notes what it sees.
func (h *handshake) watch(c *tls.Config) *tls.Config {
	c = c.Clone()
	verify, certificate := c.VerifyConnection, c.GetClientCertificate
	c.VerifyConnection = func(s tls.ConnectionState) error {
		h.proxy = s.PeerCertificates
		if verify == nil {
			return nil
		}
		return verify(s)
	}
	c.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		h.asked = true
		if certificate == nil {
			return &tls.Certificate{}, nil
		}
		own, err := certificate(info)
		if err == nil && own != nil {
			h.shown = own.Leaf
		}
		return own, err
	}
	return c
}

// sawCertificate says what the certificate of the proxy is, if it has sent one.
func (h *handshake) sawCertificate() []string {
	if len(h.proxy) == 0 {
		return nil
	}
	return []string{"it is " + describe(h.proxy[0], time.Now())}
}

func (k *checking) saySecured(s tls.ConnectionState) {
	text := tls.VersionName(s.Version) + ", the proxy's certificate is " + describe(s.PeerCertificates[0], time.Now())
	if time.Until(s.PeerCertificates[0].NotAfter) < expiresSoon {
		k.say(stepTLS, CheckWarned, text)
		return
	}
	k.say(stepTLS, CheckPassed, text)
}

// describe says whose a certificate is, if it names somebody, for which hosts, by whom, and until when.
func describe(c *x509.Certificate, now time.Time) string {
	text := fmt.Sprintf("for %s, issued by %q, and ", namesOf(c), cmp.Or(c.Issuer.CommonName, c.Issuer.String()))
	name := c.Subject.CommonName
	if name == "" && len(c.URIs) > 0 {
		name = c.URIs[0].String()
	}
	if name != "" {
		text = fmt.Sprintf("that of %q %s", name, text)
	}
	if now.After(c.NotAfter) || now.Before(c.NotBefore) {
		return text + strings.TrimPrefix(validity(c, now), "it ")
	}
	text += "expires at " + c.NotAfter.UTC().Format(time.RFC3339)
	switch days := int(c.NotAfter.Sub(now) / (24 * time.Hour)); days {
	case 0:
		return text + ", in less than a day"
	case 1:
		return text + ", in 1 day"
	default:
		return text + ", in " + strconv.Itoa(days) + " days"
	}
}

// checkHTTP2 says what the proxy thinks of the agent's certificate, which it says after the handshake, and what it speaks. h is
// nil without TLS.
func (k *checking) checkHTTP2(conn net.Conn, h *handshake) {
	_, err := io.WriteString(conn, clientPreface+emptySettings)
	first := make([]byte, 9)
	n := 0
	if err == nil {
		n, err = io.ReadFull(conn, first)
	}
	if h != nil {
		if k.sayOwnCertificate(h); k.failed {
			return
		}
	}
	isFrame := err == nil && first[3] == 4 && binary.BigEndian.Uint32(first[5:])&(1<<31-1) == 0
	if isFrame {
		k.say(stepHTTP2, CheckPassed, "the server speaks it")
		return
	}
	text, next := explainNoHTTP2(first[:n], err, h == nil)
	k.fail(stepHTTP2, text, next)
}

func (k *checking) sayOwnCertificate(h *handshake) {
	switch {
	case h.alerted != nil:
		text := explainTLS(h.alerted, time.Now())
		if h.shown != nil {
			text += "; it is " + describe(h.shown, time.Now())
		}
		k.fail(stepCertificate, text, "")
	case !h.asked && k.Security.TLS(k.Address).GetClientCertificate != nil:
		k.say(stepCertificate, CheckSkipped, "the proxy asks for none, so that of --proxy-cert-file is not used")
	case !h.asked:
		k.say(stepCertificate, CheckSkipped, "the proxy asks for none")
	case h.shown == nil:
		k.say(stepCertificate, CheckSkipped, "the proxy asks for one, and accepts that there is none")
	case time.Until(h.shown.NotAfter) < expiresSoon:
		k.say(stepCertificate, CheckWarned, "the proxy asks for one; this agent's is "+describe(h.shown, time.Now()))
	default:
		k.say(stepCertificate, CheckPassed, "the proxy asks for one; this agent's is "+describe(h.shown, time.Now()))
	}
}

// explainNoHTTP2 says what has come in the place of a frame of HTTP/2.
func explainNoHTTP2(first []byte, err error, plain bool) (text, next string) {
	const ports = "the port: agents connect to --grpc-listen-addr (17900 by default), and not to --http-listen-addr (17901)"
	switch {
	case strings.HasPrefix(string(first), "HTTP/1"):
		return "a server of HTTP/1 answers, and none of gRPC", ports
	case plain && len(first) > 1 && first[0] == 0x15 && first[1] == 3: // a record with an alert
		return "the proxy wants TLS", "--proxy-tls, and --proxy-ca-file if its authority is none of the system's"
	case isTimeout(err):
		return "nothing comes on the connection", ports
	case err != nil && plain:
		return "the server ends the connection: " + dialReason(err), "whether the proxy wants TLS (--proxy-tls), and " + ports
	case err != nil:
		return "the server ends the connection: " + dialReason(err), ports
	}
	return "the server speaks something else", ports
}
