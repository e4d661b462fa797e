package httpapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// However often requests end in an internal error, the log is bounded; the metrics count each.
func TestFaultsInTheLogAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeProxy()
		p.collectErr = errors.New("out of cheese")
		ask := func() {
			for range 300 {
				require.Equal(t, 500, p.get("/metrics").Code)
			}
		}
		ask()
		require.Len(t, p.errorLogs(), errorLines)
		time.Sleep(logInterval)
		ask()
		require.Len(t, p.errorLogs(), 2*errorLines)
		require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_http_requests_total{route="/metrics",code="500"} 600`)
	})
}

func TestConnectionsInTheLogAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		l := connectionLog(zap.New(core))
		for i := range 1000 {
			l.Printf("http: TLS handshake error from 10.0.0.66:%d: EOF", i)
		}
		require.Equal(t, connectionLines, logs.Len())
		time.Sleep(logInterval)
		l.Print("http: Accept error")
		require.Equal(t, connectionLines+1, logs.Len())
		require.Equal(t, map[string]any{"error": "http: Accept error"}, logs.All()[connectionLines].ContextMap())
		require.Equal(t, "trouble with a connection", fmt.Sprint(logs.All()[0].Message))
	})
}

// A method may be as long as a request's headers.
func TestMethodInTheLogIsBounded(t *testing.T) {
	p := newFakeProxy()
	do(p.handler, strings.Repeat("X", maxHeaderBytes), "/health")
	logged := p.logs.FilterMessage("request").All()[0].ContextMap()["method"].(string)
	require.Equal(t, strings.Repeat("X", maxQuotedBytes)+"...", logged)
}
