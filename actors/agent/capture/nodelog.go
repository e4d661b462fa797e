package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fodc/actors/agent/crash"
	"fodc/messages"
)

const (
	// tailBytes is how much of the end of a log is taken at the opening of an incident.
	tailBytes = 1 << 20
	// maxTailBytes bounds what becomes of that: masks and escapes may need more than what they stand for.
	maxTailBytes = 2 << 20
	// maxFollowedBytes bounds what is taken of a log while the incident is open.
	maxFollowedBytes = 8 << 20
	tailTimeout      = 20 * time.Second
	// followInterval is the time between two looks at a log: shorter than anybody truncates one twice. followGrace is
	// how long what was written by the freeze may take to be read, tailGrace how long of that the first step may take.
	followInterval = time.Second
	followGrace    = 10 * time.Second
	tailGrace      = 5 * time.Second
	// maxLastReads bounds the reads after the freeze: a log may grow as fast as it is read.
	maxLastReads = 8
	// maxHeldLogs is of how many logs the end is held in memory until it is written; that of others is written at once.
	maxHeldLogs = 4
)

// nodeLog is a log of the node, of which two steps make two files: its end at the opening of the incident, and
// what is written from then on.
type nodeLog struct {
	path     string
	follower *crash.Follower
	// tailed is closed when the end was read; held are its lines.
	tailed  chan struct{}
	once    sync.Once
	held    strings.Builder
	heldErr error
}

func (c *Config) logSteps(names *names) (steps []Step) {
	var follow []Step
	for n, path := range c.NodeLogs {
		l := &nodeLog{path: path, follower: crash.NewFollower(path, tailBytes, maxLine), tailed: make(chan struct{})}
		tail := names.path("logs", strings.TrimSuffix(filepath.Base(path), ".log"), ".log")
		name := strings.TrimSuffix(tail, ".log")
		after := names.path("logs", filepath.Base(name)+"-after", ".log")
		if c.has(tail) { // The agent has started again.
			close(l.tailed)
			for n := 2; c.has(after) && n < 10; n++ {
				after = fmt.Sprintf("%s-after-%d.log", name, n)
			}
		}
		steps = append(steps, Step{What: messages.EvidenceNodeLog, Path: tail, Limit: maxTailBytes, Timeout: tailTimeout, Parts: true,
			Stays: n < maxHeldLogs, Hold: l.hold, Run: l.tail})
		follow = append(follow, Step{What: messages.EvidenceNodeLog, Path: after, Limit: maxFollowedBytes, Timeout: followGrace, Parts: true, Until: c.Frozen,
			Run: func(ctx context.Context, w io.Writer) error { return l.follow(ctx, c.Frozen, w) }})
	}
	if c.Frozen == nil {
		return steps
	}
	return append(steps, follow...)
}

func (c *Config) has(path string) bool { return c.Have != nil && c.Have(path) }

// hold reads the end of the log, once: what is written later is the other step's, and a log may be rotated or truncated.
func (l *nodeLog) hold(ctx context.Context) {
	l.once.Do(func() {
		defer close(l.tailed)
		if info, err := os.Stat(l.path); err == nil {
			l.held.Grow(int(min(max(info.Size(), 0), tailBytes)) + 1)
		}
		_, l.heldErr = l.follower.Read(ctx, time.Now(), func(line []byte) {
			l.held.Write(line)
			l.held.WriteByte('\n')
		})
	})
}

// tail writes the end of the log.
func (l *nodeLog) tail(ctx context.Context, w io.Writer) error {
	l.hold(ctx)
	t := newTextWriter(w)
	for line := range strings.Lines(l.held.String()) {
		if t.line(line[:len(line)-1]); ctx.Err() != nil {
			return errors.Join(t.flush(), context.Cause(ctx))
		}
	}
	if l.heldErr == nil && l.held.Len() == 0 {
		t.note("(no whole line in its last %d bytes)", tailBytes)
	}
	l.held.Reset()
	return errors.Join(t.flush(), l.named(l.heldErr))
}

// follow writes what is written to the log until the incident is frozen.
func (l *nodeLog) follow(ctx context.Context, frozen <-chan struct{}, w io.Writer) error {
	if err := l.awaitTail(ctx, frozen); err != nil {
		return err
	}
	t := newTextWriter(w)
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	for last := 0; ; {
		got, err := l.follower.Read(ctx, time.Now(), func(line []byte) { t.line(string(line)) })
		if got.Skipped > 0 {
			t.note("... (%d bytes are left out: the log grows faster than it is read)", got.Skipped)
		}
		if flushed := t.flush(); flushed != nil {
			return errors.Join(flushed, l.named(err))
		}
		if last > 0 && (!got.More || last >= maxLastReads || err != nil) {
			return l.end(t, err)
		}
		if got.More {
			tick.Reset(time.Millisecond)
		} else {
			tick.Reset(followInterval)
		}
		select {
		case <-frozen:
			last++
		case <-ctx.Done():
			return errors.Join(l.end(t, err), context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// awaitTail waits for the first step. Of an incident that is frozen at once that may be under way; if it hangs, this one goes on.
func (l *nodeLog) awaitTail(ctx context.Context, frozen <-chan struct{}) error {
	select {
	case <-l.tailed:
		return nil
	case <-frozen:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	timer := time.NewTimer(tailGrace)
	defer timer.Stop()
	select {
	case <-l.tailed:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// end closes the log, and writes the line that is not complete.
func (l *nodeLog) end(t *textWriter, err error) error {
	if rest := l.follower.Close(); rest != "" {
		t.line(rest)
	}
	return errors.Join(t.flush(), l.named(err))
}

// named names the log in an error of reading it.
func (l *nodeLog) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the log %s (--node-log-file) cannot be read: %w", l.path, err)
}
