package mask

import "strings"

// programFlag is a flag that has a password for some programs; for others it has a port or something else.
type programFlag struct {
	flag string
	// joined: the password follows the flag in the same word.
	joined bool
	// first: the flag counts only among the first ones behind the program, which runs another one.
	first bool
}

var (
	flagOfMySQL = []programFlag{{flag: "-p", joined: true}}
	flagOfMongo = []programFlag{{flag: "-p"}}
	flagOfLDAP  = []programFlag{{flag: "-w"}}
	flagOfZip   = []programFlag{{flag: "-P"}}
	// programFlags are the flags of programs that take a password on the command line, under a name that does not say so.
	programFlags = map[string][]programFlag{
		"mysql": flagOfMySQL, "mysqldump": flagOfMySQL, "mysqladmin": flagOfMySQL, "mysqlimport": flagOfMySQL, "mysqlcheck": flagOfMySQL,
		"mysqlshow": flagOfMySQL, "mysqlbinlog": flagOfMySQL, "mysqlpump": flagOfMySQL, "mysqlsh": flagOfMySQL,
		"mariadb": flagOfMySQL, "mariadb-dump": flagOfMySQL, "mariadb-admin": flagOfMySQL, "mariadb-backup": flagOfMySQL, "xtrabackup": flagOfMySQL,
		"sshpass":   {{flag: "-p", first: true}, {flag: "-p", joined: true, first: true}},
		"redis-cli": {{flag: "-a"}, {flag: "--pass"}}, "valkey-cli": {{flag: "-a"}, {flag: "--pass"}}, "redis-benchmark": {{flag: "-a"}},
		"mongo": flagOfMongo, "mongosh": flagOfMongo, "mongodump": flagOfMongo, "mongorestore": flagOfMongo, "mongoexport": flagOfMongo, "cqlsh": flagOfMongo,
		"ldapsearch": flagOfLDAP, "ldapmodify": flagOfLDAP, "ldapadd": flagOfLDAP, "ldapdelete": flagOfLDAP, "ldapwhoami": flagOfLDAP, "ldappasswd": flagOfLDAP,
		"zip": flagOfZip, "unzip": flagOfZip,
	}
)

// maxProgramBytes bounds the name of a program.
const maxProgramBytes = 16

// commandBreaks are what ends a command in a line of a shell, or stands before one.
var commandBreaks = charsetOf("\r\n;|&(`")

// commandFinder knows which programs stand where in the last command that was asked for. It is asked for positions that only
// increase, so that it reads each byte once.
type commandFinder struct {
	command span
	// programs are those behind the last position, after the one before it.
	programs []programAt
	current  *programAt
}

type programAt struct {
	end   int // of its name
	flags []programFlag
	// Up to read, nothing but flags has followed the name if onlyFlags; inWord: that is within a word.
	read              int
	onlyFlags, inWord bool
}

// before returns the program that the flag at the position is of; nil: of none with such a flag.
func (c *commandFinder) before(text string, i int) *programAt {
	if i < c.command.from || i >= c.command.to {
		c.read(text, i)
	}
	for len(c.programs) > 0 && c.programs[0].end < i {
		c.current, c.programs = &c.programs[0], c.programs[1:]
	}
	return c.current
}

// read finds the programs in the command around the position.
func (c *commandFinder) read(text string, i int) {
	first := min(max(0, c.command.to), i)
	from := first + skipBack(text[first:i], i-first, func(b byte) bool { return !commandBreaks[b] })
	to := skip(text, i, func(b byte) bool { return !commandBreaks[b] })
	c.command, c.programs, c.current = span{from, to}, nil, nil
	for at := from; at < to; {
		at = skip(text[:to], at, isBeforeProgram)
		end := skip(text[:to], at, func(b byte) bool { return !isBeforeProgram(b) })
		if end-at <= maxProgramBytes {
			if flags := programFlags[text[at:end]]; flags != nil {
				c.programs = append(c.programs, programAt{end: end, flags: flags, read: end, onlyFlags: true})
			}
		}
		at = end
	}
}

