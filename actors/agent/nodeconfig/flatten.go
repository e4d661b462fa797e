package nodeconfig

import (
	"strings"

	"fodc/messages"
)

// Limits of a document.
const (
	maxDepth = 64
	// maxVisits bounds the values that are looked at: a YAML file of some lines can
	// stand for millions.
	maxVisits = 64 << 10
)

// flattener turns a tree of values into parameters with dotted keys; list items have
// their number as a key, from 0.
type flattener struct {
	params
	visits int
}

// enter reports whether a value may be looked at.
func (f *flattener) enter(depth int) bool {
	f.visits++
	if depth > maxDepth || f.visits > maxVisits {
		f.left++
		return false
	}
	return true
}

// place is where a value stands: the key that is shown, and the name that it is masked by.
// They differ below an object that says by another entry what its value is, as in
// {name: DB_PASSWORD, value: hunter2}.
type place struct{ key, name string }

// at returns the place of an entry of an object, or of an item of a list.
func (p place) at(key string) place { return place{dotted(p.key, key), dotted(p.name, key)} }

// named returns the place with the text of an entry as a part of the name, if that entry
// says what the others are.
func (p place) named(key, text string) place {
	switch strings.ToLower(key) {
	case "kind":
		if text != "Secret" { // of Kubernetes
			return p
		}
	case "name", "key", "id":
	default:
		return p
	}
	if text != "" && len(text) <= messages.MaxConfigKeyBytes {
		p.name = dotted(p.name, text)
	}
	return p
}

// entry returns the place of an entry. named is that of the object with its name: it
// counts for the entries that hold its value.
func (p place) entry(key string, named place) place {
	if isValueOfName(key) {
		return place{dotted(p.key, key), dotted(named.name, key)}
	}
	return p.at(key)
}

func dotted(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// isValueOfName reports whether the entry holds the value of an object that has a name.
func isValueOfName(key string) bool {
	switch strings.ToLower(key) {
	case "value", "values", "val", "data", "stringdata", "content", "default":
		return true
	default:
		return false
	}
}
