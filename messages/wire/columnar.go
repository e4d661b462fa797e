package wire

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"fodc/messages"
)

func toBlock(b messages.Block, family func(m *messages.Family, times int) *Family) *Block {
	f := &Block{TimeDeltas: make([]int64, len(b.Times)), Families: make([]*Family, len(b.Families)), Target: Clean(b.Target, messages.MaxTargetBytes)}
	before := int64(0)
	for i, t := range b.Times {
		f.TimeDeltas[i], before = t-before, t
	}
	for i := range b.Families {
		f.Families[i] = family(&b.Families[i], len(b.Times))
	}
	return f
}

func toFamily(m *messages.Family, times int) *Family {
	f := &Family{
		Name:       m.Name,
		Type:       MetricType(m.Type),
		Help:       Clean(m.Help, messages.MaxHelpBytes),
		LabelTexts: make([]string, len(m.Series)),
	}
	f.addValues(m, times)
	for i := range m.Series {
		s := &m.Series[i]
		f.LabelTexts[i] = string(s.Labels)
		if s.Suffix != messages.SuffixNone {
			if f.Suffixes == nil {
				f.Suffixes = make([]Suffix, len(m.Series))
			}
			f.Suffixes[i] = Suffix(s.Suffix)
		}
	}
	return f
}

func (f *Family) addValues(m *messages.Family, times int) {
	if f.Values = m.Values; f.Values != nil {
		return
	}
	f.Values = make([]float64, 0, len(m.Series)*times)
	for i := range m.Series {
		f.Values = append(f.Values, m.Series[i].Values...)
	}
}

func fromBlocks(frames []*Block, rej *Rejections) []messages.Block {
	var blocks []messages.Block
	for _, f := range frames {
		target := TargetOf(f.GetTarget(), rej)
		times, err := TimesOf(f.GetTimeDeltas())
		isScrapeTimes := target != "" && len(f.GetFamilies()) == 0
		if err != nil {
			for _, family := range f.GetFamilies() {
				rej.Add(seriesLost(family), err)
			}
			if isScrapeTimes {
				rej.Add(1, err)
			}
			continue
		}
		var families []messages.Family
		for _, family := range f.GetFamilies() {
			if m, ok := fromFamily(family, len(times), rej); ok {
				families = append(families, m)
			}
		}
		if len(families) > 0 || isScrapeTimes {
			blocks = append(blocks, messages.Block{Target: target, Times: times, Families: families})
		}
	}
	return blocks
}

// TargetOf returns the target of a block, or an empty one if it is invalid: its samples are kept
// all the same.
func TargetOf(target string, rej *Rejections) string {
	switch {
	case len(target) > messages.MaxTargetBytes:
		rej.Addf(1, "target of %d bytes, at most %d are allowed", len(target), messages.MaxTargetBytes)
		return ""
	case !utf8.ValidString(target):
		rej.Addf(1, "target %.100q is not valid UTF-8", target)
		return ""
	}
	return target
}

// seriesLost is the number of rejected series that an unreadable family counts for.
func seriesLost(f *Family) int { return max(1, len(f.GetLabelTexts())) }

// TimesOf returns the times of a block in unix milliseconds. They must ascend and lie within
// the years 1 to 9999.
func TimesOf(deltas []int64) ([]int64, error) {
	if len(deltas) == 0 {
		return nil, errors.New("a block has no times")
	}
	times := make([]int64, len(deltas))
	now := int64(0)
	for i, d := range deltas {
		switch {
		case i > 0 && d <= 0:
			return nil, fmt.Errorf("time %d of a block is %d ms after the one before: more than 0 is allowed", i, d)
		case d < minTime || d > maxTime-now:
			return nil, fmt.Errorf("time %d of a block is %d ms after %d ms: a time of the years 1 to 9999 is allowed", i, d, now)
		}
		now += d
		times[i] = now
	}
	return times, nil
}

// fromFamily returns false if the family has no valid series.
func fromFamily(f *Family, times int, rej *Rejections) (messages.Family, bool) {
	t, err := CheckFamily(f.GetName(), f.GetType(), len(f.GetLabelTexts()), len(f.GetSuffixes()))
	if err == nil {
		err = CheckValues(f.GetName(), len(f.GetLabelTexts()), len(f.GetValues()), times)
	}
	if err != nil {
		rej.Add(seriesLost(f), err)
		return messages.Family{}, false
	}
	m := messages.Family{Name: f.GetName(), Type: t, Help: HelpOf(f.GetName(), f.GetHelp(), rej)}
	m.Series = make([]messages.Series, 0, len(f.GetLabelTexts()))
	for i, text := range f.GetLabelTexts() {
		s := messages.Series{Labels: messages.LabelText(text).WithoutEmpty(), Values: f.GetValues()[i*times : (i+1)*times : (i+1)*times]}
		ok := true
		if len(f.GetSuffixes()) > 0 {
			s.Suffix, ok = SuffixOf(f.GetSuffixes()[i])
		}
		if !ok || !t.Has(s.Suffix) {
			rej.Addf(1, "family %.100q: a sample of a %s has suffix %d", m.Name, t, f.GetSuffixes()[i])
			continue
		}
		if err := messages.CheckLabelText(s.Labels); err != nil {
			sanitized, ok := messages.SanitizeLabelText(s.Labels)
			if !ok {
				rej.Addf(1, "family %.100q: %w", m.Name, err)
				continue
			}
			s.Labels = sanitized
			rej.Sanitized++
		}
		m.Series = append(m.Series, s)
	}
	return m, len(m.Series) > 0
}

// CheckFamily checks a family's name and type, and that there are as many suffixes as series,
// or none.
func CheckFamily(name string, kind MetricType, series, suffixes int) (messages.MetricType, error) {
	if err := messages.CheckMetricName(name); err != nil {
		return 0, err
	}
	t, ok := TypeOf(kind)
	switch {
	case !ok:
		return 0, fmt.Errorf("family %.100q: unknown type %d", name, kind)
	case suffixes != 0 && suffixes != series:
		return 0, fmt.Errorf("family %.100q: %d suffixes for %d series", name, suffixes, series)
	}
	return t, nil
}

// CheckValues checks that a family has a value for each series at each time.
func CheckValues(name string, series, values, times int) error {
	if int64(values) != int64(series)*int64(times) {
		return fmt.Errorf("family %.100q: %d values for %d series at %d times", name, values, series, times)
	}
	return nil
}

// HelpOf returns the help, or an empty one if it is invalid: its samples are kept all the same.
func HelpOf(name, help string, rej *Rejections) string {
	switch {
	case len(help) > messages.MaxHelpBytes:
		rej.Addf(1, "family %.100q: help of %d bytes, at most %d are allowed", name, len(help), messages.MaxHelpBytes)
		return ""
	case !utf8.ValidString(help):
		rej.Addf(1, "family %.100q: help is not valid UTF-8", name)
		return ""
	}
	return help
}
