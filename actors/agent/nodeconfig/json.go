package nodeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parseJSON parses one document. Errors do not quote it.
func parseJSON(text string) (*params, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return nil, jsonError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not valid JSON: something follows the first value")
	}
	f := &flattener{}
	f.json(field{}, document, 0)
	return &f.params, nil
}

func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not valid JSON: it ends too early")
}

func (f *flattener) json(at field, value any, depth int) {
	if !f.enter(depth) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 && at.key != "" {
			f.bare(at.key, at.name, "{}")
		}
		keys := slices.Sorted(maps.Keys(v))
		named := at
		for _, k := range keys {
			if text, ok := v[k].(string); ok {
				named = named.named(k, text)
			}
		}
		for _, k := range keys {
			f.json(at.entry(k, named), v[k], depth+1)
		}
	case []any:
		if len(v) == 0 && at.key != "" {
			f.bare(at.key, at.name, "[]")
		}
		before := ""
		for i, item := range v {
			text, _ := item.(string)
			f.json(at.item(i, before, text), item, depth+1)
			before = text
		}
	case json.Number:
		f.bare(at.key, at.name, v.String())
	case bool:
		f.bare(at.key, at.name, strconv.FormatBool(v))
	case string:
		f.text(at.key, at.name, v)
	default:
		f.bare(at.key, at.name, "null")
	}
}