// isBeforeProgram reports whether the byte may stand before the name of a program, or behind it: that of a folder, too.
func isBeforeProgram(b byte) bool {
	return isSpace(b) || b == '/' || b == '"' || b == '\'' || b == ',' || b == '[' || b == ']' || b == '\\' || b == '='
}

// find looks for a flag at the position that has a password for the program before it: mysql -pPASSWORD, redis-cli -a PASSWORD.
func (c *commandFinder) find(e *endFinder, i int, found []span) []span {
	if i == 0 || !isBeforeProgram(e.text[i-1]) || i+2 >= len(e.text) || !programLetters[e.text[i+1]] {
		return found
	}
	p := c.before(e.text, i)
	if p == nil {
		return found
	}
	for _, flag := range p.flags {
		if flag.first && !p.hasOnlyFlags(e.text, i) || !strings.HasPrefix(e.text[i:], flag.flag) {
			continue
		}
		end := i + len(flag.flag)
		value, joined := valueOfFlag(e.text, end)
		if joined != flag.joined || value == len(e.text) {
			continue
		}
		if to := e.ofValue(value); !isPortMapping(e.text[value:to]) && e.text[value] != '-' && !strings.HasPrefix(e.text[value:], Mark) {
			return append(found, span{value, to})
		}
	}
	return found
}

// valueOfFlag returns where the value of a flag begins that ends at the position, with its quotation mark, and whether both are one word.
func valueOfFlag(text string, end int) (value int, joined bool) {
	quote := skip(text, end, isEscape)
	if quote < len(text) && (!isInList(text[quote]) || text[quote] == '"' && quote+1 < len(text) && !isInList(text[quote+1])) {
		return end, true
	}
	value = skip(text, end, isInList)
	if value > end+1 && text[value-1] == '"' && value-1 > quote {
		value = max(quote+1, skipBack(text, value-1, isEscape))
	}
	return value, false
}

func isEscape(b byte) bool { return b == '\\' }

// programLetters are those with which the flags begin.
var programLetters = charsetOf("apPw-")

// isInList reports whether the byte stands between the arguments of a command, or of the list of them.
func isInList(b byte) bool { return isBlank(b) || b == '"' || b == ',' || isEscape(b) }

// hasOnlyFlags reports whether there are nothing but flags between the program and the position of another flag.
func (p *programAt) hasOnlyFlags(text string, i int) bool {
	for ; p.onlyFlags && p.read < i; p.read++ {
		b := text[p.read]
		isWord := !isInList(b)
		p.onlyFlags = !isWord || p.inWord || b == '-'
		p.inWord = isWord
	}
	return p.onlyFlags
}

// maxMappingBytes bounds the mapping of a port with what stands around it in a list.
const maxMappingBytes = 64

// isPortMapping reports whether the value is that of "docker run -p": ports, which are no password.
func isPortMapping(value string) bool {
	if len(value) > maxMappingBytes {
		return false
	}
	host, container, ok := strings.Cut(trimValue(value), ":")
	return ok && len(host) <= maxPortBytes && len(container) <= maxPortBytes && isNumber(host) && isNumber(container)
}

// IsFlagOf reports whether the value of the flag is a password for one of the programs, whose paths these may be. joined says that it
// is in the same word: then only the beginning of the flag is its name.
func IsFlagOf(programs []string, flag string) (is, joined bool) {
	for _, program := range programs {
		for _, f := range programFlags[program[strings.LastIndexByte(program, '/')+1:]] {
			switch {
			case !f.joined && flag == f.flag:
				return true, false
			case f.joined && len(flag) > len(f.flag) && strings.HasPrefix(flag, f.flag):
				return true, true
			}
		}
	}
	return false, false
}
