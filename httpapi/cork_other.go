//go:build !linux

package httpapi

import "net"

// setCork cannot.
func setCork(*net.TCPConn, int) bool { return false }
