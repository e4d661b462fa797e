package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxStampFiles bounds the files that are looked at.
const maxStampFiles = 1000

// stampOf says which files there are of the globs, with their sizes and times. It is another one when one of them has
// changed.
func stampOf(globs []string) string {
	var b strings.Builder
	b.WriteString("files:")
	n := 0
	for _, g := range globs {
		names, err := filepath.Glob(g)
		if err != nil {
			fmt.Fprintf(&b, "\n%s: %v", g, err)
		}
		slices.Sort(names)
		for _, name := range names {
			if n++; n > maxStampFiles {
				return b.String()
			}
			info, err := os.Stat(name)
			if err != nil {
				fmt.Fprintf(&b, "\n%s: %v", name, err)
				continue
			}
			fmt.Fprintf(&b, "\n%s %d %d", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
