package banyandb

import (
	"encoding/json"
	"strings"

	"fodc/actors/agent/mask"
)

// maxReportDepth bounds how deep the values of a report may be nested; of a deeper one the text is masked as a whole.
const maxReportDepth = 1000

// maskReport returns a report with the secrets in its texts masked, according to their names; a number may be one. All else stays as it is written. What is no
// JSON is masked as any text.
func maskReport(text string) string {
	m := reportMask{text: text, d: json.NewDecoder(strings.NewReader(text))}
	m.d.UseNumber()
	if !m.value("", 0) {
		return mask.Text(text)
	}
	end := int(m.d.InputOffset())
	return m.out.String() + text[m.done:end] + mask.Text(text[end:])
}

// reportMask reads a report token by token.
type reportMask struct {
	text string
	d    *json.Decoder
	out  strings.Builder
	done int    // how much of the text is in out
	last string // the text that was read last
}

// value reads one value of that name; false: it is not valid.
func (m *reportMask) value(name string, depth int) bool {
	token, from, ok := m.next()
	if !ok || depth > maxReportDepth {
		return false
	}
	switch v := token.(type) {
	case string:
		m.last = v
		m.put(from, v, mask.Value(name, v))
	case json.Number: // A secret may be one.
		m.put(from, v.String(), mask.Value(name, v.String()))
	case json.Delim:
		read := m.items
		if v == '{' {
			read = m.members
		}
		if !read(name, depth+1) {
			return false
		}
		_, _, ok = m.next()
		return ok
	}
	return true
}

// items reads what is in a list of that name.
func (m *reportMask) items(name string, depth int) bool {
	for m.d.More() {
		if !m.value(name, depth) {
			return false
		}
	}
	return true
}

// members reads what is in an object of that name. If the name is one of a secret, all members are secret. One that is
// called value has the name that stands before it.
func (m *reportMask) members(name string, depth int) bool {
	named := ""
	for m.d.More() {
		token, from, ok := m.next()
		if !ok {
			return false
		}
		key := token.(string) // Else there would be an error.
		m.put(from, key, mask.Key(key))
		member := key
		switch {
		case mask.IsSecret(key):
		case mask.IsSecret(name):
			member = name
		case strings.EqualFold(key, "value") && mask.IsSecret(named):
			member = named
		}
		m.last = ""
		if !m.value(member, depth) {
			return false
		}
		if strings.EqualFold(key, "name") || strings.EqualFold(key, "key") {
			named = m.last
		}
	}
	return true
}

// next returns the next token, and where it begins.
func (m *reportMask) next() (token json.Token, from int, ok bool) {
	from = int(m.d.InputOffset())
	token, err := m.d.Token()
	for from < len(m.text) && strings.IndexByte(" \t\r\n:,", m.text[from]) >= 0 {
		from++
	}
	return token, from, err == nil
}

// put has the masked text in the place of one that begins there, and has just been read.
func (m *reportMask) put(from int, text, masked string) {
	if text == masked {
		return
	}
	quoted, _ := json.Marshal(masked) // a string in memory
	m.out.WriteString(m.text[m.done:from])
	m.out.Write(quoted)
	m.done = int(m.d.InputOffset())
}
