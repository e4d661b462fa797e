package incidents

import (
	"fmt"
	"strings"
)

// Last stands for the newest incident, in place of an id.
const Last = "last"

// maxCandidates bounds how many ids an error names.
const maxCandidates = 5

// Choose returns the id that begins with the text; list is all incidents, the newest first.
func Choose(list []Summary, text string) (string, error) {
	if strings.EqualFold(text, Last) {
		if len(list) == 0 {
			return "", fmt.Errorf("there is no incident")
		}
		return list[0].ID, nil
	}
	var found []string
	for i := range list {
		if strings.HasPrefix(list[i].ID, strings.ToUpper(text)) {
			found = append(found, list[i].ID)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", fmt.Errorf("there is no incident whose id begins with %q", cut(text, maxShownBytes))
	}
	names := strings.Join(found[:min(len(found), maxCandidates)], ", ")
	if more := len(found) - maxCandidates; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "", fmt.Errorf("the ids of %d incidents begin with %q: %s", len(found), cut(text, maxShownBytes), names)
}
