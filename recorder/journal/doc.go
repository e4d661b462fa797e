// Package journal is the window on disk: what the recorder has recorded, in segments, so that
// it survives the process. docs/journal.md describes the format.
//
//   - fs.go: the file system as the journal sees it
//   - config.go, stats.go: what the writer must know, and how it does
//   - limits.go: what a segment may have at most
//   - frame.go, body.go, header.go: frames and their checksums, their fields, the header
//   - encoder.go, encodertarget.go: the frames of one segment; what they know of a target
//   - frontcoding.go, ranges.go: how series and families are described, and sets of them
//   - values.go, valuesdecode.go, scale.go: how the values of a scrape are encoded and decoded
//   - scanner.go, scrape.go: the records of a segment, and what a scrape becomes
//   - node.go: whose scrapes a segment has
//   - event.go: an event that no scrape shows, as it is written and read
//   - info.go, index.go: what a segment has, and how a closed one tells
//   - writer.go, writeropen.go, writersegment.go, writerupkeep.go, writerspace.go, pin.go: Writer
//   - rotation.go, retention.go, freespace.go, backoff.go: when a segment ends, which one is
//     removed, whether the disk has room, and when it is tried again
//   - segmentfile.go: the files of the directory, as the writer knows them
//   - query.go, reader.go, segmentreader.go: what is answered from the segments of a view;
//     foundseries.go: series without their values
//   - recover.go: what former processes recorded becomes a window again
//   - view.go, names.go: a directory of segments, and the names of its files
//   - lost.go: when scrapes were recorded that cannot be read any more
//   - segment.go: a segment that is a file by itself
//   - verify.go: whether a segment is whole
//
// The package is pure: no clock, no log, no actor, and no file but through FS.
package journal
