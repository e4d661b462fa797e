//go:build e2e && linux

package modes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fodc/httpapi/promapi"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/util/annotations"
	"go.uber.org/zap"
)

// startTwin serves this program's query API over what the reference has stored: it differs from the proxy in
// its storage alone.
func startTwin(t *testing.T, reference queryAPI) queryAPI {
	t.Helper()
	api := promapi.New(promapi.Config{Storage: storedElsewhere{remoteReader(t, reference, prompb.ReadRequest_SAMPLES)}, Now: time.Now, Log: zap.NewNop(),
		Limits: promapi.Limits{Timeout: patience, MaxSamples: 50_000_000, Concurrency: 2 * atOnceQueries}})
	mux := http.NewServeMux()
	for _, route := range api.Routes() {
		mux.HandleFunc(route.Path, route.Serve)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return queryAPI{strings.TrimPrefix(server.URL, "http://")}
}

// storedElsewhere is the samples of a server that answers remote reads.
type storedElsewhere struct{ client remote.ReadClient }

func (s storedElsewhere) Queryable(promstore.Options) storage.SampleAndChunkQueryable {
	return remote.NewSampleAndChunkQueryableClient(s.client, labels.EmptyLabels(), nil, true, func() (int64, error) { return 0, nil })
}

func (storedElsewhere) Metadata(context.Context, promstore.Options, string) ([]promstore.Metadata, annotations.Annotations, error) {
	return nil, nil, nil
}
