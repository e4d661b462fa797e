package proxy

import "strconv"

// maxQuoted bounds what is repeated of a peer's text in a log line or an error.
const maxQuoted = 200

func quote(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "..."
	}
	return strconv.Quote(text)
}

func itoa(n int) string { return strconv.Itoa(n) }
