package agent

import (
	"time"

	"fodc/recorder"
)

// minClockStep is from when on the clock has stepped, not only drifted.
const minClockStep = time.Second

// clockState finds steps of the host's clock: the time of day goes on by more, or by less, than time passes.
type clockState struct {
	wall    time.Time
	running time.Duration

	// step is the last one, at the time of day behind it. Both are zero if there was none.
	step time.Duration
	at   time.Time
}

// look takes the time of day, and how long the process is running by a clock that cannot be set.
func (s *clockState) look(wall time.Time, running time.Duration) {
	wall = wall.Round(0)
	if !s.wall.IsZero() {
		if step := wall.Sub(s.wall) - (running - s.running); step.Abs() >= minClockStep {
			s.step, s.at = step, wall
		}
	}
	s.wall, s.running = wall, running
}

func (s *clockState) samples() []recorder.Sample {
	at := 0.0
	if !s.at.IsZero() {
		at = float64(s.at.UnixMilli()) / 1e3
	}
	return []recorder.Sample{
		gauge("fodc_agent_clock_step_seconds", "By how much the host's clock stepped when it last did; 0 if it has not.", s.step.Seconds()),
		gauge("fodc_agent_clock_step_timestamp_seconds", "When the host's clock last stepped, as unix time; 0 if it has not.", at),
	}
}
