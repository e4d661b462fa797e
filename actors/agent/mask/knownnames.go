package mask

import "strings"

const (
	// maxKnownNames bounds the names whose classes are remembered, maxKnownBytes the size of each.
	maxKnownNames = 512
	maxKnownBytes = 64
)

// knownNames remembers the classes of names in texts: the lines of a log have the same few names again and again, and
// most of the time of masking would be spent on them. The zero value is ready; nil remembers none.
type knownNames struct{ classes map[string]class }

// class is classInText.
func (k *knownNames) class(name string, before byte) class {
	if k == nil || len(name) > maxKnownBytes || isParameter(before) {
		return classInText(name, before)
	}
	known, is := k.classes[name]
	if is {
		return known
	}
	known = classInText(name, before)
	if len(k.classes) < maxKnownNames {
		if k.classes == nil {
			k.classes = make(map[string]class)
		}
		k.classes[strings.Clone(name)] = known // not the whole line
	}
	return known
}
