package modes

import (
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"fodc/actors/agent/mask"
)

// Limits of flags.
const (
	// minDuration keeps timers from using a whole processor.
	minDuration = 10 * time.Millisecond
	// maxShownRunes bounds the part of a wrong value that an error shows.
	maxShownRunes = 80
)

const durationAllowed = "must be a duration of at least 10ms, such as 5s or 1m30s"

var portRange = intRange{1, 65535}

// invalidError is the error of a flag whose value is not allowed. Its text is one line.
type invalidError struct {
	// flag is the name without dashes.
	flag string
	// source is the environment variable with the value; empty: the value is from a flag.
	source string
	// inFile: the value is in the configuration file; source is the file, the line and the key.
	inFile bool
	value  string
	// absent: a required value is missing.
	absent bool
	// allowed says which values are allowed.
	allowed string
}

func invalid(flag, value, allowed string, args ...any) error {
	return &invalidError{flag: flag, value: value, allowed: fmt.Sprintf(allowed, args...)}
}

func absent(flag, allowed string) error {
	return &invalidError{flag: flag, absent: true, allowed: allowed}
}

func (e *invalidError) Error() string {
	name := "--" + e.flag
	if e.source != "" {
		name = e.source
	}
	if e.absent {
		return name + " is missing: " + e.allowed
	}
	return name + " " + shorten(e.value) + ": " + e.allowed
}

// shorten quotes the text, or the beginning of a long one. Secrets are masked, since errors
// are logged.
func shorten(text string) string {
	text = mask.Text(text)
	if utf8.RuneCountInString(text) <= maxShownRunes {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q... (%d bytes)", string([]rune(text)[:maxShownRunes]), len(text))
}

func checkDuration(flag string, d time.Duration) error {
	if d < minDuration {
		return invalid(flag, d.String(), durationAllowed)
	}
	return nil
}

// checkLess checks that a duration is less than that of another flag.
func checkLess(flag string, d time.Duration, limitFlag string, limit time.Duration) error {
	if d >= limit {
		return invalid(flag, d.String(), "must be less than --%s, which is %s", limitFlag, limit)
	}
	return nil
}

// checkListenAddr accepts HOST:PORT. An empty host means all addresses, port 0 any free port.
func checkListenAddr(flag, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && isHost(host) {
		_, err = intRange{0, portRange.high}.parse(flag, port)
		if err == nil {
			return nil
		}
	}
	return invalid(flag, addr, "must be HOST:PORT or :PORT, with a port from 0 to 65535")
}

// checkDialAddr accepts HOST:PORT.
func checkDialAddr(flag, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host != "" && isHost(host) {
		_, err = portRange.parse(flag, port)
		if err == nil {
			return nil
		}
	}
	return invalid(flag, addr, "must be HOST:PORT, with a port from 1 to 65535")
}

// isHost rejects texts that cannot be host names, such as URLs. Whether a name exists is for
// the resolver to say.
func isHost(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		return c <= ' ' || c == utf8.RuneError || c == 0x7f || strings.ContainsRune(`/\@?#=,"'`, c)
	})
}

// checkAddrsDiffer checks that no two servers have the same address. Each pair is a flag and
// its value.
func checkAddrsDiffer(pairs ...[2]string) error {
	flags := map[string]string{}
	for _, p := range pairs {
		flag, addr := p[0], p[1]
		if other, taken := flags[addr]; taken && !strings.HasSuffix(addr, ":0") {
			return invalid(flag, addr, "must differ from --%s", other)
		}
		flags[addr] = flag
	}
	return nil
}

// checkDistinct checks that no value is given twice, and that there are at most limit.
func checkDistinct(flag string, texts []string, limit int) error {
	if len(texts) > limit {
		return invalid(flag, texts[limit], "is one too many: at most %d are allowed", limit)
	}
	seen := map[string]bool{}
	for _, t := range texts {
		if seen[t] {
			return invalid(flag, t, "is given twice: each one is allowed once")
		}
		seen[t] = true
	}
	return nil
}
