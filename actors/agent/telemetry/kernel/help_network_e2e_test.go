//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What a node has of connections: those that it dialled, and those that it took. Of each it reads all that comes.
var (
	connections struct {
		sync.Mutex
		all []*net.TCPConn
	}
	ends, bytesTaken, bytesSent atomic.Int64
	sending                     sync.WaitGroup
)

func keep(c *net.TCPConn) {
	connections.Lock()
	connections.all = append(connections.all, c)
	connections.Unlock()
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := c.Read(buffer)
			bytesTaken.Add(int64(n))
			if err != nil {
				if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) {
					ends.Add(1)
				}
				return
			}
		}
	}()
}

// listen takes connections at a port of all addresses, and returns the port.
func listen(args []string) (int64, error) {
	l, err := net.Listen("tcp", ":"+args[0])
	if err != nil {
		return 0, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			keep(c.(*net.TCPConn))
		}
	}()
	return int64(l.Addr().(*net.TCPAddr).Port), nil
}

// dial dials an address so and so often, each for at most so many ms, from another address if there is one, which need not be of this
// machine. It returns how many connections there are.
func dial(args []string) (made int64, err error) {
	d := net.Dialer{Timeout: time.Duration(numberOf(args[2])) * time.Millisecond, KeepAlive: -1}
	if len(args) > 3 {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(args[3]), 0))
		d.ControlContext = func(_ context.Context, _, _ string, c syscall.RawConn) error {
			return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1) }), err)
		}
	}
	for range numberOf(args[1]) {
		c, err := d.Dial("tcp", args[0])
		switch {
		case err == nil:
			keep(c.(*net.TCPConn))
			made++
		case !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, context.DeadlineExceeded):
			var late net.Error
			if !errors.As(err, &late) || !late.Timeout() {
				return made, err
			}
		}
	}
	return made, nil
}

// takeAll gives up all connections that there are.
func takeAll() []*net.TCPConn {
	connections.Lock()
	defer connections.Unlock()
	all := connections.all
	connections.all = nil
	return all
}

// resetAll closes all connections with a reset, and returns how many they were.
func resetAll([]string) (int64, error) {
	all := takeAll()
	for _, c := range all {
		if err := errors.Join(c.SetLinger(0), c.Close()); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}

// forgetAll ends all connections without a word to the other ends, as a machine that is turned off.
func forgetAll([]string) (int64, error) {
	all := takeAll()
	for _, c := range all {
		raw, err := c.SyscallConn()
		if err == nil {
			var of error
			err = raw.Control(func(fd uintptr) { of = unix.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_REPAIR, 1) })
			err = errors.Join(err, of)
		}
		if err = errors.Join(err, c.Close()); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}

// ended says how many connections others have ended.
func ended([]string) (int64, error) { return ends.Load(), nil }

// send begins to send so many bytes by each connection.
func send(args []string) (int64, error) {
	connections.Lock()
	defer connections.Unlock()
	for _, c := range connections.all {
		sending.Go(func() {
			n, _ := c.Write(make([]byte, numberOf(args[0])))
			bytesSent.Add(int64(n))
		})
	}
	return int64(len(connections.all)), nil
}

// sent waits until all is sent, and returns how many bytes that was.
func sent([]string) (int64, error) {
	sending.Wait()
	return bytesSent.Load(), nil
}

// taken says how many bytes have come.
func taken([]string) (int64, error) { return bytesTaken.Load(), nil }

// resent says how many segments the kernel has sent again by the connections to an address.
func resent(args []string) (segments int64, err error) {
	connections.Lock()
	defer connections.Unlock()
	for _, c := range connections.all {
		if c.RemoteAddr().(*net.TCPAddr).IP.String() != args[0] {
			continue
		}
		raw, err := c.SyscallConn()
		if err != nil {
			return 0, err
		}
		var of error
		err = raw.Control(func(fd uintptr) {
			var info *unix.TCPInfo
			if info, of = unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO); of == nil {
				segments += int64(info.Total_retrans)
			}
		})
		if err = errors.Join(err, of); err != nil {
			return 0, err
		}
	}
	return segments, nil
}
