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

// searchInterval is the time between two searches for the owner of the same socket. A search
// reads the open files of all processes.
const searchInterval = time.Minute

// socketFinder finds the process that listens at the address of a metrics endpoint.
type socketFinder struct {
	proc      string
	endpoints []listenAddr

	pid     int // 0: none is known
	started uint64
	by      string
	// failed is the inode of the socket whose owner was not found, failedAt the time.
	failed   uint64
	failedAt time.Time
}

// listenAddr is the address of a node's endpoint. ip is invalid for "localhost".
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

// listenAddrOf returns the address of the endpoint, if its URL has an IP address or
// "localhost".
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

// listens reports whether a socket bound to the address at serves the endpoint.
func (a listenAddr) listens(at netip.AddrPort) bool {
	bound := at.Addr()
	if at.Port() != a.port {
		return false
	}
	if !a.ip.IsValid() {
		return bound.IsUnspecified() || bound.IsLoopback()
	}
	if bound.IsUnspecified() {
		return a.ip.IsLoopback() || isLocalAddr(a.ip)
	}
	return bound == a.ip.Unmap()
}

// isLocalAddr reports whether the address is one of this host. A socket that is bound to
// all addresses serves only those.
func isLocalAddr(ip netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip.Unmap()
	})
}

// find returns the process that listens. It returns the last one as long as that lives.
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
	if inode == f.failed && now.Sub(f.failedAt) < searchInterval {
		return p, "", errOwnerUnknown
	}
	p, startTime, err := ownerOf(fs, inode)
	if err != nil {
		f.failed, f.failedAt = inode, now
		return p, "", err
	}
	f.pid, f.started, f.by, f.failed = p.PID, startTime, "listens at port "+strconv.Itoa(int(at.port)), 0
	return p, f.by, nil
}

var errOwnerUnknown = errors.New("who listens at the endpoint cannot be seen: it takes root, or the node's user, and its /proc")

// inode returns the inode of the socket that listens at one of the endpoints, the first
// first. It is 0 if there is none.
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

// ownerOf returns the oldest process that has the socket open: the others inherited it.
func ownerOf(fs procfs.FS, inode uint64) (oldest procfs.Proc, startTime uint64, err error) {
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
		if err == nil && (oldest.PID == 0 || at < startTime) {
			oldest, startTime = p, at
		}
	}
	if oldest.PID == 0 {
		return oldest, 0, errOwnerUnknown
	}
	return oldest, startTime, nil
}
