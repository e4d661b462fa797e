package promstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/util/annotations"
)

// maxNamedNodes bounds the nodes that an annotation names.
const maxNamedNodes = 20

// annotation is what a response says beside the result: kind is annotations.PromQLWarning or PromQLInfo.
type annotation struct {
	text string
	kind error
}

func (a annotation) Error() string { return a.text }

// Unwrap says whether it is a warning or an info.
func (a annotation) Unwrap() error { return a.kind }

// Warning returns the annotation of a warning, for a response of a storage that is beside this one.
func Warning(text string) error { return annotation{text, annotations.PromQLWarning} }

// Info returns the annotation of an info.
func Info(text string) error { return annotation{text, annotations.PromQLInfo} }

// NodesOf returns a text for nodes of which something can be said, sorted: how many of all they are, and their ids.
func NodesOf(ids []string, all int) string {
	return fmt.Sprintf("%d of %d nodes: %s", len(ids), all, listOf(ids))
}

// lacks returns a text for each reason for which nodes have no answer, or a part of one only.
func lacks(answers []*messages.NodeAnswer) (texts []string) {
	byReason := make(map[string][]string)
	for _, a := range answers {
		switch {
		case a.Missing != messages.MissingNone:
			reason := fmt.Sprintf("no answer (%.50s)", a.Missing)
			byReason[reason] = append(byReason[reason], a.Identity.NodeID)
		case a.Partial != messages.PartialNone:
			reason := fmt.Sprintf("only a part of the answer (%.50s)", a.Partial)
			byReason[reason] = append(byReason[reason], a.Identity.NodeID)
		}
	}
	for reason, ids := range byReason {
		texts = append(texts, fmt.Sprintf("%s from %s", reason, NodesOf(ids, len(answers))))
	}
	slices.Sort(texts)
	return texts
}

// listOf returns the ids as a list that is not too long.
func listOf(ids []string) string {
	slices.Sort(ids)
	rest := ""
	if n := len(ids) - maxNamedNodes; n > 0 {
		ids, rest = ids[:maxNamedNodes], fmt.Sprintf(" and %d more", n)
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprintf("%.100q", id)
	}
	return strings.Join(texts, ", ") + rest
}

// offsets returns a text for the nodes whose clocks were corrected, empty if there are none.
func offsets(answers []*messages.NodeAnswer) string {
	var of []*messages.NodeAnswer
	for _, a := range answers {
		if a.ClockOffset != 0 && a.Missing == messages.MissingNone {
			of = append(of, a)
		}
	}
	if len(of) == 0 {
		return ""
	}
	slices.SortFunc(of, func(a, b *messages.NodeAnswer) int { return cmp.Compare(b.ClockOffset.Abs(), a.ClockOffset.Abs()) })
	ids := make([]string, len(of))
	for i, a := range of {
		ids[i] = a.Identity.NodeID
	}
	return fmt.Sprintf("the clocks of %d nodes are off by up to %s, which was corrected: %s",
		len(of), of[0].ClockOffset.Abs().Round(time.Millisecond), listOf(ids))
}

// noNode says that no node is one that a query may get samples of.
func (c Config) noNode() string {
	if c.OwnNode {
		return "the query selects none of the nodes that are here"
	}
	return "no node is registered that the query selects; /cluster lists those that are"
}

// annotationsOf returns what there is to say of the answers for a selection.
func (c Config) annotationsOf(answers []*messages.NodeAnswer) annotations.Annotations {
	var all annotations.Annotations
	if len(answers) == 0 {
		all.Add(annotation{c.noNode(), annotations.PromQLInfo})
	}
	for _, text := range lacks(answers) {
		all.Add(annotation{text, annotations.PromQLWarning})
	}
	if text := offsets(answers); text != "" {
		all.Add(annotation{text, annotations.PromQLInfo})
	}
	return all
}

// strictError returns the error that the lack of an answer is in strict requests, nil if there is no
// lack.
func (c Config) strictError(answers []*messages.NodeAnswer) error {
	if len(answers) == 0 {
		return messages.Errorf(messages.ErrUnavailable, "%s", c.noNode())
	}
	if texts := lacks(answers); len(texts) > 0 {
		return messages.Errorf(messages.ErrUnavailable, "%s", strings.Join(texts, "; "))
	}
	return nil
}

// invalidSeries returns the annotation for series that were left out.
func invalidSeries(count int) error {
	return annotation{fmt.Sprintf("%d series were left out, since their names, labels, values or times are invalid", count), annotations.PromQLWarning}
}
