package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// cacheEntries bounds each cache.
const cacheEntries = 256

// login is a user with a hash and a password, by a key that this process alone has. No password stays in memory.
type login [sha256.Size]byte

// logins makes them.
type logins struct{ key [32]byte }

func newLogins() (l logins) {
	_, _ = rand.Read(l.key[:])
	return l
}

func (l logins) of(name string, hash []byte, password string) (sum login) {
	m := hmac.New(sha256.New, l.key[:])
	for _, part := range []string{name, string(hash), password} {
		_, _ = m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = m.Write([]byte(part))
	}
	m.Sum(sum[:0])
	return sum
}

// cache is the newest logins that had the same result.
type cache struct {
	known map[login]bool
	order []login // a ring, which begins at next
	next  int
}

func newCache() *cache { return &cache{known: map[login]bool{}} }

func (c *cache) add(l login) {
	if c.known[l] {
		return
	}
	if len(c.order) < cacheEntries {
		c.order = append(c.order, l)
	} else {
		delete(c.known, c.order[c.next])
		c.order[c.next] = l
		c.next = (c.next + 1) % cacheEntries
	}
	c.known[l] = true
}
