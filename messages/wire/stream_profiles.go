package wire

import (
	"fmt"
	"strconv"

	"fodc/messages"
)

// native is the request_id of the baseline.
func (a Ask) native() string {
	if a.Native != "" {
		return a.Native
	}
	return strconv.FormatUint(a.ID, 10)
}

func (r Reply) native() string { return Ask{ID: r.ID, Native: r.Native}.native() }

func toListProfiles(a Ask) *StreamPressureProfilesResponse_ListProfiles {
	return &StreamPressureProfilesResponse_ListProfiles{ListProfiles: &ListProfiles{RequestId: a.native()}}
}

// toFetchProfile leaves out the bounds where the agent knows none: it sends the whole file.
func toFetchProfile(q messages.ProfileQuestion, a Ask) *StreamPressureProfilesResponse_FetchProfile {
	f := &FetchProfile{RequestId: a.native(), ProfileId: cleanText(q.ProfileID), Type: cleanText(q.Type), Filepath: cleanText(q.Path)}
	if a.ID != 0 {
		f.Offset, f.Length = q.Offset, q.Length
	}
	return &StreamPressureProfilesResponse_FetchProfile{FetchProfile: f}
}

func fromProfilesQuestion(f *StreamPressureProfilesResponse, a *Ask) (messages.Question, error) {
	if list := f.GetListProfiles(); list != nil {
		return messages.ProfilesQuestion{}, a.setNative(list.GetRequestId())
	}
	fetch := f.GetFetchProfile()
	if fetch == nil {
		return nil, ErrNothingAsked
	}
	if err := a.setNative(fetch.GetRequestId()); err != nil {
		return messages.ProfileQuestion{}, err
	}
	for _, text := range []struct{ field, value string }{
		{"profile_id", fetch.GetProfileId()}, {"type", fetch.GetType()}, {"filepath", fetch.GetFilepath()},
	} {
		if err := checkTextBytes(text.field, text.value); err != nil {
			return messages.ProfileQuestion{}, err
		}
	}
	if fetch.GetOffset() < 0 || fetch.GetLength() < 0 {
		return messages.ProfileQuestion{}, fmt.Errorf("length %d from offset %d: numbers from 0 are allowed", fetch.GetLength(), fetch.GetOffset())
	}
	return messages.ProfileQuestion{ProfileID: fetch.GetProfileId(), Type: fetch.GetType(), Path: fetch.GetFilepath(),
		Offset: fetch.GetOffset(), Length: fetch.GetLength()}, nil
}

// setNative does not shorten the text: the peer would not know it again.
func (a *Ask) setNative(text string) error {
	if err := checkTextBytes("request_id", text); err != nil {
		return err
	}
	a.Native = text
	return nil
}

func checkTextBytes(field, text string) error {
	if len(text) > messages.MaxTextBytes {
		return fmt.Errorf("%s of %d bytes, at most %d are allowed", field, len(text), messages.MaxTextBytes)
	}
	return nil
}

// setProfile sets the record, or the end of the list.
func setProfile(f *StreamPressureProfilesRequest, r Reply) {
	if p, ok := r.Part.(*messages.PressureProfile); ok && p != nil {
		f.Answer = &StreamPressureProfilesRequest_Record{Record: toProfile(p)}
	} else if r.End != EndNo || r.Error != "" {
		f.Answer = &StreamPressureProfilesRequest_ListComplete{ListComplete: &ProfileListComplete{RequestId: r.native()}}
	}
}

// setChunk sets the chunk, or the end of the file.
func setChunk(f *StreamPressureProfilesRequest, q messages.ProfileQuestion, r Reply, text string) {
	c := &ProfileChunk{RequestId: r.native(), ProfileId: cleanText(q.ProfileID), Type: cleanText(q.Type), Error: text}
	part, ok := r.Part.(*messages.ProfileChunk)
	if ok && part != nil {
		c.Data, c.Last = part.Data, part.Last
		if r.ID != 0 {
			c.FileSize = part.FileSize
		}
	}
	if r.ID == 0 && (r.End != EndNo || text != "") {
		c.Last = true
	}
	f.Answer = &StreamPressureProfilesRequest_Chunk{Chunk: c}
}

func toProfile(p *messages.PressureProfile) *PressureProfileRecord {
	return &PressureProfileRecord{
		ProfileId:        cleanText(p.ID),
		CapturedAt:       toTimestamp(p.CapturedAt),
		SourceEndpoint:   cleanText(p.SourceEndpoint),
		RssBytes:         p.RSSBytes,
		CgroupLimitBytes: p.LimitBytes,
		TriggerPercent:   p.TriggerPercent,
		ThresholdBytes:   p.ThresholdBytes,
		Profiles: converted(p.Files, maxProfileFiles, func(file messages.ProfileFile) *ProfileFile {
			return &ProfileFile{Type: cleanText(file.Type), Filename: cleanText(file.Filename), Filepath: cleanText(file.Path),
				Format: cleanText(file.Format), SizeBytes: file.SizeBytes}
		}),
	}
}

// readProfiles sets the part, the end and the error of the reply. The baseline's own form says where an
// answer without an id ends.
func readProfiles(f *StreamPressureProfilesRequest, r *Reply) error {
	switch a := f.GetAnswer().(type) {
	case *StreamPressureProfilesRequest_Record:
		if p := fromProfile(a.Record); p.ID != "" {
			r.Part = p
		}
		if r.ID == 0 {
			r.End = EndNo
		}
	case *StreamPressureProfilesRequest_ListComplete:
		r.Native = cleanText(a.ListComplete.GetRequestId())
	case *StreamPressureProfilesRequest_Chunk:
		return readChunk(a.Chunk, r)
	}
	return nil
}

func readChunk(c *ProfileChunk, r *Reply) error {
	r.Native = cleanText(c.GetRequestId())
	if r.Error == "" {
		r.Error = cleanText(c.GetError())
	}
	switch {
	case r.Error != "":
		r.End = EndYes
		return nil
	case r.ID == 0 && !c.GetLast():
		r.End = EndNo
	}
	if n := len(c.GetData()); n > MaxProfileDataBytes {
		return fmt.Errorf("a chunk of a profile of %d bytes, at most %d are allowed", n, MaxProfileDataBytes)
	}
	if len(c.GetData()) > 0 || c.GetLast() || c.GetFileSize() > 0 {
		r.Part = &messages.ProfileChunk{Data: c.GetData(), FileSize: max(c.GetFileSize(), 0), Last: c.GetLast()}
	}
	return nil
}

// fromProfile leaves out files without a type: nobody could ask for them.
func fromProfile(f *PressureProfileRecord) *messages.PressureProfile {
	files := f.GetProfiles()
	return &messages.PressureProfile{
		ID:             cleanText(f.GetProfileId()),
		CapturedAt:     fromTimestamp(f.GetCapturedAt()),
		SourceEndpoint: cleanText(f.GetSourceEndpoint()),
		RSSBytes:       f.GetRssBytes(),
		LimitBytes:     f.GetCgroupLimitBytes(),
		TriggerPercent: f.GetTriggerPercent(),
		ThresholdBytes: f.GetThresholdBytes(),
		Files: kept(files[:min(len(files), maxProfileFiles)], func(p *ProfileFile) (messages.ProfileFile, bool) {
			file := messages.ProfileFile{Type: cleanText(p.GetType()), Filename: cleanText(p.GetFilename()), Path: cleanText(p.GetFilepath()),
				Format: cleanText(p.GetFormat()), SizeBytes: max(p.GetSizeBytes(), 0)}
			return file, file.Type != ""
		}),
	}
}
