package wire

import "fodc/messages"

// setCrash sets the record, or the revision.
func setCrash(f *StreamCrashDiagnosticsRequest, p messages.Part) {
	switch p := p.(type) {
	case messages.CrashRevision:
		f.Revision = uint64(p)
	case *messages.Crash:
		if p == nil {
			return
		}
		f.FetchedAt = toTimestamp(p.FetchedAt)
		f.SourceEndpoint, f.ArtifactDir = cleanText(p.SourceEndpoint), cleanText(p.ArtifactDir)
		f.Files = cleanTexts(p.Files, maxCrashFiles)
		f.PanicRecord = &PanicRecord{
			OccurredAt:      toTimestamp(p.Panic.OccurredAt),
			Component:       cleanText(p.Panic.Component),
			PanicValue:      Clean(p.Panic.PanicValue, maxPanicValueBytes),
			Recovered:       p.Panic.Recovered,
			GoroutineStack:  Clean(p.Panic.GoroutineStack, maxStackBytes),
			Breadcrumbs:     converted(p.Panic.Breadcrumbs, maxBreadcrumbs, toBreadcrumb),
			ProcessMetadata: cleanMap(p.Panic.ProcessMetadata, maxProcessEntries),
		}
	}
}

// readCrash sets the part and the end of the reply. A message with an id and without a record has the
// revision. One without either has nothing.
func readCrash(f *StreamCrashDiagnosticsRequest, r *Reply) {
	if r.ID == 0 {
		r.End = EndUnknown
	}
	hasRecord := f.GetPanicRecord() != nil || f.GetFetchedAt() != nil || f.GetArtifactDir() != "" ||
		f.GetSourceEndpoint() != "" || len(f.GetFiles()) > 0
	switch {
	case hasRecord:
		r.Part = fromCrash(f)
	case r.End == EndYes && r.Error == "":
		r.Part = messages.CrashRevision(f.GetRevision())
	}
}

func fromCrash(f *StreamCrashDiagnosticsRequest) *messages.Crash {
	p := f.GetPanicRecord()
	return &messages.Crash{
		FetchedAt:      fromTimestamp(f.GetFetchedAt()),
		SourceEndpoint: cleanText(f.GetSourceEndpoint()),
		ArtifactDir:    cleanText(f.GetArtifactDir()),
		Files:          cleanTexts(f.GetFiles(), maxCrashFiles),
		Panic: messages.PanicRecord{
			OccurredAt:      fromTimestamp(p.GetOccurredAt()),
			Component:       cleanText(p.GetComponent()),
			PanicValue:      Clean(p.GetPanicValue(), maxPanicValueBytes),
			Recovered:       p.GetRecovered(),
			GoroutineStack:  Clean(p.GetGoroutineStack(), maxStackBytes),
			Breadcrumbs:     converted(p.GetBreadcrumbs(), maxBreadcrumbs, fromBreadcrumb),
			ProcessMetadata: cleanMap(p.GetProcessMetadata(), maxProcessEntries),
		},
	}
}

func toBreadcrumb(b messages.Breadcrumb) *Breadcrumb {
	return &Breadcrumb{Time: toTimestamp(b.Time), Stage: cleanText(b.Stage), Component: cleanText(b.Component),
		Fields: cleanMap(b.Fields, maxCrashFields)}
}

func fromBreadcrumb(f *Breadcrumb) messages.Breadcrumb {
	return messages.Breadcrumb{Time: fromTimestamp(f.GetTime()), Stage: cleanText(f.GetStage()),
		Component: cleanText(f.GetComponent()), Fields: cleanMap(f.GetFields(), maxCrashFields)}
}
