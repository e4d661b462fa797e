package promapi

import "slices"

// kind is how much a query may need.
type kind int

const (
	// live queries look at the last minutes only. Dashboards that reload are made of them.
	live kind = iota
	// long queries are all others. They have at most half of the slots.
	long
	kinds
)

// maxWaiting bounds the queries of a kind that wait for a slot.
const maxWaiting = 512

// admissionState decides which queries run: live ones before long ones, those of a kind in the
// order in which they came.
type admissionState struct {
	// slots is how many queries may run at a time, all kinds together; longSlots how many long ones.
	slots, longSlots int
	running          [kinds]int
	// waiting are the ids of those that wait, the first one first.
	waiting [kinds][]int
	nextID  int
}

// enter adds a query. It may run at once, or waits until leave or abandon return its id. ok is
// false if too many wait already.
func (s *admissionState) enter(k kind) (id int, runs, ok bool) {
	if len(s.waiting[k]) >= maxWaiting {
		return 0, false, false
	}
	s.nextID++
	s.waiting[k] = append(s.waiting[k], s.nextID)
	return s.nextID, slices.Contains(s.admit(), s.nextID), true
}

// leave says that a query has ended that ran, and returns those that run now.
func (s *admissionState) leave(k kind) (run []int) {
	s.running[k]--
	return s.admit()
}

// abandon says that a query waits no more. It returns false if it ran already.
func (s *admissionState) abandon(k kind, id int) bool {
	at := slices.Index(s.waiting[k], id)
	if at < 0 {
		return false
	}
	s.waiting[k] = slices.Delete(s.waiting[k], at, at+1)
	return true
}

// admit takes those that may run from the queues.
func (s *admissionState) admit() (run []int) {
	for k := range kinds {
		for len(s.waiting[k]) > 0 && s.running[live]+s.running[long] < s.slots && (k == live || s.running[long] < s.longSlots) {
			run = append(run, s.waiting[k][0])
			s.waiting[k] = slices.Delete(s.waiting[k], 0, 1)
			s.running[k]++
		}
	}
	return run
}
