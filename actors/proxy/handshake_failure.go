package proxy

// handshakeFailure is why a connection did not come about.
type handshakeFailure string

const (
	handshakeNone             handshakeFailure = ""                  // nobody has begun one, or the proxy has closed the connection
	handshakeNoTLS            handshakeFailure = "no_tls"            // the peer speaks something else
	handshakeNoCertificate    handshakeFailure = "no_certificate"    // agents must have one, and this has none
	handshakeUnknownAuthority handshakeFailure = "unknown_authority" // its certificate is of an authority that is not trusted
	handshakeExpired          handshakeFailure = "expired"           // its certificate has expired, or is not valid yet
	handshakeVersion          handshakeFailure = "version"           // it speaks older versions of TLS only
	handshakeOther            handshakeFailure = "other"
)

// text says what it means, and what to do about it.
func (f handshakeFailure) text() string {
	switch f {
	case handshakeNoTLS:
		return "the peer speaks no TLS (an agent needs --proxy-tls)"
	case handshakeNoCertificate:
		return "the peer shows no certificate (an agent needs --proxy-cert-file, or this proxy --grpc-client-auth=optional)"
	case handshakeUnknownAuthority:
		return "the peer's certificate is of no authority in --grpc-client-ca-file"
	case handshakeExpired:
		return "the peer's certificate has expired, or is not valid yet"
	case handshakeVersion:
		return "the peer speaks no version of TLS that --grpc-tls-min-version allows"
	default:
		return "see the error"
	}
}
