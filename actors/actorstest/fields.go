package actorstest

import "strings"

// Field returns a field of a message, which may be within others: "panicRecord.component". It is nil
// where there is none; a field that has the default of its type, as 0 or "", is none.
func Field(f Fields, path string) any {
	var v any = f
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}
