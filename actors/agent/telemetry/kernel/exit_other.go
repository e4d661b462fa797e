//go:build !linux

package kernel

import (
	"context"
	"errors"
)

// WaitExit waits for the end of a process. Only Linux can: the error is errors.ErrUnsupported.
func WaitExit(context.Context, int, uint64) (Event, error) { return Event{}, errors.ErrUnsupported }
