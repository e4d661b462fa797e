package connlimit

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// play plays a script: "a1" is a connection of the address a. "+a1" adds it, "u" uses, "r" releases and "x" removes
// it; "sa1:9" lets it send 9 bytes. "." is a second, "!" expires what was unused for ten. It returns what became of those added: "a1" for
// a connection that went for it, "-" if it was refused itself; "s" with one that went for what was sent, and "!" with what has expired.
func play(t *testing.T, limits Limits, script string) string {
	t.Helper()
	s, now := New[string](limits), time.Unix(0, 0)
	var out []string
	for _, step := range strings.Fields(script) {
		switch name := step[1:]; step[0] {
		case '+':
			switch d := s.Add(name, prefixOfName(name), now); {
			case d.Refused:
				out = append(out, "-")
			case d.Evicted:
				out = append(out, d.Victim)
			}
		case 'u':
			s.Use(name)
		case 'r':
			s.Release(name, now)
		case 'x':
			s.Remove(name)
		case 's':
			name, bytes, _ := strings.Cut(name, ":")
			n, err := strconv.Atoi(bytes)
			require.NoError(t, err)
			if victim, over := s.Sent(name, n, now); over {
				out = append(out, "s"+victim)
			}
		case '.':
			now = now.Add(time.Second)
		case '!':
			out = append(out, "!"+strings.Join(s.Expire(now, 10*time.Second), ","))
		}
		checkState(t, s, limits)
	}
	return strings.Join(out, " ")
}

func prefixOfName(name string) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, name[0]}), 32)
}

// checkState compares what the state counts with its connections.
func checkState(t *testing.T, s *State[string], limits Limits) {
	t.Helper()
	count, unused, bytes, all := map[*address]int{}, map[*address]int{}, map[*address]int{}, 0
	for _, n := range s.conns {
		count[n.address]++
		bytes[n.address] += n.bytes
		all += n.bytes
		if n.bytes > limits.Bytes.One || n.uses > 0 && n.bytes > 0 {
			t.Fatalf("%s has sent %d", n.name, n.bytes)
		}
		if (n.uses == 0) != (n.unused != nil) {
			t.Fatalf("%s has %d uses", n.name, n.uses)
		}
		if n.unused != nil {
			unused[n.address]++
		}
	}
	if len(s.conns) > limits.All || len(count) != len(s.addresses) {
		t.Fatalf("%d connections of %d addresses", len(s.conns), len(s.addresses))
	}
	if all != s.bytes || all > limits.Bytes.All {
		t.Fatalf("%d bytes, and %d are counted", all, s.bytes)
	}
	for _, a := range s.addresses {
		if a.bytes != bytes[a] {
			t.Fatalf("%v: %d bytes", a.prefix, a.bytes)
		}
		if a.count != count[a] || a.unused.Len() != unused[a] || a.count > limits.OfAddress {
			t.Fatalf("%v: %d, %d unused", a.prefix, a.count, a.unused.Len())
		}
		for e := a.unused.Front(); e != nil && e.Next() != nil; e = e.Next() {
			if e.Next().Value.(*conn[string]).since.Before(e.Value.(*conn[string]).since) {
				t.Fatalf("%v: not in order", a.prefix)
			}
		}
	}
}

func TestState(t *testing.T) {
	f := func(script, want string) {
		t.Helper()
		require.Equal(t, want, play(t, Limits{All: 4, OfAddress: 3}, script), script)
	}
	f("+a1 +a2 +a3", "")
	f("+a1 +a2 +a3 +a4", "a1") // over the limit of an address its oldest one goes
	f("+a1 +a2 +a3 ua1 +a4", "a2")
	f("+a1 +a2 +a3 ua1 ua2 ua3 +a4", "-") // nothing in use is closed
	f("+a1 +a2 +a3 ua1 ua2 ua3 +a4 +b1", "-")
	f("+a1 +b1 +b2 +b3 +a2", "b1") // in all, one of the address with the most goes
	f("+a1 . +b1 +b2 . +c1 +c2 . +d1", "b1 c1")
	f("+a1 . +b1 . +c1 . +d1 . +e1 . +f1", "a1 b1")
	f("+b1 . +a1 +a2 +a3 ua1 ua2 +b2", "b1")      // each has one unused, and b's is older
	f("+a1 +a2 +b1 +b2 ua1 ua2 ub1 ub2 +c1", "-") // all in use
	f("+a1 . +a2 . ua1 ra1 +a3 +a4", "a2")        // unused since the last use
	f("+a1 +a2 +a3 xa1 +a4", "")
	f("+a1 ua1 ua1 ra1 +a2 +a3 +a4 ra1 +a5 +a6 +a7", "a2 a3 a4 a1") // used twice, released twice
	f("+a1 +a2 +a3 +a4 ua1 ra1 xa1", "a1")                          // what is gone is unknown
	f("+a1 . . . . . +b1 . . . . . ! . . . . . !", "!a1 !b1")
	f("+a1 ua1 . . . . . . . . . . ! ra1 . . . . . . . . . ! . !", "! ! !a1")
}

