package recorder

// Held returns for each target which scrapes the window holds, sorted by target.
func (w *Window) Held() []Held {
	all := make([]Held, 0, len(w.sorted))
	for _, t := range w.sorted {
		h := Held{Target: t.name, Oldest: t.head.oldestAppend, At: t.head.times[0], Families: t.families.named()}
		if len(t.chunks) > 0 {
			h.Oldest, h.At = t.chunks[0].oldestAppend, t.chunks[0].times[0]
		}
		all = append(all, h)
	}
	return all
}
