package nodeconfig

import (
	"fmt"
	"strings"
)

// parseKeyValues parses lines of KEY=VALUE, as shells and container runtimes do: with
// comments, "export " and quotes. A line of another form is reported by its number alone,
// as it may hold a secret. The lines of a private key in PEM belong to the value in which
// it begins.
func parseKeyValues(text string) (*params, error) {
	p := &params{}
	bad, first, n := 0, 0, 0
	inKey := false
	for line := range strings.Lines(text) {
		n++
		if inKey {
			inKey = !strings.Contains(line, "-----END ")
			continue
		}
		inKey = opensKey(line)
		key, value, isPair, isBlank := cutKeyValue(line)
		switch {
		case isPair:
			p.text(key, key, value)
		case !isBlank:
			if bad++; bad == 1 {
				first = n
			}
		}
	}
	if bad > 0 {
		return p, fmt.Errorf("%d lines are not KEY=VALUE, the first is line %d", bad, first)
	}
	return p, nil
}

// opensKey reports whether a private key begins in the line and does not end in it.
func opensKey(line string) bool {
	_, key, begins := strings.Cut(line, "-----BEGIN ")
	return begins && strings.Contains(key, "PRIVATE") && !strings.Contains(key, "-----END ")
}

func cutKeyValue(line string) (key, value string, isPair, isBlank bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return "", "", false, true
	}
	line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
	key, value, found := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !found || key == "" || strings.ContainsAny(key, " \t\"'{}[]<>:") {
		return "", "", false, false
	}
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return key, value, true, false
}

// isKeyValues reports whether the first line that is not empty or a comment is KEY=VALUE.
func isKeyValues(text string) bool {
	for line := range strings.Lines(text) {
		if _, _, isPair, isBlank := cutKeyValue(line); !isBlank {
			return isPair
		}
	}
	return false
}
