package mask

import (
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// maxPlainBytes bounds a value that is looked at: in a text without blanks, all that follows a name is its value.
const maxPlainBytes = 512

var (
	// quantityValue matches a number of up to 3 digits (a longer one may be a PIN, a salt or a
	// seed), a percentage, a size, or a duration with a unit that package time does not know.
	quantityValue = regexp.MustCompile(`^-?(?:\d{1,3}(?:\.\d+)?%?|\d+(?:\.\d+)?\s?(?:(?:[kKMGTPE]i?)?[bB]|[KMGTPE]i?|[kmg]|days?|[dw]|hours?|minutes?|seconds?))$`)
	variableValue = regexp.MustCompile(`^\$\{\w+\}$`)
	urlStart      = regexp.MustCompile(`^[a-z][a-z0-9+.\-]*://[\w.\-\[]`)
)

// isPlainValue reports whether a value is harmless under a name that is likely a secret's: a
// number of up to 3 digits, a duration, a size, an address, a path, a URL,
// a word such as "basic" or "sha256". Passwords in URLs are the caller's business.
func isPlainValue(value string) bool {
	if len(value) > maxPlainBytes {
		return false
	}
	if plainWords[strings.ToLower(value)] || quantityValue.MatchString(value) || variableValue.MatchString(value) {
		return true
	}
	if _, err := time.ParseDuration(value); err == nil {
		return strings.Trim(value, "0123456789") != ""
	}
	if isAddress(value) {
		return true
	}
	return (beginsWithPath(value) || urlStart.MatchString(value)) && !strings.ContainsAny(value, " \t\r\n") && len(findRandom(value)) == 0
}

// isAddress reports whether the value is an IP address, with a port or a prefix length if
// need be, or a list of them.
func isAddress(value string) bool {
	for _, one := range strings.Split(value, ",") {
		one = strings.TrimSpace(one)
		_, errAddr := netip.ParseAddr(one)
		_, errPort := netip.ParseAddrPort(one)
		_, errPrefix := netip.ParsePrefix(one)
		if errAddr != nil && errPort != nil && errPrefix != nil {
			return false
		}
	}
	return true
}

// findPair finds the password of a value user:password.
func findPair(value string) []span {
	colon := strings.IndexByte(value[:min(len(value), maxNameBytes)], ':')
	if colon <= 0 || colon == len(value)-1 || strings.ContainsAny(value[:colon], " \t\r\n/{[(") {
		return nil
	}
	user, rest := value[:colon], value[colon+1:]
	switch {
	case strings.HasPrefix(rest, "//"), // a URL
		isSpace(rest[0]), // a sentence, or lines of another form
		user == "system", user == "arn", user == "urn", user == "spiffe",
		isNumber(user) && isNumber(rest), // UID:GID, a time of day
		len(value) <= maxPlainBytes && isAddress(value), user == "localhost" && isNumber(rest):
		return nil
	}
	return []span{{colon + 1, len(value)}}
}

func isNumber(text string) bool { return text != "" && skip(text, 0, isDigit) == len(text) }
