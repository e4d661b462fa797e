//go:build !linux

package httpapi

import "net"

// setCork reports that it could not: TCP_CORK is Linux's.
func setCork(*net.TCPConn, int) bool { return false }
