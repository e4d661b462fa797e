package proxy

import (
	"crypto/rand"
	"crypto/sha256"
)

// A session has two names. Its agent id, a random UUID, is shown wherever a session is:
// pages, logs, dumps. Its key is what an agent opens the session's further streams with.
// The two are drawn independently, so that nothing can be computed from the one that is
// shown. The key goes to the agent alone.

// newSessionKey returns a random text of 130 bits.
func newSessionKey() string { return rand.Text() }

// keyHash is what the registry knows a key by. A look-up compares hashes: how long it takes
// tells nothing of the keys that there are.
type keyHash [sha256.Size]byte

func hashKey(key string) keyHash { return sha256.Sum256([]byte(key)) }
