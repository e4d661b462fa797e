package nodeconfig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"fodc/actors/agent/mask"
	"fodc/messages"
)

// params are the parameters of one source, in its order. If a key appears twice, the later
// value counts.
type params struct {
	list []messages.ConfigParam
	// omitted counts the parameters over the limit, truncated the values that were cut.
	omitted, truncated int
}

// text adds a text, masked according to the name. That is the key, unless the document
// itself says how the value is called.
func (p *params) text(key, name, value string) {
	encoded, truncated := encode(mask.Value(name, value))
	if truncated {
		p.truncated++
	}
	p.add(key, encoded)
}

// bare adds a number, boolean, null or empty container, which JSON shows without quotes. A
// number may be a secret, too.
func (p *params) bare(key, name, value string) {
	isNumber := strings.ContainsAny(value[:1], "-0123456789")
	if isNumber && mask.Value(name, value) != value || len(value) > messages.MaxConfigValueBytes {
		p.text(key, name, value)
		return
	}
	p.add(key, value)
}

func (p *params) add(key, encoded string) {
	key = strings.ToValidUTF8(mask.Key(key), "?")
	if len(key) > messages.MaxConfigKeyBytes {
		key = strings.ToValidUTF8(key[:messages.MaxConfigKeyBytes], "")
	}
	if key == "" || len(p.list) >= messages.MaxConfigParams {
		p.omitted++
		return
	}
	p.list = append(p.list, messages.ConfigParam{Key: key, Value: encoded})
}

// cutMark ends a value that was cut.
const cutMark = "..."

// encode returns the text as a JSON string, cut to the limit of a value.
func encode(text string) (encoded string, truncated bool) {
	if len(text) > messages.MaxConfigValueBytes {
		text, truncated = text[:messages.MaxConfigValueBytes], true
	}
	for {
		shown := text
		if truncated {
			shown += cutMark
		}
		encoded = quote(shown)
		if len(encoded) <= messages.MaxConfigValueBytes {
			return encoded, truncated
		}
		text, truncated = text[:len(text)*3/4], true
	}
}

func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(text, "?")) // a string in memory
	return strings.TrimSuffix(b.String(), "\n")
}

// section merges sources into one list, sorted by key and within the limits of a section.
// A later source overrides an earlier one. notes says how much was omitted or cut.
func section(name string, sources ...*params) (list []messages.ConfigParam, notes []string) {
	omitted, truncated := 0, 0
	for _, s := range sources {
		list = append(list, s.list...)
		omitted, truncated = omitted+s.omitted, truncated+s.truncated
	}
	slices.SortStableFunc(list, func(a, b messages.ConfigParam) int { return cmp.Compare(a.Key, b.Key) })
	kept, size := list[:0], 0
	for i, p := range list {
		if i+1 < len(list) && list[i+1].Key == p.Key {
			continue
		}
		if size += len(p.Key) + len(p.Value); len(kept) == messages.MaxConfigParams || size > messages.MaxConfigBytes {
			size -= len(p.Key) + len(p.Value)
			omitted++
			continue
		}
		kept = append(kept, p)
	}
	if omitted > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d parameters are left out: at most %d parameters and %d bytes are kept",
			name, omitted, messages.MaxConfigParams, messages.MaxConfigBytes))
	}
	if truncated > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d values are cut: at most %d bytes of each are kept", name, truncated, messages.MaxConfigValueBytes))
	}
	return kept, notes
}
