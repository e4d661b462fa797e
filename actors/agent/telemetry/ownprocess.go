package telemetry

import "time"

// programStart is when the variables of the program were initialized.
var programStart = time.Now()

// OwnStart returns the start time of this process as unix time, with an error of some
// milliseconds. It serves where the system has no better figure.
func OwnStart() float64 { return float64(programStart.UnixNano()) / 1e9 }
