package capture

import (
	"context"
	"fmt"
	"io"
	"time"

	"fodc/messages"
)

// RampProfile is a profile that was captured while the node's memory grew.
type RampProfile struct {
	// ID names it in the RampSource. Type is heap or goroutine.
	ID, Type string
	At       time.Time
	// Resident and Limit are the node's memory then, in bytes.
	Resident, Limit uint64
	Bytes           int64
}

// RampSource has the profiles that were captured while the node's memory grew. Its methods may take as
// long as the disk does.
type RampSource interface {
	// Since returns those from that time on, the oldest first.
	Since(time.Time) ([]RampProfile, error)
	Open(id string) (io.ReadCloser, error)
}

const (
	rampTimeout = 20 * time.Second
	// rampTime is how a time is in a file name.
	rampTime = "20060102T150405.000Z"
)

func (c *Config) rampSteps() []Step {
	if c.Ramps == nil {
		return nil
	}
	return []Step{{What: messages.EvidenceProfile + "/ramp", Path: "profiles/ramp", Timeout: rampTimeout, Stays: true, More: func(context.Context) ([]Step, error) {
		list, err := c.Ramps.Since(c.From)
		if err != nil {
			return nil, fmt.Errorf("profiles of a growing memory: %w", err)
		}
		steps := make([]Step, 0, len(list))
		for _, p := range list {
			steps = append(steps, c.rampStep(p))
		}
		return c.without(steps), nil
	}}}
}

func (c *Config) rampStep(p RampProfile) Step {
	return Step{What: messages.EvidenceProfile + "/" + p.Type, Path: "profiles/ramp-" + p.At.UTC().Format(rampTime) + "-" + p.Type + ".pb.gz",
		Limit: max(p.Bytes, 1), Timeout: rampTimeout, Run: func(_ context.Context, w io.Writer) error {
			file, err := c.Ramps.Open(p.ID)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			_, err = io.Copy(w, file)
			return err
		}}
}
