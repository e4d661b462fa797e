package tokens

import "crypto/sha256"

// Table is the tokens of a file, by their hash.
type Table struct {
	byHash map[[sha256.Size]byte]owner
	names  map[string]struct{}
}

// owner is whose token it is, and what it is good for.
type owner struct{ name, role string }

// Find returns whose token it is, and its role. It is not ok for one that is not in the file.
func (t Table) Find(token string) (name, role string, ok bool) {
	found, ok := t.byHash[sha256.Sum256([]byte(token))]
	return found.name, found.role, ok
}

// Has reports whether there is a token with the name.
func (t Table) Has(name string) bool {
	_, ok := t.names[name]
	return ok
}

// Len returns how many tokens there are.
func (t Table) Len() int { return len(t.byHash) }
