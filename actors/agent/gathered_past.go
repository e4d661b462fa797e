package agent

import (
	"math"

	"fodc/messages"
)

const (
	// minBaselineSampleBytes is less than what any sample takes in a baseline answer: it has a
	// name, a time and a value of its own.
	minBaselineSampleBytes = 12
	// maxGatheredSamples is how many samples a baseline answer can have at most.
	maxGatheredSamples = maxBaselineBytes / minBaselineSampleBytes
	// maxGatheredBytes bounds the memory of what is gathered, in bytes: columns may have far
	// more gaps than samples.
	maxGatheredBytes = 16 << 20
)

// gatheredPast are the newest parts of the past for a baseline answer. That is one message, of
// which the oldest samples are left out if they do not fit, so older parts need not be kept.
type gatheredPast struct {
	parts          []gatheredPart
	samples, bytes int
	left           int // samples of parts that were not kept
}

type gatheredPart struct {
	blocks         []messages.Block
	samples, bytes int
}

func (g *gatheredPast) add(blocks []messages.Block) {
	p := gatheredPart{blocks: blocks, samples: samplesOf(blocks)}
	for i := range blocks {
		p.bytes += blocks[i].MemoryBytes()
	}
	g.parts, g.samples, g.bytes = append(g.parts, p), g.samples+p.samples, g.bytes+p.bytes
	for len(g.parts) > 1 && (g.samples-g.parts[0].samples >= maxGatheredSamples || g.bytes > maxGatheredBytes) {
		g.samples -= g.parts[0].samples
		g.bytes -= g.parts[0].bytes
		g.left += g.parts[0].samples
		g.parts[0] = gatheredPart{}
		g.parts = g.parts[1:]
	}
}

// before returns what was gathered, followed by the blocks.
func (g *gatheredPast) before(blocks []messages.Block) []messages.Block {
	var all []messages.Block
	for _, p := range g.parts {
		all = append(all, p.blocks...)
	}
	return append(all, blocks...)
}

// gather prepares the reader for a past that is gathered. It returns false if the snapshot alone
// fills the answer: then the past is not needed.
func (r *snapshotReader) gather() (needed bool) {
	r.begun, r.next = true, r.snapshot.Next(math.MaxInt)
	if samplesOf(r.next) >= maxGatheredSamples {
		return false
	}
	r.gathered = &gatheredPast{}
	return true
}

// readAll returns the past that was gathered and the snapshot, and how many samples of the past
// were not kept.
func (r *snapshotReader) readAll() (blocks []messages.Block, left int) {
	blocks, _ = r.read(math.MaxInt)
	if r.gathered == nil {
		return blocks, 0
	}
	return r.gathered.before(blocks), r.gathered.left
}

// samplesOf counts the samples of blocks, without gaps.
func samplesOf(blocks []messages.Block) (samples int) {
	for i := range blocks {
		for j := range blocks[i].Families {
			f := &blocks[i].Families[j]
			for k := range f.Series {
				for _, v := range f.ValuesOf(k) {
					if !messages.IsGap(v) {
						samples++
					}
				}
			}
		}
	}
	return samples
}
