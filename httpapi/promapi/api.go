package promapi

import (
	"context"
	"net/http"
	"time"

	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/util/annotations"
	"go.uber.org/zap"
)

// Storage is what is queried.
type Storage interface {
	Queryable(o promstore.Options) storage.SampleAndChunkQueryable
	Metadata(ctx context.Context, o promstore.Options, name string) ([]promstore.Metadata, annotations.Annotations, error)
}

// Limits bound what queries take.
type Limits struct {
	// Timeout bounds a query, with the time that it waits for its turn.
	Timeout time.Duration
	// MaxSamples bounds the samples that one query has in memory. Memory bounds what all queries
	// together have there, in bytes.
	MaxSamples int
	Memory     int64
	// Concurrency bounds the queries that run at a time.
	Concurrency int
}

// Target is something that is scraped, as /api/v1/targets shows it.
type Target struct {
	// Labels are those of its series.
	Labels map[string]string
	// Pool is the word that groups targets. URL is where it is scraped.
	Pool, URL string
	// Health is up, down or unknown.
	Health             string
	LastError          string
	LastScrape         time.Time
	LastScrapeDuration time.Duration
	Interval, Timeout  time.Duration
}

// Config is what an API needs.
type Config struct {
	Storage Storage
	// Targets returns what is scraped.
	Targets func(ctx context.Context) ([]Target, error)
	Limits  Limits
	// Revision is that of this program's source.
	Revision string
	// Now is the clock.
	Now func() time.Time
	Log *zap.Logger
}

// API serves queries.
type API struct{ cfg Config }

// New returns an API.
func New(cfg Config) *API { return &API{cfg} }

// Route is a path of the API. A part of it in braces is a path value of the request.
type Route struct {
	Path, About string
	Methods     []string
	Serve       http.HandlerFunc
}

// Routes returns the routes of the API.
func (a *API) Routes() []Route { return nil }

var (
	_ = promql.NewEngine
	_ = remote.NewReadHandler
)
