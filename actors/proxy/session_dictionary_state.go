package proxy

import "time"

// decoderRest is how long an agent that is not asked for metrics has the memory of what
// it said.
const decoderRest = 5 * time.Minute

// maxDictionaryLosses is how many dictionaries in a row may be lost before the session
// does without.
const maxDictionaryLosses = 3

// renewDictionary takes note that what the agent has described is lost to us.
func (s *sessionState) renewDictionary() {
	if s.dictionary > 0 {
		s.dictionary++
	}
}

// read takes note of how a frame of the dictionary was read. It reports whether the
// dictionary has changed. Answers of former ones, which are under way, change nothing.
func (s *sessionState) read(dictionary uint64, lost bool) (renewed bool) {
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

// rest reports whether what is known of the agent's series, which was last needed at the
// time, is to be forgotten. An answer that is under way may need it.
func (s *sessionState) rest(needed, now time.Time) bool {
	if now.Sub(needed) < decoderRest || len(s.requests) > 0 {
		return false
	}
	s.renewDictionary()
	return true
}