func TestSent(t *testing.T) {
	f := func(script, want string) {
		t.Helper()
		limits := Limits{All: 9, OfAddress: 9, Bytes: ByteLimits{One: 10, All: 25}}
		require.Equal(t, want, play(t, limits, script), script)
	}
	f("+a1 sa1:10", "")
	f("+a1 sa1:10 sa1:1 sa1:9", "sa1") // more than one may; what is gone is unknown
	f("+a1 +a2 +b1 sa1:8 sa2:9 sb1:8", "")
	f("+a1 +a2 +b1 sa1:8 sa2:9 sb1:9", "sa2")            // more than all may: the largest of the address with the most
	f("+a1 +a2 +a3 +b1 sa1:5 sa2:6 sa3:5 sb1:10", "sa2") // and not the largest of all
	f("+a1 +b1 +c1 sa1:9 sb1:8 xa1 sc1:9", "")
	f("+a1 +b1 +c1 sa1:9 sb1:8 ua1 sc1:9 sa1:99", "") // in use
	f("+a1 ua1 ra1 . . . . sa1:99 . sa1:10 sa1:1", "sa1")
	f("+a1 ua1 ra1 ua1 . . . . . sa1:99 ra1 sa1:99", "")
}

func TestEvictOldest(t *testing.T) {
	s := New[string](Limits{All: 4, OfAddress: 3})
	require.True(t, s.EvictOldest().Refused)
	for _, name := range []string{"a1", "b1", "b2"} {
		s.Add(name, prefixOfName(name), time.Unix(0, 0))
	}
	require.Equal(t, Decision[string]{Evicted: true, Victim: "b1"}, s.EvictOldest())
	require.ElementsMatch(t, []string{"a1", "b2"}, s.Unused())
	require.True(t, s.Use("a1"))
	require.False(t, s.Use("b1"))
	require.Equal(t, []string{"b2"}, s.Unused())
	require.Equal(t, 2, s.Len())
}

// Who floods a server with connections closes their own, however many they are; one that comes meanwhile
// has the time of at least OfAddress further ones to be used.
func TestFloodEvictsItsOwn(t *testing.T) {
	limits := Limits{All: 1000, OfAddress: 700}
	s, now := New[string](limits), time.Unix(0, 0)
	s.Add("b1", prefixOfName("b"), now)
	for i := range 100_000 {
		now = now.Add(time.Millisecond)
		name := fmt.Sprintf("%c%d", "ac"[i%2], i)
		d := s.Add(name, prefixOfName(name), now)
		require.NotEqual(t, "b1", d.Victim)
		require.False(t, d.Refused)
	}
	require.True(t, s.Use("b1"))
	require.Equal(t, 1000, s.Len())
}

func TestAddressOf(t *testing.T) {
	f := func(addr, want string) {
		t.Helper()
		require.Equal(t, want, AddressOf(&net.TCPAddr{IP: net.ParseIP(addr), Port: 1}).String())
	}
	f("10.0.0.1", "10.0.0.1/32")
	f("::ffff:10.0.0.1", "10.0.0.1/32")
	f("2001:db8:0:1::1", "2001:db8:0:1::/64")
	require.Zero(t, AddressOf(&net.UnixAddr{Name: "x"}))
	require.Zero(t, AddressOf(&net.TCPAddr{}))
}

// Whatever happens in which order, the limits hold, and what is in use is never closed.
func FuzzState(f *testing.F) {
	f.Add([]byte("+a+b+cua+dra!xa.+e"))
	f.Fuzz(func(t *testing.T, events []byte) {
		limits := Limits{All: 6, OfAddress: 4, Bytes: ByteLimits{One: 10, All: 25}}
		s, now := New[string](limits), time.Unix(0, 0)
		uses := map[string]int{}
		for i := 0; i+1 < len(events); i += 2 {
			name := string([]byte{'a' + events[i+1]%4, 'a' + events[i+1]/4%8})
			switch events[i] % 7 {
			case 0:
				if _, known := s.conns[name]; known {
					continue
				}
				if d := s.Add(name, prefixOfName(name), now); d.Evicted {
					if uses[d.Victim] > 0 {
						t.Fatalf("%s is in use", d.Victim)
					}
					delete(uses, d.Victim)
				}
			case 1:
				if s.Use(name) {
					uses[name]++
				}
			case 2:
				s.Release(name, now)
				uses[name] = max(0, uses[name]-1)
			case 3:
				s.Remove(name)
				delete(uses, name)
			case 6:
				if victim, over := s.Sent(name, 6, now); over {
					if uses[victim] > 0 {
						t.Fatalf("%s is in use", victim)
					}
					delete(uses, victim)
				}
			case 4:
				now = now.Add(time.Second)
			case 5:
				for _, c := range s.Expire(now, 3*time.Second) {
					if uses[c] > 0 {
						t.Fatalf("%s is in use", c)
					}
				}
			}
			checkState(t, s, limits)
		}
	})
}
