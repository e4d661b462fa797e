package recorder

// Held returns for each target which scrapes the window holds, and its families, sorted by target.
func (w *Window) Held() []Held {
	all := w.HeldScrapes()
	for i, t := range w.sorted {
		all[i].Families = t.families.named()
	}
	return all
}

// HeldScrapes is Held without the families.
func (w *Window) HeldScrapes() []Held {
	all := make([]Held, 0, len(w.sorted))
	for _, t := range w.sorted {
		h := Held{Target: t.name, Oldest: t.head.oldestAppend, At: t.head.times[0]}
		if len(t.chunks) > 0 {
			h.Oldest, h.At = t.chunks[0].oldestAppend, t.chunks[0].times[0]
		}
		all = append(all, h)
	}
	return all
}
