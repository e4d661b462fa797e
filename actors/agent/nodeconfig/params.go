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

// params are the parameters of one source, in its order. A key that comes again goes
// over the one before.
type params struct {
	list []messages.ConfigParam
	// left counts those that were one too many, cut those whose value was too long.
	left, cut int
}

// text adds a text. name is what it is masked by: its key, or what else is known to be its
// name.
func (p *params) text(key, name, value string) {
	encoded, isCut := encode(mask.Value(name, value))
	if isCut {
		p.cut++
	}
	p.add(key, encoded)
}

// bare adds a value that JSON shows without quotes. A number may be a secret.
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
		p.left++
		return
	}
	p.list = append(p.list, messages.ConfigParam{Key: key, Value: encoded})
}

// cutMark is the end of a value that was cut.
const cutMark = "..."

// encode returns the text as JSON, cut to what a value may have.
func encode(text string) (encoded string, isCut bool) {
	if len(text) > messages.MaxConfigValueBytes {
		text, isCut = text[:messages.MaxConfigValueBytes], true
	}
	for {
		shown := text
		if isCut {
			shown += cutMark
		}
		encoded = quote(shown)
		if len(encoded) <= messages.MaxConfigValueBytes {
			return encoded, isCut
		}
		text, isCut = text[:len(text)*3/4], true
	}
}

func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(text, "?")) // a string in memory
	return strings.TrimSuffix(b.String(), "\n")
}

// section puts sources together, the later ones over the earlier, sorted by key and
// within the limits of a section. notes says what is not as it was written.
func section(name string, sources ...*params) (list []messages.ConfigParam, notes []string) {
	left, cut := 0, 0
	for _, s := range sources {
		list = append(list, s.list...)
		left, cut = left+s.left, cut+s.cut
	}
	slices.SortStableFunc(list, func(a, b messages.ConfigParam) int { return cmp.Compare(a.Key, b.Key) })
	kept, size := list[:0], 0
	for i, p := range list {
		if i+1 < len(list) && list[i+1].Key == p.Key {
			continue
		}
		if size += len(p.Key) + len(p.Value); len(kept) == messages.MaxConfigParams || size > messages.MaxConfigBytes {
			size -= len(p.Key) + len(p.Value)
			left++
			continue
		}
		kept = append(kept, p)
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d parameters are left out: at most %d parameters and %d bytes are kept",
			name, left, messages.MaxConfigParams, messages.MaxConfigBytes))
	}
	if cut > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d values are cut: at most %d bytes of each are kept", name, cut, messages.MaxConfigValueBytes))
	}
	return kept, notes
}
