package proxy

import (
	"context"
	"errors"
	"io"

	"fodc/actors"
	"fodc/messages"
)

// Download passes the chunks of a file to write, in order, as they come from the agent. It returns nil only if
// write has had the whole file. Each chunk has the file's size if it is known. However large the file is, the proxy has a few MiB
// of it at a time. It fails if the agent sends nothing, or write takes longer, for downloadStall; then the
// agent can answer other questions, although write has not returned.
//
// The error is that of write or of ctx, or says what is wrong with the file or its agent: not_found if the agent has no such file.
func (p *Proxy) Download(ctx context.Context, d messages.Download, write func(*messages.ProfileChunk) error) error {
	requestID := p.requestIDs.Add(1)
	defer p.sys.Send(p.collector, endDownload{requestID})
	started, err := actors.Ask[downloadStarted](ctx, p.sys, p.collector, startDownload{requestID, d})
	if err != nil {
		return unavailableIfGone(err)
	}
	for {
		chunk, err := actors.Ask[*messages.ProfileChunk](ctx, p.sys, started.pid, nextChunk{})
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unavailableIfGone(err)
		}
		if err := write(chunk); err != nil {
			return err
		}
	}
}
