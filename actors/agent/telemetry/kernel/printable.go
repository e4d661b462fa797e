package kernel

import (
	"strings"
	"unicode"
)

// maxComm is the longest name of a process, in bytes.
const maxComm = 15

// Printable returns the name of a process for texts and logs. A process gives itself any name, of any bytes: what is not UTF-8
// or cannot be printed becomes a question mark, and more than a name can have is left out. The result may be empty.
func Printable(comm string) string {
	comm = comm[:min(len(comm), maxComm)]
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, comm)
}
