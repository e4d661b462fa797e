package proxy

import (
	"crypto/rand"
	"crypto/sha256"
)

// A session has an id and a key. The agent id, a random UUID, is public: pages, logs and dumps
// show it. With the key the agent opens further streams of the session. It is sent to the
// agent only. The two are drawn independently, so the key cannot be computed from the id.

// newSessionKey returns a random text of 130 bits.
func newSessionKey() string { return rand.Text() }

// keyHash is the hash under which the registry finds a key. A lookup compares hashes only, so
// its duration reveals nothing about the keys.
type keyHash [sha256.Size]byte

func hashKey(key string) keyHash { return sha256.Sum256([]byte(key)) }
