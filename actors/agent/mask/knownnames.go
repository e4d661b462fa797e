package mask

import "strings"

const (
	// maxKnownNames bounds the names whose classes are remembered, maxKnownBytes the size of each.
	maxKnownNames = 512
	maxKnownBytes = 64
)

// knownNames remembers the classes of names in texts: the lines of a log have the same few names again and again, and
// most of the time of masking would be spent on them. Each name has one place, which a later name may take. The zero value
// is ready; nil remembers none.
type knownNames struct{ names []knownName }

type knownName struct {
	name  string
	class class
}

// class is classInText. The name is not empty.
func (k *knownNames) class(name string, before byte) class {
	if k == nil || len(name) > maxKnownBytes || isParameter(before) {
		return classInText(name, before)
	}
	if k.names == nil {
		k.names = make([]knownName, maxKnownNames)
	}
	known := &k.names[placeOf(name)]
	if known.name != name {
		*known = knownName{strings.Clone(name), classInText(name, before)} // not the whole line
	}
	return known.class
}

// placeOf returns the place of a name. It looks at a few bytes: a whole hash takes longer than the rest.
func placeOf(name string) uint {
	const prime = 131
	n := uint(len(name))
	return (((n*prime+uint(name[0]))*prime+uint(name[n/2]))*prime + uint(name[n-1])) % maxKnownNames
}
