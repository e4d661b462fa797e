package rules

import (
	"context"
	"fmt"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/storage"
)

const (
	// maxReadBytes bounds the memory of what one evaluation reads.
	maxReadBytes = 64 << 20
	// readTimeout bounds one read.
	readTimeout = 5 * time.Second
)

// Read returns what an agent has recorded of a selection: it is Agent.Read.
type Read func(ctx context.Context, sel messages.Selection, take func(bytes int64) error) (messages.NodeAnswer, error)

// Storage returns an agent's samples as the storage of an Evaluator. The series have the labels of the identity,
// as on the agent's page.
func Storage(read Read, identity func() messages.Identity) storage.Queryable {
	collect := func(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
		var taken int64
		answer, err := read(ctx, q.Selection, func(bytes int64) error {
			if taken += bytes; taken > maxReadBytes {
				return fmt.Errorf("what the rules read takes more than %d MiB: let them select fewer series, or shorter ranges", maxReadBytes>>20)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		answer.Identity = identity()
		return &messages.Collection{Nodes: []messages.NodeAnswer{answer}}, nil, nil
	}
	return promstore.New(promstore.Config{Collect: collect, Timeout: readTimeout, Now: time.Now, OwnNode: true}).Queryable(promstore.Options{})
}
