package mask

import (
	"path"
	"strings"
)

// pgpassFields are those of a line of PostgreSQL's file of passwords: host, port, database, user, password.
const pgpassFields = 5

// maxPgpassBytes bounds what is before the password in such a line.
const maxPgpassBytes = 512

// sourceExtensions are those of files whose lines and columns are named so: "main.go:12:5:error:x".
var sourceExtensions = setOf(".go .c .cc .cpp .h .py .js .ts .java .rs .sh .yml .yaml .json .log .txt .sql")

// findPgpass finds the passwords in lines "host:port:database:user:password".
func findPgpass(text string, found []span) []span {
	for from := 0; from < len(text); {
		end := len(text)
		if at := strings.IndexByte(text[from:], '\n'); at >= 0 {
			end = from + at
		}
		begin := from + skip(text[from:end], 0, isBeforeName)
		if at, ok := passwordOfPgpass(text[begin:end]); ok {
			found = append(found, span{begin + at, end})
		}
		from = end + 1
	}
	return found
}

// passwordOfPgpass returns where the password of such a line begins; ok is false if it is no such line.
func passwordOfPgpass(line string) (at int, ok bool) {
	var fields [pgpassFields - 1]string
	n, from := 0, 0
	for i := 0; i < len(line) && i < maxPgpassBytes; i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case n == len(fields) && c == ':':
			return 0, false // There are more fields.
		case n < len(fields) && (isSpace(c) || isQuote(c) || c == '{' || c == '(' || c == '='):
			return 0, false
		case n < len(fields) && c == ':':
			if fields[n] = line[from:i]; fields[n] == "" {
				return 0, false
			}
			n, from = n+1, i+1
		}
	}
	if n < len(fields) || strings.TrimSpace(line[from:]) == "" || sourceExtensions[path.Ext(fields[0])] {
		return 0, false
	}
	host, port, database, user := fields[0], fields[1], fields[2], fields[3]
	isPort := port == "*" || isNumber(port) && len(port) <= maxPortBytes
	return from, isPort && !isNumber(host) && !isNumber(database) && !isNumber(user)
}
