package nodeconfig

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// searchAgain is how long a socket whose owner was not found is not searched for: that
// looks at every open file of every process.
const searchAgain = time.Minute

// tcpListen is the kernel's number of the state of a listening socket.
const tcpListen = 0x0a

// socketFinder finds the process that listens where the node's metrics are.
type socketFinder struct {
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

func newSocketFinder(endpoints []string) *socketFinder {
	f := &socketFinder{}
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

// listens reports whether a socket that is bound to ip and port serves the endpoint.
func (a listenAddr) listens(ip net.IP, port uint64) bool {
	bound, ok := netip.AddrFromSlice(ip)
	if !ok || port != uint64(a.port) {
		return false
	}
	bound = bound.Unmap()
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
	inode, at := f.inode(fs)
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
func (f *socketFinder) inode(fs procfs.FS) (inode uint64, at listenAddr) {
	v4, _ := fs.NetTCP()  // a host may have one
	v6, _ := fs.NetTCP6() // and not the other
	for _, at := range f.endpoints {
		for _, line := range v4 {
			if line.St == tcpListen && at.listens(line.LocalAddr, line.LocalPort) {
				return line.Inode, at
			}
		}
		for _, line := range v6 {
			if line.St == tcpListen && at.listens(line.LocalAddr, line.LocalPort) {
				return line.Inode, at
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
