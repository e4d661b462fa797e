package journal

import (
	"encoding/binary"
	"fmt"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/codec"
)

// frontCoding has what the next definition of a target is written relative to: the texts of the
// one before. A text is written as how many bytes at its begin, and then at its end, it shares
// with the text before, and what is between them.
type frontCoding struct {
	name, help string
	labels     messages.LabelText
	family     int32
}

func appendShared(dst []byte, before, text string) []byte {
	prefix := 0
	most := min(len(before), len(text))
	for prefix < most && before[prefix] == text[prefix] {
		prefix++
	}
	suffix := 0
	for most -= prefix; suffix < most && before[len(before)-1-suffix] == text[len(text)-1-suffix]; {
		suffix++
	}
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(prefix)), uint64(suffix))
	return appendText(dst, text[prefix:len(text)-suffix])
}

// shared reads a text of at most so many bytes.
func (b *body) shared(before string, most int) string {
	prefix := b.number(len(before))
	suffix := b.number(len(before) - prefix)
	middle := b.bytes(most)
	if b.bad || prefix+len(middle)+suffix > most {
		b.fail()
		return ""
	}
	text := make([]byte, 0, prefix+len(middle)+suffix)
	text = append(append(append(text, before[:prefix]...), middle...), before[len(before)-suffix:]...)
	return string(text)
}

func (f *frontCoding) appendName(dst []byte, name string) []byte {
	dst = appendShared(dst, f.name, name)
	f.name = name
	return dst
}

func (f *frontCoding) readName(b *body) string {
	f.name = b.shared(f.name, maxNameBytes)
	return f.name
}

// agentFamily is added to the type of a family that the agent makes itself.
const agentFamily = 1 << 7

func (f *frontCoding) appendMetadata(dst []byte, of recorder.Family) []byte {
	kind := byte(of.Type)
	if of.FromAgent {
		kind |= agentFamily
	}
	dst = appendShared(append(dst, kind), f.help, of.Help)
	f.help = of.Help
	return dst
}

func (f *frontCoding) readMetadata(b *body, of *recorder.Family) {
	kind := b.byte()
	of.Type, of.FromAgent = messages.MetricType(kind&^agentFamily), kind&agentFamily != 0
	if of.Type > messages.TypeUntyped {
		of.Type = messages.TypeUnknown
	}
	f.help = b.shared(f.help, maxHelpBytes)
	of.Help = f.help
}

// suffixBits is the size of the suffix in the first field of a series.
const (
	suffixBits = 2
	maxSuffix  = 1<<suffixBits - 1
)

func (f *frontCoding) appendSeries(dst []byte, family int32, k recorder.SeriesKey) []byte {
	step := codec.Zigzag(int64(family) - int64(f.family))
	dst = binary.AppendUvarint(dst, step<<suffixBits|uint64(k.Suffix))
	dst = appendShared(dst, string(f.labels), string(k.Labels))
	f.family, f.labels = family, k.Labels
	return dst
}

// readSeries reads a series of one of so many families, and returns the family's id.
func (f *frontCoding) readSeries(b *body, families int) (family int32, k recorder.SeriesKey) {
	field := b.uvarint()
	k.Suffix = messages.Suffix(field & maxSuffix)
	id := int64(f.family) + codec.Unzigzag(field>>suffixBits)
	k.Labels = messages.LabelText(b.shared(string(f.labels), maxLabelsBytes))
	if b.bad || id < 0 || id >= int64(families) {
		b.fail()
		return 0, k
	}
	f.family, f.labels = int32(id), k.Labels
	return f.family, k
}

// checkDefinition returns an error for a name or labels that no page may have. Help can be any
// text.
func checkDefinition(name string, labels messages.LabelText) error {
	if err := messages.CheckMetricName(name); err != nil {
		return fmt.Errorf("a series that is not allowed: %w", err)
	}
	if err := messages.CheckLabelText(labels); err != nil {
		return fmt.Errorf("a series that is not allowed: %w", err)
	}
	return nil
}
