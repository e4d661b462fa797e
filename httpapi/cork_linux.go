package httpapi

import (
	"net"
	"syscall"
)

// setCork sets TCP_CORK, and reports whether it could. Without it the same bytes are sent in
// more packets.
func setCork(conn *net.TCPConn, value int) (done bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, value) })
	return err == nil && set == nil
}
