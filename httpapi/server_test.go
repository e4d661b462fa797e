package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// pipes is a listener on pipes in memory, so that a server runs in fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

const (
	testReadTimeout  = 2 * time.Second
	testWriteTimeout = 3 * time.Second
)

// serving runs a server of the handler in a bubble of fake time.
func serving(t *testing.T, h http.HandlerFunc, f func(t *testing.T, s *Server, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := newServer(ServerConfig{Handler: h, ReadTimeout: testReadTimeout, WriteTimeout: testWriteTimeout, Log: zap.NewNop()}, p)
		served := make(chan error, 1)
		go func() { served <- s.Serve() }()
		f(t, s, p)
		require.NoError(t, s.Shutdown(t.Context()))
		require.NoError(t, <-served)
	})
}

const request = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

func send(t *testing.T, c net.Conn, text string) *bufio.Reader {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
	return bufio.NewReader(c)
}

func TestServerLetsAHandlerTakeItsTime(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			_, _ = io.WriteString(w, "cancelled")
		case <-time.After(3 * testWriteTimeout):
			_, _ = io.WriteString(w, "whole")
		}
	}
	serving(t, h, func(t *testing.T, _ *Server, p *pipes) {
		c := p.dial()
		defer c.Close()
		in := send(t, c, request)
		for range 2 { // The connection serves another request.
			resp, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "whole", string(body))
			send(t, c, request)
		}
		_, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
	})
}

func TestServerCancelsWhenTheClientLeaves(t *testing.T) {
	var left chan time.Duration
	h := func(_ http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		<-r.Context().Done()
		left <- time.Since(begin)
	}
	serving(t, h, func(t *testing.T, _ *Server, p *pipes) {
		left = make(chan time.Duration, 1) // Of the bubble.
		c := p.dial()
		send(t, c, request)
		time.Sleep(5 * time.Second)
		require.NoError(t, c.Close())
		require.Equal(t, 5*time.Second, <-left)
	})
}

func TestServerCutsAReaderThatStalls(t *testing.T) {
	var failed chan time.Duration
	h := func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Second)
		begin := time.Now()
		chunk := make([]byte, 32<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				failed <- time.Since(begin)
				return
			}
		}
	}
	serving(t, h, func(t *testing.T, _ *Server, p *pipes) {
		failed = make(chan time.Duration, 1) // Of the bubble.
		c := p.dial()
		defer c.Close()
		send(t, c, request)
		require.Equal(t, testWriteTimeout, <-failed)
	})
}

func TestServerEndsConnectionsThatDoNothing(t *testing.T) {
	serving(t, func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, _ *Server, p *pipes) {
		f := func(sent string, want time.Duration) {
			t.Helper()
			c := p.dial()
			defer c.Close()
			begin := time.Now()
			in := send(t, c, sent)
			_, err := io.Copy(io.Discard, in)
			require.NoError(t, err)
			require.Equal(t, want, time.Since(begin))
		}
		f("", testReadTimeout)
		f("GET /x HTTP/1.1\r\nHost:", testReadTimeout)
		f(request, idleTimeout)
	})
}

func TestServerBoundsHeaders(t *testing.T) {
	serving(t, func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, _ *Server, p *pipes) {
		c := p.dial()
		defer c.Close()
		go func() {
			_, _ = io.WriteString(c, "GET /?"+strings.Repeat("x", 2*maxHeaderBytes)+" HTTP/1.1\r\nHost: h\r\n\r\n")
		}()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
	})
}

func TestServerHeadHasNoBody(t *testing.T) {
	fake := newFakeProxy()
	fake.collection = threeNodes()
	serving(t, fake.handler.ServeHTTP, func(t *testing.T, _ *Server, p *pipes) {
		c := p.dial()
		defer c.Close()
		in := send(t, c, "HEAD /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Contains(t, string(text), "HTTP/1.1 200 OK\r\n")
		require.Contains(t, string(text), "X-Fodc-Missing: n2=timeout,n3=unconnected\r\n")
		require.True(t, strings.HasSuffix(string(text), "\r\n\r\n"), string(text))
		require.NotContains(t, string(text), "# TYPE")
	})
}

// A client can tell that a response was cut off in the middle.
func TestServerCutsABrokenAnswer(t *testing.T) {
	for _, accept := range []string{"", "gzip"} {
		h := newRouter("x", readEndpoints([]route{{"/x", "", func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = w.Write([]byte(strings.Repeat("line\n", 10<<10)))
			return errors.New("no more")
		}}}), nil, nil, zap.NewNop(), nil)
		serving(t, h.ServeHTTP, func(t *testing.T, _ *Server, p *pipes) {
			c := p.dial()
			defer c.Close()
			in := send(t, c, "GET /x HTTP/1.1\r\nHost: h\r\nAccept-Encoding: "+accept+"\r\n\r\n")
			resp, err := http.ReadResponse(in, nil)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
			}
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, accept)
		})
	}
}

// Requests that take long can be told to end.
func TestCancelEndsTheContextsOfRequests(t *testing.T) {
	ended := make(chan error, 1)
	h := func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		ended <- r.Context().Err()
	}
	serving(t, h, func(t *testing.T, s *Server, p *pipes) {
		c := p.dial()
		defer c.Close()
		send(t, c, request)
		synctest.Wait()
		require.Empty(t, ended)
		s.Cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestShutdownWaitsForRequestsButNotForUnusedConnections(t *testing.T) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Second)
		_, _ = io.WriteString(w, "whole")
	}
	serving(t, h, func(t *testing.T, s *Server, p *pipes) {
		busy, unused := p.dial(), p.dial()
		defer busy.Close()
		defer unused.Close()
		answered := make(chan string, 1)
		in := send(t, busy, request)
		go func() {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				answered <- err.Error()
				return
			}
			body, _ := io.ReadAll(resp.Body)
			answered <- string(body)
		}()
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, s.Shutdown(t.Context()))
		require.Less(t, time.Since(begin), 1700*time.Millisecond, "http.Server looks every half second at most")
		require.Equal(t, "whole", <-answered)
		_, err := unused.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	})
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	h := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	serving(t, h, func(t *testing.T, s *Server, p *pipes) {
		c := p.dial()
		defer c.Close()
		send(t, c, request)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := s.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "wait for the HTTP requests on pipe")
		require.Equal(t, time.Second, time.Since(begin))
	})
}

func TestListen(t *testing.T) {
	fake := newFakeProxy()
	cfg := ServerConfig{Addr: "127.0.0.1:0", Handler: fake.handler, ReadTimeout: time.Minute, WriteTimeout: time.Minute, Log: zap.NewNop()}
	s, err := Listen(cfg)
	require.NoError(t, err)
	require.NotZero(t, s.Addr().(*net.TCPAddr).Port)

	cfg.Addr = s.Addr().String()
	_, err = Listen(cfg)
	require.ErrorContains(t, err, cfg.Addr)
	require.ErrorContains(t, err, "address already in use")

	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	transport := &http.Transport{}
	resp, err := (&http.Client{Transport: transport}).Get("http://" + cfg.Addr + "/-/healthy")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "healthy\n", string(body))
	transport.CloseIdleConnections()
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, <-served)

	// The address is free again, also if Serve was never called.
	s, err = Listen(cfg)
	require.NoError(t, err)
	require.NoError(t, s.Shutdown(t.Context()))
	s, err = Listen(cfg)
	require.NoError(t, err)
	require.NoError(t, s.Shutdown(t.Context()))
}
