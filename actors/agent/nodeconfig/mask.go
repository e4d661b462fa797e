package nodeconfig

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// masked stands for a secret. It says nothing of it, not even whether two are equal.
const masked = "***"

// secretParts make a secret of a key that has one of them in it, whatever stands
// between its words.
var secretParts = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "authorization", "htpasswd",
	"apikey", "accesskey", "privatekey", "signingkey", "encryptionkey", "masterkey", "sharedkey", "accountkey",
	"sessionkey", "sshkey", "tlskey", "sslkey", "serverkey", "clientkey", "authkey", "keydata", "keypem", "keycontent",
	"jwt", "bearer", "cookie"}

// secretWords are too short to be looked for within other words.
var secretWords = []string{"pass", "pwd", "pw", "creds", "cred"}

// isSecret reports whether the value of a key is likely one that nobody may see. Any
// part of a dotted key counts: what stands below "credentials" is one.
func isSecret(key string) bool {
	words := wordsOf(key)
	if len(words) == 1 && words[0] == "key" || slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) }) {
		return true
	}
	joined := strings.ReplaceAll(strings.Join(words, ""), "tokeniz", "")
	return slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(joined, part) })
}

// wordsOf splits a key at what is neither letter nor digit, and where a small letter
// is followed by a capital one. The words are in small letters.
func wordsOf(key string) []string {
	var b strings.Builder
	wasLower := false
	for _, r := range key {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || wasLower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
		wasLower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	return strings.Fields(b.String())
}

var (
	placeWords     = []string{"file", "files", "path", "dir", "directory", "location"}
	pathExtensions = []string{".pem", ".key", ".crt", ".cer", ".yaml", ".yml", ".json", ".txt", ".conf", ".p12", ".pfx", ".jks"}
)

// isPlace reports whether the key says where something is, and the value is such a
// place: where a secret lies is none.
func isPlace(key, value string) bool {
	words := wordsOf(key)
	if len(words) == 0 || !slices.Contains(placeWords, words[len(words)-1]) || strings.ContainsAny(value, " \t\r\n=,") {
		return false
	}
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return slices.Contains(pathExtensions, path.Ext(value))
}

// maskValue returns the value as it may be shown. secret says that the key is one, or
// that something else does. That there is no value, or only an on or off, is shown.
func maskValue(key, value string, secret bool) string {
	switch {
	case value == "", value == "true", value == "false":
		return value
	case secret && !isPlace(key, value):
		return masked
	default:
		return maskText(value)
	}
}

const secretName = `[\w.\-]*(?:password|passwd|passphrase|pwd|secret|token|credential|signature|\bsig\b|(?:api|access|private|account|shared)[_\-]?key)[\w.\-]*`

var (
	token = regexp.MustCompile(`\S*@\S*`)
	jwt   = regexp.MustCompile(`\beyJ[\w\-]{5,}\.[\w\-]+\.[\w\-]*`)
	// authorization is what stands in such a header.
	authorization = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[\w.~+/=\-]+`)
	// named is a secret with its name before it, within a longer text.
	named = regexp.MustCompile(`(?i)(` + secretName + `["']?\s*[=:]\s*|--?` + secretName + `\s+)("(?:\\.|[^"\\])*"|'[^']*'|[^\s"']\S*)`)
)

// maskText masks what looks like a secret within a text that is none as a whole: the
// password of a URL, a private key, a token, the password in a data source's name. It
// rather masks too much than too little.
func maskText(text string) string {
	if strings.Contains(text, "-----BEGIN") && strings.Contains(text, "PRIVATE KEY") {
		return masked
	}
	text = token.ReplaceAllStringFunc(text, maskUser)
	text = jwt.ReplaceAllString(text, masked)
	text = authorization.ReplaceAllString(text, "$1 "+masked)
	return named.ReplaceAllString(text, "${1}"+masked)
}

// maskUser masks the password of user:password@host, with or without a scheme. A
// password may hold anything, so it ends at the last @.
func maskUser(text string) string {
	at := strings.LastIndexByte(text, '@')
	begin := 0
	if scheme := strings.Index(text[:at], "://"); scheme >= 0 {
		begin = scheme + len("://")
	}
	user := text[begin:at]
	if colon := strings.IndexByte(user, ':'); colon >= 0 {
		return text[:begin+colon+1] + masked + text[at:]
	}
	if begin > 0 && !strings.Contains(user, "/") { // a token in place of a user
		return text[:begin] + masked + text[at:]
	}
	return text
}
