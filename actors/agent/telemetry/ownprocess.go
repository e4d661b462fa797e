package telemetry

import "time"

// programStart is when the variables of the program were initialized.
var programStart = time.Now()

// OwnStart is when this process was started, as unix time, to within some milliseconds. It is
// for systems that do not say better.
func OwnStart() float64 { return float64(programStart.UnixNano()) / 1e9 }
