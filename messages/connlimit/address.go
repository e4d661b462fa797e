package connlimit

import (
	"net"
	"net/netip"
)

// AddressOf returns the address of a peer as PrefixOf does. It is the zero Prefix if the peer has no IP
// address, as in memory.
func AddressOf(peer net.Addr) netip.Prefix {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	return PrefixOf(tcp.AddrPort().Addr())
}
