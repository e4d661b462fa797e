package capture

import (
	"fmt"
	"strings"

	"fodc/messages"
)

// names gives files of the evidence names that all systems can have, each once.
type names struct{ taken map[string]bool }

// newNames returns names of which some are taken.
func newNames(taken ...string) *names {
	n := &names{map[string]bool{}}
	for _, p := range taken {
		n.taken[strings.ToLower(p)] = true
	}
	return n
}

// maxFileName bounds a name, in bytes.
const maxFileName = 100

// path returns dir/name+ext for a name that somebody else has chosen, with whatever cannot be in
// one replaced, and a number if another file has it.
func (n *names) path(dir, name, ext string) string {
	name = fileName(name)
	for i := 1; ; i++ {
		p := dir + "/" + name + ext
		if i > 1 {
			p = fmt.Sprintf("%s/%s-%d%s", dir, name, i, ext)
		}
		// Case does not tell names apart on all systems.
		if key := strings.ToLower(p); !n.taken[key] {
			n.taken[key] = true
			return p
		}
	}
}

func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(name[:min(len(name), maxFileName)], ".")
	if name == "" {
		name = "_"
	}
	if !messages.ValidEvidencePath(name) { // such as the name of a device
		name = "_" + name
	}
	return name
}
