package httpapi

import (
	"mime"
	"net/http"
	"strings"
	"unicode"
)

// maxFileNameBytes is the longest name that a file of common systems may have.
const maxFileNameBytes = 255

// setAttachment says that the body is a file of that name, which may have been made of what agents say.
func setAttachment(h http.Header, name string) {
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(name)}))
}

// fileName returns the name of a file for a client: letters, digits and few signs, so that it is within no folder, does not look
// like another name, and is hidden nowhere. A name that is too long keeps its end, which says what the file is.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-=+@", r)) {
			return r
		}
		return '_'
	}, name)
	if len(name) > maxFileNameBytes {
		name = strings.ToValidUTF8(name[len(name)-maxFileNameBytes:], "")
	}
	if rest := strings.TrimLeft(name, ".-"); len(rest) < len(name) {
		name = "_" + rest
	}
	return name
}
