package nodeconfig

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// searchAgain is how long a socket whose owner was not found is not searched for: that
// looks at every open file of every process.
const searchAgain = time.Minute

// socketFinder finds the process that listens where the node's metrics are.
type socketFinder struct {
	proc      string
	endpoints []listenAddr

	pid     int // 0: none is known
	started uint64
	by      string
	// failed is the socket whose owner was searched in vain, and when.
	failed   uint64
	failedAt time.Time
}

// listenAddr is where a node's endpoint listens. ip is invalid for "localhost".
type listenAddr struct {
	ip   netip.Addr
	port uint16
}

func newSocketFinder(proc string, endpoints []string) *socketFinder {
	f := &socketFinder{proc: proc}
	for _, e := range endpoints {
		if a, ok := listenAddrOf(e); ok {
			f.endpoints = append(f.endpoints, a)
		}
	}
	return f
}

// listenAddrOf returns where the endpoint listens if that is on this host, as far as
// its URL says that.
func listenAddrOf(endpoint string) (a listenAddr, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return a, false
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return a, false
	}
	a.port = uint16(n)
	if u.Hostname() == "localhost" {
		return a, true
	}
	a.ip, err = netip.ParseAddr(u.Hostname())
	return a, err == nil
}

// listens reports whether a socket that is bound to the address serves the endpoint.
func (a listenAddr) listens(at netip.AddrPort) bool {
	bound := at.Addr()
	if at.Port() != a.port {
		return false
	}
	if !a.ip.IsValid() {
		return bound.IsUnspecified() || bound.IsLoopback()
	}
	if bound.IsUnspecified() {
		return a.ip.IsLoopback() || isOwn(a.ip)
	}
	return bound == a.ip.Unmap()
}

// isOwn reports whether this host has the address: a socket that is bound to all is
// not bound to those of others.
func isOwn(ip netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip.Unmap()
	})
}

// find returns the process that listens. One that is known is believed while it lives.
func (f *socketFinder) find(fs procfs.FS, now time.Time) (p procfs.Proc, by string, err error) {
	if f.pid != 0 {
		if p, err = fs.Proc(f.pid); err == nil {
			if at, err := started(p); err == nil && at == f.started {
				return p, f.by, nil
			}
		}
	}
	if len(f.endpoints) == 0 {
		return p, "", errors.New("no endpoint is on this host")
	}
	inode, at := f.inode()
	if inode == 0 {
		if f.pid != 0 {
			return p, "", fmt.Errorf("process %d (%s) has ended", f.pid, f.by)
		}
		return p, "", errors.New("nobody listens at the endpoint on this host")
	}
	if inode == f.failed && now.Sub(f.failedAt) < searchAgain {
		return p, "", errHidden
	}
	p, begun, err := ownerOf(fs, inode)
	if err != nil {
		f.failed, f.failedAt = inode, now
		return p, "", err
	}
	f.pid, f.started, f.by, f.failed = p.PID, begun, "listens at port "+strconv.Itoa(int(at.port)), 0
	return p, f.by, nil
}

var errHidden = errors.New("who listens at the endpoint cannot be seen: it takes root, or the node's user, and its /proc")

// inode returns the socket that listens at the first endpoint where one does; 0 is
// none.
func (f *socketFinder) inode() (inode uint64, at listenAddr) {
	all := readListeners(filepath.Join(f.proc, "net", "tcp"))
	all = append(all, readListeners(filepath.Join(f.proc, "net", "tcp6"))...)
	for _, at := range f.endpoints {
		for _, l := range all {
			if at.listens(l.at) {
				return l.inode, at
			}
		}
	}
	return 0, at
}

// ownerOf returns the oldest process that has the socket: the others have it from it.
func ownerOf(fs procfs.FS, inode uint64) (oldest procfs.Proc, begun uint64, err error) {
	all, err := fs.AllProcs()
	if err != nil {
		return oldest, 0, err
	}
	link := "socket:[" + strconv.FormatUint(inode, 10) + "]"
	for _, p := range all {
		targets, err := p.FileDescriptorTargets()
		if err != nil || !slices.ContainsFunc(targets, func(t string) bool { return strings.HasSuffix(t, link) }) {
			continue
		}
		at, err := started(p)
		if err == nil && (oldest.PID == 0 || at < begun) {
			oldest, begun = p, at
		}
	}
	if oldest.PID == 0 {
		return oldest, 0, errHidden
	}
	return oldest, begun, nil
}
