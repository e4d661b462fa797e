package actorstest

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// inMemory serves what register adds, and returns a connection to it.
func inMemory(t *testing.T, register func(*grpc.Server)) *grpc.ClientConn {
	l, server := bufconn.Listen(1<<20), grpc.NewServer()
	register(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		<-done
	})
	return conn
}

func TestPlainPeersUnderstandEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := NewPlainProxy(messages.StreamSchema)
		conn := inMemory(t, p.Register)
		a, err := RegisterPlainAgent(ctx, conn, Fields{"nodeRole": "liaison", "podName": "p1"})
		require.NoError(t, err)
		s, err := p.Session(ctx, 0)
		require.NoError(t, err)
		require.Equal(t, s.Key, a.Key)
		require.NoError(t, a.Beat(Fields{"podName": "p1"}))
		synctest.Wait()
		require.Len(t, s.Requests(), 2)

		node := Fields{"metadata": Fields{"name": "n1"}, "roles": []any{2.0}, "labels": Fields{"type": "hot"}}
		served, err := a.Serve(messages.StreamTopology, func(Fields) []Fields {
			return []Fields{{"topology": Fields{"nodes": []any{node}}}}
		})
		require.NoError(t, err)
		got, err := s.Collect(ctx, messages.StreamTopology, PlainQuestion(messages.StreamTopology), Count(1))
		require.NoError(t, err)
		require.Equal(t, []Fields{{"topology": Fields{"nodes": []any{node}}}}, got)
		require.Equal(t, []Fields{{"requestTopology": true}}, served.Questions())

		stream, err := a.Open(messages.StreamProfiles)
		require.NoError(t, err)
		require.NoError(t, stream.Send(Fields{"record": Fields{"profileId": "x", "rssBytes": "18446744073709551615"}}, Fields{"listComplete": Fields{"requestId": "1"}}))
		got, err = s.Answers(ctx, messages.StreamProfiles, Until("listComplete"))
		require.NoError(t, err)
		require.Equal(t, "18446744073709551615", Field(got[0], "record.rssBytes"))
		require.NoError(t, s.Ask(ctx, messages.StreamProfiles, Fields{"fetchProfile": Fields{"requestId": "2", "type": "heap"}}))
		q, err := stream.Receive()
		require.NoError(t, err)
		require.Equal(t, "heap", Field(q, "fetchProfile.type"))
		require.NoError(t, stream.SendRaw([]byte{0x1a, 2, 0x28, 1}))
		got, err = s.Answers(ctx, messages.StreamProfiles, Until("chunk.last"))
		require.NoError(t, err)
		require.Equal(t, []Fields{{"chunk": Fields{"last": true}}}, got)
		require.Equal(t, []messages.Stream{messages.StreamProfiles, messages.StreamTopology}, s.Streams())

		refused, err := a.Open(messages.StreamSchema)
		require.NoError(t, err)
		_, err = refused.Receive()
		require.Equal(t, codes.Unimplemented, status.Code(err))

		require.NoError(t, stream.CloseSend())
		_, err = s.Answers(ctx, messages.StreamProfiles, Count(1))
		require.ErrorIs(t, err, io.EOF)

		short, cancelShort := context.WithTimeout(ctx, time.Second)
		defer cancelShort()
		_, err = s.Answers(short, messages.StreamTopology, Count(1))
		require.ErrorIs(t, err, context.DeadlineExceeded)

		require.NoError(t, a.Leave())
		<-a.Done()
		require.ErrorIs(t, a.Err(), io.EOF)
		require.ErrorIs(t, s.Ended(), io.EOF)
		a.Close()
		<-served.Done()
		require.Error(t, served.Err())
	})
}

func TestEachStreamHasItsMessages(t *testing.T) {
	require.Len(t, plainMethods, 6)
	for s, method := range plainMethods {
		require.NotPanics(t, func() { Baseline(method.question, PlainQuestion(s)) })
		require.NotNil(t, NewBaseline(method.answer).Descriptor())
	}
	require.Panics(t, func() { Baseline("StreamClusterTopologyRequest", Fields{"requestId": "1"}) }, "it is not of the baseline")
}

func TestFakeDatabaseAnswersAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewFakeDatabase()
		conn := inMemory(t, d.Register)
		call := func(method, response string) (Fields, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			m := NewBaseline(response)
			if err := conn.Invoke(ctx, method, NewBaseline("Other"), m); err != nil {
				return nil, err
			}
			return BaselineFields(m), nil
		}
		_, err := call(GetCurrentNode, "GetCurrentNodeResponse")
		require.Equal(t, codes.Unimplemented, status.Code(err))

		state := Fields{"routeTables": Fields{"tire1": Fields{"active": []any{"n1"}, "registered": []any{Fields{"metadata": Fields{"name": "n1"}}}}}}
		d.Set(GetClusterState, FakeCall{Answer: state, Delay: 5 * time.Second})
		start := time.Now()
		got, err := call(GetClusterState, "GetClusterStateResponse")
		require.NoError(t, err)
		require.Equal(t, state, got)
		require.Equal(t, 5*time.Second, time.Since(start))

		d.Set(InspectAll, FakeCall{Err: status.Error(codes.Unavailable, "starting")})
		_, err = call(InspectAll, "InspectAllResponse")
		require.Equal(t, codes.Unavailable, status.Code(err))
		d.Set(InspectAll, FakeCall{Delay: -1})
		_, err = call(InspectAll, "InspectAllResponse")
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		d.Unset(InspectAll)
		_, err = call(InspectAll, "InspectAllResponse")
		require.Equal(t, codes.Unimplemented, status.Code(err))
		require.Equal(t, 3, d.Calls(InspectAll))
	})
}

func TestFakeDatabaseHasProfiles(t *testing.T) {
	d := NewFakeDatabase()
	services, profiles, err := d.Listen()
	require.NoError(t, err)
	defer d.Close()
	require.NotEqual(t, services, profiles)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, []byte, error) {
		r, err := client.Get("http://" + profiles + path)
		require.NoError(t, err)
		defer func() { _ = r.Body.Close() }()
		b, err := io.ReadAll(r.Body)
		return r.StatusCode, b, err
	}
	code, _, _ := get("/debug/pprof/heap")
	require.Equal(t, http.StatusNotFound, code)
	d.SetProfile("heap", FakeProfile{Body: []byte("abc"), Size: 8})
	code, body, err := get("/debug/pprof/heap?gc=1")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "abcabcab", string(body))
	d.SetProfile("goroutine", FakeProfile{Body: []byte("no"), Status: http.StatusInternalServerError})
	code, body, _ = get("/debug/pprof/goroutine")
	require.Equal(t, http.StatusInternalServerError, code)
	require.Equal(t, "no", string(body))
	d.SetProfile("heap", FakeProfile{Body: []byte("abc"), Announced: 10})
	_, _, err = get("/debug/pprof/heap")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, []string{"/debug/pprof/heap", "/debug/pprof/heap?gc=1", "/debug/pprof/goroutine", "/debug/pprof/heap"}, d.Requests())
}
