package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// chunkTimeout is how long a client may take to read a part of a profile, and an agent to send one.
const chunkTimeout = 10 * time.Second

// profileTypes are the profiles that agents take.
var profileTypes = []string{"heap", "goroutine"}

// foundProfile is a file of a profile, and who has it.
type foundProfile struct {
	identity messages.Identity
	download messages.Download
}

// serveProfile responds with the bytes of a profile, as they come from its agent. If they do not all
// come, the connection is cut: a client must not take a part for the whole.
func (a *ProxyAPI) serveProfile(w http.ResponseWriter, r *http.Request) error {
	pod, id, kind := r.PathValue("pod_name"), r.PathValue("profile_id"), r.PathValue("type")
	if !slices.Contains(profileTypes, kind) {
		return messages.Errorf(messages.ErrBadData, "type %q: allowed are %s", truncated(kind), strings.Join(profileTypes, ", "))
	}
	found, err := a.findProfile(r, pod, id, kind)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s-%s-%s.pprof", pod, found.identity.Role, id, kind)
	header := w.Header()
	setAttachment(header, name)
	header.Set("Content-Type", contentBytes)
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead {
		setLength(header, found.download.Size)
		return nil
	}
	return a.sendProfile(w, r, found)
}

func setLength(h http.Header, size int64) {
	if size > 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
}

// sendProfile streams the file. The time limit of the response is for each part of it.
func (a *ProxyAPI) sendProfile(w http.ResponseWriter, r *http.Request, found foundProfile) error {
	control := http.NewResponseController(w)
	sent := int64(0)
	size := found.download.Size
	err := a.Download(r.Context(), found.download, func(c *messages.ProfileChunk) error {
		if sent == 0 {
			if c.FileSize > 0 {
				size = c.FileSize
			}
			setLength(w.Header(), size)
		}
		if err := control.SetWriteDeadline(time.Now().Add(chunkTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		n, err := w.Write(c.Data)
		sent += int64(n)
		return err
	})
	if err != nil && sent == 0 {
		w.Header().Del("Content-Disposition")
		w.Header().Del("Content-Length")
	}
	return err
}

// findProfile asks the agents of the pod for their lists.
func (a *ProxyAPI) findProfile(r *http.Request, pod, id, kind string) (foundProfile, error) {
	deadline := time.Now().Add(a.CollectTimeout)
	ctx, cancel := context.WithDeadline(r.Context(), deadline.Add(collectGrace))
	defer cancel()
	c, err := a.Collect(ctx, messages.Query{Filter: messages.NodeFilter{PodNames: []string{pod}}, Question: messages.ProfilesQuestion{}, Deadline: deadline})
	if err != nil {
		return foundProfile{}, err
	}
	if len(c.Nodes) == 0 {
		return foundProfile{}, messages.Errorf(messages.ErrNotFound, "no node of the pod %q is registered; /cluster lists those that are", truncated(pod))
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		for _, p := range partsOf[*messages.PressureProfile](n) {
			at := slices.IndexFunc(p.Files, func(f messages.ProfileFile) bool { return f.Type == kind })
			if p.ID != id || at < 0 {
				continue
			}
			return foundProfile{n.Identity, messages.Download{NodeID: n.Identity.NodeID, Size: p.Files[at].SizeBytes,
				Question: messages.ProfileQuestion{ProfileID: id, Type: kind, Path: p.Files[at].Path}}}, nil
		}
	}
	if missing, count := missingOf(c); count > 0 {
		return foundProfile{}, messages.Errorf(messages.ErrUnavailable, "the agent of the pod %q is missing: %s", truncated(pod), missing)
	}
	return foundProfile{}, messages.Errorf(messages.ErrNotFound, "the agent of the pod %q has no profile %q of the type %s any more", truncated(pod), truncated(id), kind)
}
