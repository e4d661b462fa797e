//go:build e2e

package modes_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// lossy is a network of two hosts: this one, and a network namespace. Between them
// the test carries the IP packets by hand, and loses as many of them as it likes.
// Nobody is told of a loss: no reset, no ICMP.
type lossy struct {
	namespace string
	here      string // this host's address in the network
	// lose is the percentage of packets that are lost, in each direction.
	lose atomic.Int32
}

var networks atomic.Int32

// startLossy makes a network, and removes it at the end of the test. Where that is
// not possible, the test is skipped.
func startLossy(t *testing.T) *lossy {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("skipped: network namespaces need the command ip (Debian: iproute2)")
	}
	n := networks.Add(1)
	name := fmt.Sprintf("fodc%d-%d", os.Getpid()%100000, n)
	// Addresses that are set aside for tests of networks.
	subnet := fmt.Sprintf("198.18.%d", 100+n)
	l := &lossy{namespace: name, here: subnet + ".1"}
	near, far := openTUN(t, name+"a"), openTUN(t, name+"b")
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("skipped: network namespaces are not allowed here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	for _, command := range []string{
		"link set " + name + "b netns " + name,
		"addr add " + subnet + ".1/30 dev " + name + "a",
		"link set " + name + "a up",
		"-n " + name + " addr add " + subnet + ".2/30 dev " + name + "b",
		"-n " + name + " link set " + name + "b up",
		"-n " + name + " link set lo up",
	} {
		out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput()
		require.NoError(t, err, "ip %s: %s", command, out)
	}
	seed := rand.Uint64()
	t.Logf("seed of the losses: %d", seed)
	go l.carry(near, far, rand.New(rand.NewPCG(seed, 1)))
	go l.carry(far, near, rand.New(rand.NewPCG(seed, 2)))
	return l
}

// carry moves packets until the test ends.
func (l *lossy) carry(from, to *os.File, chance *rand.Rand) {
	packet := make([]byte, 64<<10)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		if chance.Int32N(100) >= l.lose.Load() {
			_, _ = to.Write(packet[:n]) // fails while the device is down: a loss, too
		}
	}
}

// openTUN makes a network device whose packets are read and written here.
func openTUN(t *testing.T, name string) *os.File {
	t.Helper()
	const path = "/dev/net/tun"
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("skipped: the network of the test needs %s: %s", path, err)
	}
	var request struct { // struct ifreq
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:syscall.IFNAMSIZ-1], name)
	request.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		_ = syscall.Close(fd)
		t.Skipf("skipped: no network device may be made here: %s", errno)
	}
	require.NoError(t, syscall.SetNonblock(fd, true)) // so that Close ends a Read
	device := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { _ = device.Close() })
	return device
}

// start runs fodc in the namespace.
func (l *lossy) start(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, append([]string{"ip", "netns", "exec", l.namespace, binary}, args...)...)
}
