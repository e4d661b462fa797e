package agent

import (
	"fodc/messages"
	"fodc/recorder"
)

// fileSamples are the metrics of the files that the agent reads again when they change.
func fileSamples(statuses []messages.FileStatus) []recorder.Sample {
	var samples []recorder.Sample
	ends := map[[2]string]int{} // the index of a certificate's sample, by flag and subject
	for _, s := range statuses {
		used := 1.0
		if s.Failed != "" {
			used = 0
		}
		flag := []messages.Label{{Name: "flag", Value: s.Flag}}
		read := gauge("fodc_agent_files_last_reload_successful",
			"Whether the files of the flag are in use as they are now: 1, or 0 while what was read before is in force.", used)
		readAt := gauge("fodc_agent_files_last_reload_success_timestamp_seconds",
			"When the files of the flag that are in force were read, as unix time.", float64(s.LoadedAt.Unix()))
		read.Labels, readAt.Labels = flag, flag
		samples = append(samples, read, readAt)
		for _, c := range s.Certificates {
			end := gauge("fodc_agent_certificate_not_after_timestamp_seconds",
				"When a certificate in use expires, as unix time; of several with one name, the first.", float64(c.NotAfter.Unix()))
			end.Labels = []messages.Label{{Name: "flag", Value: c.Flag}, {Name: "subject", Value: c.Subject}}
			key := [2]string{c.Flag, c.Subject}
			if i, twice := ends[key]; twice {
				samples[i].Value = min(samples[i].Value, end.Value)
				continue
			}
			ends[key] = len(samples)
			samples = append(samples, end)
		}
	}
	return samples
}
