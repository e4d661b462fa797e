package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// The steps up to a connection.
const (
	stepDNS = "DNS"
	stepTCP = "TCP"
)

// resolve returns the addresses of the proxy's name.
func (k *checking) resolve(ctx context.Context) (addresses []string) {
	host, port, err := net.SplitHostPort(k.Address)
	if err != nil {
		k.fail(stepDNS, err.Error(), "the address must be HOST:PORT")
		return nil
	}
	if _, err := netip.ParseAddr(host); err == nil {
		k.say(stepDNS, CheckSkipped, host+" is an address, and no name")
		return []string{k.Address}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found, err := k.Lookup(ctx, host)
	if err != nil || len(found) == 0 {
		k.fail(stepDNS, fmt.Sprintf("%q has no address: %s", host, lookupReason(err)),
			"whether the name is right, with the namespace of its Service in Kubernetes, and which servers /etc/resolv.conf names")
		return nil
	}
	found = found[:min(len(found), maxCheckedAddresses)]
	k.say(stepDNS, CheckPassed, fmt.Sprintf("%q is %s", host, strings.Join(found, ", ")))
	for _, ip := range found {
		addresses = append(addresses, net.JoinHostPort(ip, port))
	}
	return addresses
}

func lookupReason(err error) string {
	var of *net.DNSError
	switch {
	case err == nil:
		return "the answer is empty"
	case errors.As(err, &of) && of.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return "no server answers in time"
	case errors.As(err, &of):
		return of.Err
	}
	return err.Error()
}

// connect returns a connection to the first address that answers. An agent tries them in the same order.
func (k *checking) connect(ctx context.Context, addresses []string) net.Conn {
	var reasons []string
	var last error
	for _, address := range addresses {
		began := time.Now()
		dialCtx, cancel := context.WithTimeout(ctx, checkTimeout/time.Duration(len(addresses)))
		conn, err := k.Dial(dialCtx, address)
		cancel()
		if err == nil {
			k.dialed, k.local = address, conn.LocalAddr().String()
			text := fmt.Sprintf("%s answers within %s", address, time.Since(began).Round(100*time.Microsecond))
			if len(reasons) > 0 {
				text += "; others do not: " + strings.Join(reasons, ", ")
			}
			k.say(stepTCP, CheckPassed, text)
			return conn
		}
		last = err
		reasons = append(reasons, address+": "+dialReason(err))
	}
	k.fail(stepTCP, "no connection: "+strings.Join(reasons, ", "), nextOfDial(last))
	return nil
}

func dialReason(err error) string {
	var of *net.OpError
	switch {
	case isTimeout(err):
		return "nothing comes back"
	case errors.As(err, &of):
		var call syscall.Errno
		if errors.As(of.Err, &call) {
			return call.Error()
		}
		return of.Err.Error()
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var of net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &of) && of.Timeout()
}

func nextOfDial(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "whether a proxy runs there, and listens on this port of more than its own machine (--grpc-listen-addr)"
	case isTimeout(err):
		return "whether a firewall or a NetworkPolicy drops the connection, and whether the address is that of the proxy"
	}
	return "the network between here and the proxy"
}
