package nodeconfig

import "strings"

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

func dotted(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// namesSecret reports whether an object says by its name that its value is a secret,
// as in {name: DB_PASSWORD, value: hunter2}.
func namesSecret(key, value string) bool {
	switch strings.ToLower(key) {
	case "name", "key", "id":
		return isSecret(value)
	default:
		return false
	}
}

func isValueOfName(key string) bool {
	switch strings.ToLower(key) {
	case "value", "values", "val", "data", "content", "default":
		return true
	default:
		return false
	}
}
