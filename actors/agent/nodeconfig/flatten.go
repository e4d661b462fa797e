package nodeconfig

import (
	"strconv"
	"strings"

	"fodc/messages"
)

// Limits of a document.
const (
	maxDepth = 64
	// maxVisits bounds the values that are visited. With aliases, a YAML file of a few lines
	// can expand to billions.
	maxVisits = 64 << 10
)

// flattener turns a document into parameters with dotted keys. The key of a list item is its
// index, from 0.
type flattener struct {
	params
	visits int
}

// enter counts a visit, and reports whether the limits allow it.
func (f *flattener) enter(depth int) bool {
	f.visits++
	if depth > maxDepth || f.visits > maxVisits {
		f.omitted++
		return false
	}
	return true
}

// field is the path of a value: key is shown, name decides how the value is masked. They
// differ in objects such as {name: DB_PASSWORD, value: hunter2}, where one entry names the
// value of another one.
type field struct{ key, name string }

// child returns the field of an object's entry or of a list's item.
func (f field) child(key string) field { return field{dotted(f.key, key), dotted(f.name, key)} }

// named adds the text of an entry to the name, if the entry names the others.
func (f field) named(key, text string) field {
	switch strings.ToLower(key) {
	case "kind":
		if text != "Secret" { // of Kubernetes
			return f
		}
	case "name", "key", "id":
	default:
		return f
	}
	if text != "" && len(text) <= messages.MaxConfigKeyBytes {
		f.name = dotted(f.name, text)
	}
	return f
}

// entry returns the field of an object's entry. named is the object's field with its name,
// which counts for the entries that hold its value.
func (f field) entry(key string, named field) field {
	if isValueOfName(key) {
		return field{dotted(f.key, key), dotted(named.name, key)}
	}
	return f.child(key)
}

// item returns the field of a list's item. before is the text of the item before it: the value of a flag is called as the flag, as in
// ["--password", "x"].
func (f field) item(i int, before, text string) field {
	own := f.child(strconv.Itoa(i))
	if isFlag(before) && flagName.MatchString(before) && isValue(before, text) {
		own.name = dotted(f.name, before)
	}
	return own
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
