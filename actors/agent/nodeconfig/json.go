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

// parseJSON reads one document. An error does not repeat what is in it.
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
	f.json("", document, false, 0)
	return &f.params, nil
}

func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not valid JSON at byte %d", syntax.Offset)
	}
	return errors.New("not valid JSON: it ends too early")
}

func (f *flattener) json(key string, value any, secret bool, depth int) {
	if !f.enter(depth) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 && key != "" {
			f.bare(key, "{}", secret)
		}
		named := false
		for k, entry := range v {
			if text, ok := entry.(string); ok && namesSecret(k, text) {
				named = true
			}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f.json(dotted(key, k), v[k], secret || named && isValueOfName(k), depth+1)
		}
	case []any:
		if len(v) == 0 && key != "" {
			f.bare(key, "[]", secret)
		}
		for i, item := range v {
			f.json(dotted(key, strconv.Itoa(i)), item, secret, depth+1)
		}
	case json.Number:
		f.bare(key, v.String(), secret)
	case bool:
		f.bare(key, strconv.FormatBool(v), secret)
	case string:
		f.text(key, v, secret)
	default:
		f.bare(key, "null", secret)
	}
}
