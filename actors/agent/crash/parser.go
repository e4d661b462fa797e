package crash

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// Stderr is the component of a crash of which the log names none.
const Stderr = "stderr"

// lastWordsTime is how long before a panic its line in the log may be.
const lastWordsTime = 2 * time.Second

// Found is what a log tells of: one of both is set.
type Found struct {
	Panic *messages.PanicRecord
	Exit  *Exit
}

// Parser finds crashes in the lines of a node's log. It knows no file and no clock. The zero value is ready.
type Parser struct {
	dump *dump // nil: none has begun
	// partial is a line that a container runtime has written in parts.
	partial string
	// lastWords is the newest line of the log that says that the process ends, a JSON object.
	lastWords   string
	lastWordsAt time.Time
}

// Line takes a line of the log without its end. It returns what has become complete by it.
func (p *Parser) Line(line string, now time.Time) (found []Found) {
	l := unwrap(line)
	text := p.partial + l.text
	if l.more && len(text) < maxLineBytes {
		p.partial = text
		return nil
	}
	p.partial = ""
	at := l.at
	if at.IsZero() {
		at = now
	}
	if exit, is := parseExit(text); is && !beginsDump(text) {
		found = p.finish(found)
		exit.At, exit.Text = at.UTC(), clean(exit.Text, maxValueBytes)
		return append(found, Found{Exit: &exit})
	}
	if p.dump != nil && p.dump.add(text, now) {
		return nil
	}
	found = p.finish(found)
	switch {
	case beginsDump(text):
		p.dump = newDump(text, at, now)
		p.explain()
	case strings.HasPrefix(text, "{") && saysEnd(text):
		p.lastWords, p.lastWordsAt = text, now
	}
	return found
}

// Pause returns what is complete because nothing has followed. It is to be called now and then.
func (p *Parser) Pause(now time.Time) []Found {
	if p.dump == nil || !p.dump.isOver(now) {
		return nil
	}
	return p.finish(nil)
}

// Break says that the next line does not follow the one before.
func (p *Parser) Break() []Found {
	p.partial = ""
	return p.finish(nil)
}

func (p *Parser) finish(found []Found) []Found {
	if p.dump != nil {
		found = append(found, Found{Panic: p.dump.record()})
		p.dump = nil
	}
	return found
}

// saysEnd reports whether a line of a log in JSON has a level at which programs end.
func saysEnd(line string) bool {
	_, rest, found := strings.Cut(line, `"level":"`)
	if !found {
		return false
	}
	level, _, _ := strings.Cut(rest, `"`)
	switch strings.ToLower(level) {
	case "panic", "dpanic", "fatal":
		return true
	}
	return false
}

// explain gives the dump what the log has said right before it.
func (p *Parser) explain() {
	p.dump.component = Stderr
	words := p.lastWords
	p.lastWords = ""
	if words == "" || p.dump.began.Sub(p.lastWordsAt) > lastWordsTime {
		return
	}
	eachMember([]byte(words), func(name string, value json.RawMessage) bool {
		text := textOf(value, maxValueBytes)
		switch strings.ToLower(name) {
		case "logger", "module", "component":
			if component := cleanName(text); component != "" {
				p.dump.component = component
			}
		case "pid":
			if pid, err := strconv.Atoi(text); err == nil && pid > 0 {
				p.dump.fields[PIDField] = text
			}
		case "msg", "message":
			p.dump.fields["log_message"] = text
		}
		return true
	})
}
