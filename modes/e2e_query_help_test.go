//go:build e2e && linux

package modes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// apiAnswer is what the query API answers.
type apiAnswer struct {
	code int
	took time.Duration

	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Infos     []string `json:"infos"`
	Data      struct {
		Result []queriedSeries `json:"result"`
	} `json:"data"`
}

type queriedSeries struct {
	Metric map[string]string `json:"metric"`
	Value  point             `json:"value"`
	Values []point           `json:"values"`
}

// point is a value at a time.
type point struct {
	at time.Time
	v  float64
}

func (p *point) UnmarshalJSON(b []byte) error {
	var pair []any
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	at, v, err := 0.0, "", error(nil)
	if len(pair) == 2 {
		at, _ = pair[0].(float64)
		v, _ = pair[1].(string)
	}
	p.at = time.UnixMilli(int64(at * 1000))
	p.v, err = strconv.ParseFloat(v, 64)
	return err
}

// of returns the series of a node.
func (a apiAnswer) of(node string) []queriedSeries {
	var found []queriedSeries
	for _, s := range a.Data.Result {
		if s.Metric["node_id"] == node {
			found = append(found, s)
		}
	}
	return found
}

// ask asks the query API; path is that behind /api/v1/, parameters are name, value, name, value...
func ask(t *testing.T, addr, path string, parameters ...string) (a apiAnswer) {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	begin := time.Now()
	status, body, _, err := get(addr, "/api/v1/"+path+"?"+values.Encode())
	a.took = time.Since(begin)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(body), &a), "%.300s", body)
	a.code = status
	return a
}

func unixText(at time.Time) string { return fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000) }

// askRange asks for the values of an expression each second from a time until now.
func askRange(t *testing.T, addr, expr string, from time.Time) apiAnswer {
	t.Helper()
	a := ask(t, addr, "query_range", "query", expr, "start", unixText(from), "end", unixText(time.Now()), "step", "1")
	require.Equal(t, http.StatusOK, a.code, a.Error)
	return a
}

// peer is an agent of the field that speaks the wire by hand.
type peer struct {
	t    *testing.T
	node string
	// late is how late it answers, in nanoseconds; ahead by how much its clock is.
	late  atomic.Int64
	ahead time.Duration
}

// playPeer registers the peer, beats, and answers each request with one gauge.
func playPeer(t *testing.T, addr, node string, ahead time.Duration) *peer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p := &peer{t: t, node: node, ahead: ahead}
	s := strangerFrom(t, "127.0.0.1", addr)
	reg, welcome := s.register(ctx, p.heartbeat())
	require.True(t, welcome.GetSuccess(), welcome.GetMessage())
	require.NoError(t, reg.Send(p.heartbeat()))
	go func() {
		for beat := time.NewTicker(time.Second); reg.Send(p.heartbeat()) == nil; <-beat.C {
		}
	}()
	answers, err := s.client.StreamMetrics(withAgentID(ctx, welcome.GetAgentId()))
	require.NoError(t, err)
	go p.answer(answers)
	return p
}

func (p *peer) now() time.Time { return time.Now().Add(p.ahead) }

// heartbeat says how far the peer's clock is off, as an agent of ours has measured it.
func (p *peer) heartbeat() *wire.RegisterAgentRequest {
	return &wire.RegisterAgentRequest{NodeId: p.node, NodeRole: "ROLE_DATA", PodName: p.node, Clock: timestamppb.New(p.now()),
		RoundTrip: durationpb.New(time.Millisecond), ClockOffset: durationpb.New(-p.ahead)}
}

func (p *peer) answer(answers grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse]) {
	for {
		asked, err := answers.Recv()
		if err != nil {
			return
		}
		time.Sleep(time.Duration(p.late.Load()))
		from, now := p.now(), p.now()
		if asked.GetStartTime() != nil || asked.GetEndTime() != nil {
			from = now.Add(-20 * time.Second)
		}
		frame := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(now)}
		for at := from.Truncate(time.Second); !at.After(now); at = at.Add(time.Second) {
			frame.Metrics = append(frame.Metrics, &wire.Metric{Name: "played", Value: float64(at.Unix()), Type: wire.MetricType_METRIC_TYPE_GAUGE,
				Labels: map[string]string{"pod_name": p.node, "node_role": "ROLE_DATA"}, Timestamp: timestamppb.New(at)})
		}
		if answers.Send(frame) != nil {
			return
		}
	}
}
