package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Limits of a file.
const (
	maxTokens    = 1000
	maxLines     = 10_000
	maxLineBytes = 1024
	maxNameBytes = 128
)

const (
	hashPrefix   = "sha256:"
	lineAllowed  = "a name, a role and sha256:HEX, with spaces between"
	nameAllowed  = "letters, digits and any of . _ - @ : / are allowed, at most 128 of them"
	otherLetters = "._-@:/"
)

// Parse returns the tokens of a file whose lines have one of the roles. An error says which line is wrong, what of it, and
// what is allowed. A file that is empty is about to be written: one without tokens has a comment. An error quotes nothing of the line: a secret may stand in the place of anything else.
func Parse(content []byte, roles ...string) (Table, error) {
	t := Table{map[[sha256.Size]byte]owner{}, map[string]struct{}{}}
	lines := map[[sha256.Size]byte]int{} // in which a hash is
	if strings.TrimSpace(string(content)) == "" {
		return Table{}, fmt.Errorf("the file is empty: allowed are lines of %s, or a comment alone", lineAllowed)
	}
	number := 0
	for line := range strings.Lines(string(content)) {
		if number++; number > maxLines {
			return Table{}, fmt.Errorf("line %d: at most %d lines are allowed", number, maxLines)
		}
		if len(line) > maxLineBytes {
			return Table{}, fmt.Errorf("line %d: it has %d bytes, at most %d are allowed", number, len(line), maxLineBytes)
		}
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		who, hash, err := parseLine(fields, roles)
		if err != nil {
			return Table{}, fmt.Errorf("line %d: %w", number, err)
		}
		if other, taken := lines[hash]; taken {
			return Table{}, fmt.Errorf("line %d: the hash is that of line %d, and each token is allowed once", number, other)
		}
		if len(lines) == maxTokens {
			return Table{}, fmt.Errorf("line %d: it has one token too many, at most %d are allowed", number, maxTokens)
		}
		t.byHash[hash], t.names[who.name], lines[hash] = who, struct{}{}, number
	}
	return t, nil
}

func parseLine(fields, roles []string) (who owner, hash [sha256.Size]byte, err error) {
	switch {
	case len(fields) != 3:
		return who, hash, fmt.Errorf("it has %d words, allowed is %s", len(fields), lineAllowed)
	case !isName(fields[0]):
		return who, hash, fmt.Errorf("the name: %s", nameAllowed)
	case !slices.Contains(roles, fields[1]):
		return who, hash, fmt.Errorf("the role: allowed is %s", strings.Join(roles, " or "))
	}
	digits, ok := strings.CutPrefix(fields[2], hashPrefix)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != sha256.Size {
		return who, hash, fmt.Errorf("the hash: allowed is %s with the 64 hexadecimal digits of the SHA-256 of the token", hashPrefix)
	}
	hash = [sha256.Size]byte(sum)
	if hash == sha256.Sum256(nil) {
		return who, hash, fmt.Errorf("the hash: it is that of nothing, and a token is allowed that is long and random")
	}
	return owner{fields[0], fields[1]}, hash, nil
}

func isName(text string) bool {
	return len(text) <= maxNameBytes && !strings.ContainsFunc(text, func(c rune) bool {
		isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !isLetter && !strings.ContainsRune(otherLetters, c)
	})
}
