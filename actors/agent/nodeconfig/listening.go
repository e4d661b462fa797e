package nodeconfig

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// maxSocketBytes bounds what is read of the kernel's table of sockets. It is enough for a
// hundred thousand connections.
const maxSocketBytes = 16 << 20

// tcpListen is the state of a listening socket in the kernel's table.
const tcpListen = "0A"

// listener is a listening socket.
type listener struct {
	at    netip.AddrPort
	inode uint64
}

// readListeners returns the listening sockets of a table of the kernel. There are none if
// the table does not exist: a host may have no IPv6.
func readListeners(name string) []listener {
	table, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = table.Close() }()
	text, err := io.ReadAll(io.LimitReader(table, maxSocketBytes))
	if err != nil {
		return nil
	}
	return parseListeners(string(text))
}

// parseListeners parses the lines of /proc/net/tcp: number, local address, remote address,
// state, ..., and the inode as the tenth field. It skips other lines.
func parseListeners(text string) []listener {
	var all []listener
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != tcpListen {
			continue
		}
		at, ok := parseSocketAddr(fields[1])
		inode, err := strconv.ParseUint(fields[9], 10, 64)
		if ok && err == nil && inode != 0 {
			all = append(all, listener{at, inode})
		}
	}
	return all
}

// parseSocketAddr parses an address of the kernel's table: 32-bit words in the machine's byte
// order, a colon, and the port, all in hexadecimal digits.
func parseSocketAddr(text string) (at netip.AddrPort, ok bool) {
	ipText, portText, found := strings.Cut(text, ":")
	ip, err := hex.DecodeString(ipText)
	port, portErr := strconv.ParseUint(portText, 16, 16)
	if !found || err != nil || portErr != nil || len(ip) != 4 && len(ip) != 16 {
		return at, false
	}
	for i := 0; i < len(ip); i += 4 {
		binary.NativeEndian.PutUint32(ip[i:], binary.BigEndian.Uint32(ip[i:]))
	}
	addr, ok := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}
