package proxy

import (
	"fodc/actors"
	"fodc/messages"
)

// maxDownloads bounds the files that are read at once.
const maxDownloads = 16

// Messages of the collector for downloads.
type (
	// startDownload asks for a download. The sender chooses the request id. The answer is
	// downloadStarted or an error.
	startDownload struct {
		requestID uint64
		download  messages.Download
	}
	downloadStarted struct{ pid *actors.PID }
	// endDownload says that the reader has gone, in any case.
	endDownload struct{ requestID uint64 }
)

func (k *collector) onStartDownload(c actors.Context, m startDownload) {
	switch {
	case k.stopping:
		actors.Reply(c, unavailableIfGone(actors.ErrGone))
		return
	case len(k.downloads) >= maxDownloads:
		actors.Reply(c, messages.Errorf(messages.ErrUnavailable, "%d files are read, as many as are allowed: try again in a few seconds", len(k.downloads)))
		return
	}
	pid := k.sys.SpawnChild(c, "download", func() actors.Actor {
		return &download{sys: k.sys, registry: k.registry, want: m.download, budget: k.budget, log: k.sys.Log().Named("download")}
	})
	k.downloads[m.requestID] = pid
	actors.Reply(c, downloadStarted{pid})
}

func (k *collector) onEndDownload(m endDownload) {
	k.sys.StopAsync(k.downloads[m.requestID])
	delete(k.downloads, m.requestID)
}
