package incidentseries

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/bundle/bundletest"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// idOf returns ids of incidents in their order.
func idOf(n int) string { return fmt.Sprintf("01JDZX3M9V5T6Q2W8R4Y7B1N%02d", n) }

// storeOf returns a store of a directory.
func storeOf(dir string, docs ...*messages.Incident) *Store {
	return New(Config{Present: &blocks.Reader{}, Dir: dir, Incident: func(_ context.Context, id string) (*messages.Incident, error) {
		for _, doc := range docs {
			if doc.ID == id {
				return doc, nil
			}
		}
		return nil, messages.Errorf(messages.ErrNotFound, "no incident %s", id)
	}})
}

func equal(name, value string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchEqual, name, value)
}

// read returns how many series and samples a set has.
func read(t *testing.T, set storage.SeriesSet) (series, samples int) {
	t.Helper()
	for set.Next() {
		series++
		for it := set.At().Iterator(nil); it.Next() != 0; samples++ {
		}
	}
	require.NoError(t, set.Err())
	return series, samples
}

// TestRemovedWhileRead: an incident that is removed is read to the end by those who have begun.
func TestRemovedWhileRead(t *testing.T) {
	parent := t.TempDir()
	dir, doc := bundletest.Write(t, parent, bundletest.Options{ID: idOf(1), Blocks: []string{"data-0", "data-1"}, Series: 20})
	s := storeOf(parent, doc)
	q, err := s.Queryable(promstore.Options{}).Querier(math.MinInt64/2, math.MaxInt64/2)
	require.NoError(t, err)
	set := q.Select(t.Context(), true, nil, equal(LabelName, doc.ID), labels.MustNewMatcher(labels.MatchRegexp, "__name__", "noise_.*"))
	require.True(t, set.Next())
	require.Equal(t, doc.ID, set.At().Labels().Get(LabelName))
	require.NoError(t, os.RemoveAll(dir))
	series, samples := read(t, set)
	require.Equal(t, 39, series)
	require.Equal(t, 39*72, samples)
	require.NoError(t, q.Close())
}

// TestRemovedBefore: an incident that goes between its document and its files is one that is not there.
func TestRemovedBefore(t *testing.T) {
	parent := t.TempDir()
	dir, doc := bundletest.Write(t, parent, bundletest.Options{ID: idOf(1), Blocks: []string{"data-0"}})
	require.NoError(t, os.RemoveAll(dir))
	asked := 0
	s := New(Config{Present: &blocks.Reader{}, Dir: parent, Incident: func(context.Context, string) (*messages.Incident, error) {
		if asked++; asked > 1 {
			return nil, messages.Errorf(messages.ErrNotFound, "gone")
		}
		return doc, nil
	}})
	q, err := s.Queryable(promstore.Options{}).Querier(0, math.MaxInt64/2)
	require.NoError(t, err)
	set := q.Select(t.Context(), true, nil, equal(LabelName, doc.ID))
	require.False(t, set.Next())
	require.ErrorContains(t, set.Err(), "there is no such incident")
	require.NoError(t, q.Close())
}

// TestDamagedBlock: a block that cannot be read costs its node alone.
func TestDamagedBlock(t *testing.T) {
	parent := t.TempDir()
	dir, doc := bundletest.Write(t, parent, bundletest.Options{ID: idOf(1), Blocks: []string{"data-0", "data-1"}})
	indexes, err := filepath.Glob(filepath.Join(dir, "nodes", "data-1", "block", "*", "index"))
	require.NoError(t, err)
	require.Len(t, indexes, 1)
	require.NoError(t, os.WriteFile(indexes[0], []byte("no index"), 0o600))
	q, err := storeOf(parent, doc).Queryable(promstore.Options{}).Querier(0, math.MaxInt64/2)
	require.NoError(t, err)
	set := q.Select(t.Context(), true, nil, equal(LabelName, doc.ID), equal("__name__", "requests_total"))
	series, _ := read(t, set)
	require.Equal(t, 1, series)
	require.Len(t, set.Warnings(), 1)
	require.ErrorContains(t, set.Warnings().AsErrors()[0], `of 1 of 2 nodes: "data-1"`)
	require.NoError(t, q.Close())
}

// TestTooManyIncidents names the limit of one query.
func TestTooManyIncidents(t *testing.T) {
	var docs []*messages.Incident
	for i := range maxQueryIncidents + 1 {
		docs = append(docs, &messages.Incident{ID: idOf(i), State: messages.IncidentCollected})
	}
	q, err := storeOf(t.TempDir(), docs...).Queryable(promstore.Options{}).Querier(0, 1)
	require.NoError(t, err)
	for i, doc := range docs {
		set := q.Select(t.Context(), false, nil, equal(LabelName, doc.ID))
		require.False(t, set.Next())
		if i < maxQueryIncidents {
			require.NoError(t, set.Err())
			continue
		}
		require.ErrorContains(t, set.Err(), "more than 4 incidents")
	}
	require.NoError(t, q.Close())
}

// TestSlowDisk: who waits for a disk ends with the query, and others open what is on a faster one.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		o := newOpenIncidents(func(dirs []string) (*blocks.Reader, []blocks.Damaged, int) {
			if dirs[0] == "slow" {
				<-hangs
			}
			return &blocks.Reader{}, nil, 0
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		end := make(chan error)
		go func() {
			_, err := o.take(ctx, "a", []string{"slow"})
			end <- err
		}()
		synctest.Wait()
		of, err := o.take(t.Context(), "b", []string{"fast"})
		require.NoError(t, err)
		o.leave(of)
		cancel(gone)
		require.ErrorIs(t, <-end, gone)
		synctest.Wait()
		close(hangs)
		synctest.Wait()
		require.Equal(t, [2]int{2, 2}, held(o), "they are kept for the next query")
		<-time.After(2 * keepOpen)
		synctest.Wait()
		require.Zero(t, held(o))
	})
}

// held returns how many incidents and blocks are open.
func held(o *openIncidents) [2]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return [2]int{len(o.files), o.state.blocks}
}
