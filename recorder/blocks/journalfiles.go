package blocks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"fodc/recorder/journal"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
)

// Put takes a file of a block. Its path has slashes, and begins with the id of the block.
type Put func(path string, content io.Reader) error

// metaFile is the file of a block without which it is none.
const metaFile = "meta.json"

// JournalFiles is FromJournal for those who keep blocks elsewhere: it passes the files of each block to put,
// metaFile last. Meanwhile they are in a folder of their own in temporary, which must be there.
//
// The id of a block depends on seed and the block's times alone: whoever begins again after a crash gets the
// same names.
func JournalFiles(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions, seed, temporary string, put Put) (c JournalCounts, err error) {
	dir, err := os.MkdirTemp(temporary, "blocks-*")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if c, err = FromJournal(ctx, v, files, o, dir); err != nil {
		return c, err
	}
	names, err := Find(dir)
	if err != nil {
		return c, err
	}
	for _, name := range names {
		if err := putBlock(ctx, filepath.Join(dir, name), seed, put); err != nil {
			return c, err
		}
	}
	return c, nil
}

// putBlock passes the files of a block.
func putBlock(ctx context.Context, dir, seed string, put Put) error {
	text, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return err
	}
	var meta tsdb.BlockMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return fmt.Errorf("%s of a block: %w", metaFile, err)
	}
	id := blockID(seed, &meta)
	meta.ULID, meta.Compaction.Sources = id, []ulid.ULID{id}
	if text, err = json.MarshalIndent(&meta, "", "\t"); err != nil {
		return err
	}
	chunks, err := filepath.Glob(filepath.Join(dir, "chunks", "*"))
	if err != nil {
		return err
	}
	slices.Sort(chunks)
	for _, file := range append(chunks, filepath.Join(dir, "index")) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		of, err := filepath.Rel(dir, file)
		if err == nil {
			err = putFile(file, id.String()+"/"+filepath.ToSlash(of), put)
		}
		if err != nil {
			return err
		}
	}
	return put(id.String()+"/"+metaFile, bytes.NewReader(text))
}

func putFile(name, path string, put Put) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return put(path, f)
}

// blockID returns the id of a block.
func blockID(seed string, m *tsdb.BlockMeta) (id ulid.ULID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", seed, m.MinTime, m.MaxTime))
	copy(id[:], sum[:])
	_ = id.SetTime(uint64(max(m.MinTime, 0))) // It is not after the year 10889.
	return id
}
