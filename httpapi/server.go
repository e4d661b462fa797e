package httpapi

import (
	"context"
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
	// WriteTimeout bounds the time from the first byte of an answer to its last.
	WriteTimeout time.Duration
	Log          *zap.Logger
}

// Server is an HTTP server on one address.
type Server struct {
	http     *http.Server
	listener net.Listener

	mu       sync.Mutex
	stopping bool
	// unused are the connections that have not sent a request yet.
	unused map[net.Conn]struct{}
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
	s := &Server{listener: l, unused: map[net.Conn]struct{}{}}
	s.http = &http.Server{
		Handler:           paced(cfg.Handler, cfg.WriteTimeout),
		ReadHeaderTimeout: min(maxHeaderTime, cfg.ReadTimeout),
		ReadTimeout:       cfg.ReadTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          connectionLog(cfg.Log),
		ConnState:         s.onConnState,
		ConnContext:       withConn,
	}
	return s
}

// Addr returns the bound address.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests until Shutdown, and returns nil then.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those under way. When ctx ends
// first, they are cut, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeUnused()
	err := s.http.Shutdown(ctx)
	// http.Server closes the listener only if it serves already.
	_ = s.listener.Close()
	if err != nil {
		_ = s.http.Close()
		return fmt.Errorf("wait for the HTTP requests on %s: %w", s.Addr(), err)
	}
	return nil
}

// closeUnused closes connections without a request, those to come included:
// http.Server would wait five seconds for each, as a browser opens them in advance.
func (s *Server) closeUnused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.unused {
		_ = c.Close()
	}
}

func (s *Server) onConnState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.unused, c)
	case s.stopping:
		_ = c.Close()
	default:
		s.unused[c] = struct{}{}
	}
}

// paced lets a handler take the time it needs before it answers. The deadline that
// http.Server sets for writing counts from the arrival of the request: it would cut
// the answer of a collection that kept to its budget.
func paced(h http.Handler, writeTimeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &pacedWriter{ResponseWriter: w, timeout: writeTimeout, cork: corkOf(r)}
		defer p.cork.pull()
		h.ServeHTTP(p, r)
	})
}

// pacedWriter starts the write timeout with the first byte of the answer.
type pacedWriter struct {
	http.ResponseWriter
	timeout time.Duration
	begun   bool
	cork    cork
}

func (w *pacedWriter) begin() {
	if !w.begun {
		w.begun = true
		// A connection that cannot take it fails at the write that follows.
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.timeout))
	}
}

func (w *pacedWriter) WriteHeader(code int) {
	w.begin()
	w.ResponseWriter.WriteHeader(code)
}

func (w *pacedWriter) Write(b []byte) (int, error) {
	w.begin()
	w.cork.put(len(b))
	return w.ResponseWriter.Write(b)
}

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
