package wire

import (
	"fmt"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Request asks an agent for metrics.
type Request struct {
	// ID is 0 where the agent did not announce ColumnarAnswers.
	ID        uint64
	Selection messages.Selection
	// TimeLeft is how long the proxy waits for the answer. 0 means that it did not say.
	TimeLeft time.Duration
	// Columnar asks for the answer in columnar form and in chunks.
	Columnar bool
	// Dictionary is the number of the dictionary that the answer may use; 0 = none.
	Dictionary uint64
}

// RequestFrame returns the frame. It shares the names.
func RequestFrame(r Request) *StreamMetricsResponse {
	f := &StreamMetricsResponse{
		StartTime:   toTimestamp(r.Selection.Window.Start),
		EndTime:     toTimestamp(r.Selection.Window.End),
		RequestId:   r.ID,
		Names:       r.Selection.Names,
		Dictionary:  r.Dictionary,
		ScrapeTimes: r.Selection.ScrapeTimes,
		SeriesOnly:  r.Selection.SeriesOnly,
	}
	if r.TimeLeft > 0 {
		f.TimeLeft = durationpb.New(r.TimeLeft)
	}
	if r.Columnar {
		f.Form = AnswerForm_ANSWER_FORM_COLUMNAR
	}
	return f
}

// FromRequest returns what a frame asks for. A bound of the zero time is open. The error says
// what is wrong: an invalid bound, a time left that is not above 0, an invalid name, or too
// many names. ID, Columnar and Dictionary are set in any case, because the request must be
// answered.
func FromRequest(f *StreamMetricsResponse) (Request, error) {
	r := Request{ID: f.GetRequestId(), Columnar: f.GetForm() == AnswerForm_ANSWER_FORM_COLUMNAR, Dictionary: f.GetDictionary()}
	var sel messages.Selection
	var err error
	if sel.Window.Start, err = fromBound("start_time", f.GetStartTime()); err != nil {
		return r, err
	}
	if sel.Window.End, err = fromBound("end_time", f.GetEndTime()); err != nil {
		return r, err
	}
	if len(f.GetNames()) > messages.MaxSelectedNames {
		return r, fmt.Errorf("names of %d families, at most %d are allowed", len(f.GetNames()), messages.MaxSelectedNames)
	}
	for _, name := range f.GetNames() {
		if err := messages.CheckMetricName(name); err != nil {
			return r, fmt.Errorf("names: %w", err)
		}
	}
	sel.Names, sel.ScrapeTimes, sel.SeriesOnly = f.GetNames(), f.GetScrapeTimes(), f.GetSeriesOnly()
	left, err := fromTimeLeft(f.GetTimeLeft())
	if err != nil {
		return r, err
	}
	r.Selection, r.TimeLeft = sel, left
	return r, nil
}

func fromBound(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if !t.IsValid() {
		return time.Time{}, fmt.Errorf("%s of %d s and %d ns: a time of the years 1 to 9999 is allowed",
			field, t.GetSeconds(), t.GetNanos())
	}
	return t.AsTime(), nil
}

func fromTimeLeft(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if !d.IsValid() || d.AsDuration() <= 0 {
		return 0, fmt.Errorf("time_left of %d s and %d ns: more than 0 is allowed", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration(), nil
}
