package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Limits of a connection.
const (
	// maxHeaderTime bounds how long a request's headers may take.
	maxHeaderTime = 5 * time.Second
	// idleTimeout ends connections that wait for a further request.
	idleTimeout = 2 * time.Minute
	// maxHeaderBytes bounds a request's line and headers.
	maxHeaderBytes = 64 << 10
)

// ServerConfig is what a Server must know.
type ServerConfig struct {
	// Addr is host:port; port 0 takes a free one.
	Addr    string
	Handler http.Handler
	// ReadTimeout bounds the time that a request may take to arrive.
	ReadTimeout time.Duration
	// WriteTimeout bounds the time from the first byte of a response to its last.
	WriteTimeout time.Duration
	// TLS returns the newest settings for a connection that begins; nil: HTTP without TLS.
	TLS func() *tls.Config
	Log *zap.Logger
}

// Server is an HTTP server on one address.
type Server struct {
	http     *http.Server
	listener net.Listener
	cancel   context.CancelFunc
	conns    *connections

	mu       sync.Mutex
	stopping bool
	// newConns are the connections that have not sent a request yet.
	newConns map[net.Conn]struct{}
}

// Listen binds the address. The error names it. Connections wait until Serve.
func Listen(cfg ServerConfig) (*Server, error) {
	l, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP on %q: %w", cfg.Addr, err)
	}
	return newServer(cfg, l), nil
}

func newServer(cfg ServerConfig, l net.Listener) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{listener: l, cancel: cancel, newConns: map[net.Conn]struct{}{}}
	s.conns = newConnections(cfg.Log, connectionLimits())
	s.http = &http.Server{
		Handler:           s.withLimits(cfg.Handler, cfg.WriteTimeout),
		HTTP2:             http2Limits(cfg.WriteTimeout),
		ReadHeaderTimeout: min(maxHeaderTime, cfg.ReadTimeout),
		ReadTimeout:       cfg.ReadTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          connectionLog(cfg.Log),
		ConnState:         s.onConnState,
		ConnContext:       withConn,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	if cfg.TLS != nil {
		// Whether a connection has HTTP/2 is up to the settings at its beginning.
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return s.conns.settingsFor(hello, cfg.TLS()), nil
		}}
	}
	return s
}

// Addr returns the bound address.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves requests until Shutdown, and returns nil then.
func (s *Server) Serve() error {
	serve := s.http.Serve
	if s.http.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(handshakeListener{l, s.conns}, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown accepts no more requests and waits for those under way. When ctx ends first, their
// connections are closed, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeNewConns()
	err := s.http.Shutdown(ctx)
	s.cancel()
	// http.Server closes the listener only if it serves already.
	_ = s.listener.Close()
	if err != nil {
		_ = s.http.Close()
		return fmt.Errorf("wait for the HTTP requests on %s: %w", s.Addr(), err)
	}
	return nil
}

// Cancel ends the contexts of the requests under way, and of those that come.
func (s *Server) Cancel() { s.cancel() }

// closeNewConns closes the connections without a request, and from then on those that come:
// http.Server would wait five seconds for each. Browsers open such connections in advance.
func (s *Server) closeNewConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.newConns {
		closeNow(c)
	}
}

// closeNow closes a connection without a farewell of TLS, for which a peer that does not read could make it wait.
func closeNow(c net.Conn) { _ = rawOf(c).Close() }

func (s *Server) onConnState(c net.Conn, state http.ConnState) {
	s.conns.onState(c, state)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.newConns, c)
	case s.stopping:
		closeNow(c)
	default:
		s.newConns[c] = struct{}{}
	}
}

// withLimits lets the write timeout begin with the response. That of http.Server begins
// with the request, and would cut off the response to a collection that took its whole budget.
// Meanwhile the connection is not closed for another one.
func (s *Server) withLimits(h http.Handler, writeTimeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &timeoutWriter{ResponseWriter: w, timeout: writeTimeout, cork: corkOf(r)}
		defer p.cork.pull()
		s.conns.whileUsed(r, func() { h.ServeHTTP(p, r) })
	})
}

// timeoutWriter sets the write deadline when the response begins.
type timeoutWriter struct {
	http.ResponseWriter
	timeout time.Duration
	begun   bool
	cork    cork
}

func (w *timeoutWriter) begin() {
	if !w.begun {
		w.begun = true
		// A connection that cannot take it fails at the write that follows.
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.timeout))
	}
}

func (w *timeoutWriter) WriteHeader(code int) {
	w.begin()
	w.ResponseWriter.WriteHeader(code)
}

func (w *timeoutWriter) Write(b []byte) (int, error) {
	w.begin()
	w.cork.put(len(b))
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher. An error shows at the write that follows.
func (w *timeoutWriter) Flush() {
	w.begin()
	w.cork.pull()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *timeoutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
