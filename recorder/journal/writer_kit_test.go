package journal_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// begin is when tests begin.
var begin = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

var config = journal.Config{
	Node:           journal.Node{NodeID: "node-1", Role: "liaison", Labels: map[string]string{"zone": "a"}, AgentVersion: "test"},
	RetentionTime:  72 * time.Hour,
	RetentionBytes: 1 << 18,
	SyncInterval:   10 * time.Second,
	MinFree:        0.05,
}

// kit is a writer with its disk and its time.
type kit struct {
	*testing.T
	disk   *journaltest.Disk
	writer *journal.Writer
	cfg    journal.Config
	now    time.Time
	number int64
	series map[int]*recorder.SeriesList
}

func newKit(t *testing.T) *kit {
	k := &kit{T: t, disk: journaltest.New(), cfg: config, now: begin, series: map[int]*recorder.SeriesList{}}
	k.restart()
	return k
}

// restart begins a new process.
func (k *kit) restart() {
	k.Helper()
	k.writer, k.number = journal.NewWriter(k.disk, k.cfg), 0
	require.NoError(k, k.writer.Open(k.now))
}

// batch makes a scrape now, with n series the values of which are those of none before.
func (k *kit) batch(n int) *recorder.Batch {
	list := k.series[n]
	if list == nil {
		list = &recorder.SeriesList{Families: []recorder.Family{{Name: "requests_total", Type: messages.TypeCounter, Help: "Requests."}}}
		for i := range n {
			labels := messages.LabelText(fmt.Sprintf(`path="/%d"`, i))
			list.Keys = append(list.Keys, recorder.SeriesKey{Name: "requests_total", Labels: labels})
			list.FamilyOf = append(list.FamilyOf, 0)
		}
		k.series[n] = list
	}
	k.number++
	b := &recorder.Batch{Number: k.number, Target: "http://node/metrics", At: k.now.UnixMilli(), Series: list, Values: make([]float64, n)}
	for i := range b.Values {
		b.Values[i] = float64(k.number) / float64(i+3)
	}
	return b
}

func (k *kit) append(n int) error { return k.writer.Append(k.batch(n), k.now) }

// run goes on for so long, with a scrape of n series each ten seconds.
func (k *kit) run(n int, d time.Duration) {
	k.Helper()
	for end := k.now.Add(d); k.now.Before(end); k.pass(10 * time.Second) {
		require.NoError(k, k.append(n))
	}
}

// pass lets time pass, and does what is due.
func (k *kit) pass(d time.Duration) {
	for end := k.now.Add(d); ; {
		due := k.writer.NextDue()
		if due.IsZero() || due.After(end) {
			k.now = end
			return
		}
		if due.After(k.now) {
			k.now = due
		}
		_ = k.writer.Due(k.now)
	}
}

// read returns all scrapes that a view has, by number.
func (k *kit) read() map[int64]*recorder.Batch {
	k.Helper()
	read := map[int64]*recorder.Batch{}
	for _, s := range k.writer.View().Segments {
		scrapes, _, _, err := journal.ReadSegment(k.disk, s.Name, s.Size)
		require.NoError(k, err)
		for _, c := range scrapes {
			require.NotContains(k, read, c.Number)
			read[c.Number] = c
		}
	}
	return read
}

// numbers are from first to last.
func numbers(first, last int64) map[int64]bool {
	all := map[int64]bool{}
	for n := first; n <= last; n++ {
		all[n] = true
	}
	return all
}

func keys(read map[int64]*recorder.Batch) map[int64]bool {
	all := map[int64]bool{}
	for n := range maps.Keys(read) {
		all[n] = true
	}
	return all
}

// names are those of the files.
func (k *kit) names() (names []string) {
	for _, f := range k.disk.Files() {
		names = append(names, f.Name)
	}
	return names
}
