package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fodc/messages"
)

const (
	// MaxRecordsBytes bounds the records of crashes that are kept, together.
	MaxRecordsBytes = 16 << 20
	// maxRecordsFile bounds the file that they are kept in: JSON needs more bytes for some characters.
	maxRecordsFile = 4 * MaxRecordsBytes
	maxRecordLine  = MaxPanicFileBytes
)

// keptRecord is a line of the file of records. Panic has the form of a panic.json.
type keptRecord struct {
	FetchedAt time.Time       `json:"fetchedAt"`
	Source    string          `json:"source"`
	Panic     json.RawMessage `json:"panic"`
}

type keptPanic struct {
	OccurredAt      time.Time         `json:"occurredAt"`
	Component       string            `json:"component"`
	PanicValue      string            `json:"panicValue"`
	GoroutineStack  string            `json:"goroutineStack,omitempty"`
	Recovered       bool              `json:"recovered"`
	ProcessMetadata map[string]string `json:"processMetadata,omitempty"`
}

// WriteRecords replaces the file by one that has the records. A file that was not wholly written never takes
// its place. It may block as long as the disk does.
func WriteRecords(path string, records []*messages.Crash) error {
	var text bytes.Buffer
	for _, r := range records {
		p := &r.Panic
		inner, err := json.Marshal(keptPanic{p.OccurredAt, p.Component, p.PanicValue, p.GoroutineStack, p.Recovered, p.ProcessMetadata})
		if err != nil {
			return err
		}
		line, err := json.Marshal(keptRecord{r.FetchedAt, r.ArtifactDir, inner})
		if err != nil {
			return err
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	return writeAtomically(path, text.Bytes())
}

func writeAtomically(path string, data []byte) error {
	const owner = 0o600
	file, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, owner)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		_ = os.Remove(path + ".tmp")
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// ReadRecords returns the records of a file as they were written; none if there is no file. What is damaged
// is left out and counted. It may block as long as the disk does.
func ReadRecords(path string) (records []*messages.Crash, damaged int, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecordsFile { // none that was written here
		return nil, 1, nil
	}
	file, err := openShared(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maxRecordsFile))
	lines.Buffer(nil, maxRecordLine)
	for lines.Scan() {
		var r keptRecord
		err := json.Unmarshal(lines.Bytes(), &r)
		var p messages.PanicRecord
		if err == nil {
			p, err = ParsePanic(r.Panic)
		}
		if err != nil {
			damaged++
			continue
		}
		records = append(records, &messages.Crash{FetchedAt: r.FetchedAt.UTC(), ArtifactDir: clean(r.Source, maxPathBytes), Panic: p})
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return nil, 0, err
	} else if err != nil {
		damaged++ // Nothing behind a line that is too long is read.
	}
	return records, damaged, nil
}
