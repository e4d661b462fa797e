//go:build !linux || !(amd64 || arm64)

package kernel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/actors/agent/telemetry"
)

var errNotBuiltIn = errors.New("it is built in for Linux on amd64 and arm64 only")

// Tracer tells of nothing on this system.
type Tracer struct{}

// Start returns a tracer whose status says that nothing runs.
func Start(Config) *Tracer { return &Tracer{} }

// Status says that nothing runs.
func (t *Tracer) Status() Status { return Status{Err: errNotBuiltIn} }

// Wait says that nothing runs.
func (t *Tracer) Wait(context.Context) Status { return t.Status() }

// Follow returns ErrNothingRuns.
func (t *Tracer) Follow(int) error { return fmt.Errorf("%w: %w", ErrNothingRuns, errNotBuiltIn) }

// Next waits for the end of the context.
func (t *Tracer) Next(ctx context.Context) (Event, error) {
	<-ctx.Done()
	return Event{}, context.Cause(ctx)
}

// Source returns a source without samples.
func (t *Tracer) Source() *telemetry.Source {
	return telemetry.NewSource("kernel telemetry", func(time.Time) telemetry.Result { return telemetry.Result{} })
}

// Close does nothing.
func (t *Tracer) Close() {}
