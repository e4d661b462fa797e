package proxy

import "time"

// decoderIdleTimeout is how long the decoder of an agent that is not asked for metrics keeps
// its memory.
const decoderIdleTimeout = 5 * time.Minute

// maxDictionaryLosses is the number of dictionaries lost in a row from which the session uses
// none any more.
const maxDictionaryLosses = 3

// dictionaryState decides which dictionary the answers of a metrics stream may use.
type dictionaryState struct {
	// number is that of the dictionary; 0 if answers may use none. It is incremented whenever the
	// proxy has lost the dictionary.
	number uint64
	// losses counts the dictionaries in a row that were lost for an unknown reason.
	losses int
}

// renew makes the agent begin a new dictionary with its next answer.
func (s *dictionaryState) renew() {
	if s.number > 0 {
		s.number++
	}
}

// read records whether the dictionary of a decoded frame was lost. It reports whether the
// dictionary's number has changed. Frames of older dictionaries change nothing.
func (s *dictionaryState) read(dictionary uint64, lost bool) (renewed bool) {
	switch {
	case dictionary == 0 || dictionary != s.number:
		return false
	case !lost:
		s.losses = 0
		return false
	}
	if s.losses++; s.losses < maxDictionaryLosses {
		s.renew()
	} else {
		s.number = 0
	}
	return true
}

// expire reports whether the decoder's memory, which was last used at the time, is to be dropped. It
// is kept while an answer is under way, which may refer to it.
func (s *dictionaryState) expire(used, now time.Time, underWay bool) bool {
	if now.Sub(used) < decoderIdleTimeout || underWay {
		return false
	}
	s.renew()
	return true
}
