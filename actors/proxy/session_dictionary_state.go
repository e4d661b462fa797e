package proxy

import "time"

// decoderIdleTimeout is how long the decoder of an agent that is not asked for metrics keeps
// its memory.
const decoderIdleTimeout = 5 * time.Minute

// maxDictionaryLosses is the number of dictionaries lost in a row from which the session uses
// none any more.
const maxDictionaryLosses = 3

// renewDictionary makes the agent begin a new dictionary with its next answer.
func (s *sessionState) renewDictionary() {
	if s.dictionary > 0 {
		s.dictionary++
	}
}

// dictionaryRead records whether the dictionary of a decoded frame was lost. It reports whether
// the dictionary's number has changed. Frames of older dictionaries change nothing.
func (s *sessionState) dictionaryRead(dictionary uint64, lost bool) (renewed bool) {
	switch {
	case dictionary == 0 || dictionary != s.dictionary:
		return false
	case !lost:
		s.losses = 0
		return false
	}
	if s.losses++; s.losses < maxDictionaryLosses {
		s.renewDictionary()
	} else {
		s.dictionary = 0
	}
	return true
}

// expireDictionary reports whether the decoder's memory, which was last used at the time, is to
// be dropped. It is kept while an answer is under way, which may refer to it.
func (s *sessionState) expireDictionary(used, now time.Time) bool {
	if now.Sub(used) < decoderIdleTimeout || len(s.requests) > 0 {
		return false
	}
	s.renewDictionary()
	return true
}
