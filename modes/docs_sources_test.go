package modes

import (
	"context"
	"fmt"
	"time"

	"fodc/actors/agent"
	"fodc/messages"
)

// docsParts is what the agents of the documentation answer beside metrics: the same to each question.
type docsParts []messages.Part

// Answer implements agent.Source.
func (p docsParts) Answer(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
	for _, one := range p {
		if err := emit(one); err != nil {
			return err
		}
	}
	return nil
}

func docsDatabaseNode(name string, role messages.DatabaseRole, labels map[string]string) messages.DatabaseNode {
	return messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: name + ":17912"}, Roles: []messages.DatabaseRole{role},
		GRPCAddress: name + ":17912", HTTPAddress: name + ":17913", CreatedAt: docsEpoch.Add(-time.Hour), Labels: labels}
}

// docsSources are the sources of the agents of the documentation.
func docsSources(id string) map[messages.Stream]agent.Source {
	pod := "banyandb-" + id
	self := docsDatabaseNode(pod, messages.DatabaseRoleData, map[string]string{"pod_name": pod})
	if id == "liaison-0" {
		self.Roles = []messages.DatabaseRole{messages.DatabaseRoleLiaison}
		return map[messages.Stream]agent.Source{
			messages.StreamTopology: docsParts{&messages.Topology{At: docsEpoch, Nodes: []messages.DatabaseNode{self,
				docsDatabaseNode("banyandb-data-0", messages.DatabaseRoleData, map[string]string{"pod_name": "banyandb-data-0"}),
				docsDatabaseNode("banyandb-data-7", messages.DatabaseRoleData, nil)},
				Calls: []messages.Call{{ID: pod + ":17912-banyandb-data-0:17912", Source: pod + ":17912", Target: "banyandb-data-0:17912"}}}},
			messages.StreamCrashes: docsParts{messages.CrashRevision(1)}, messages.StreamProfiles: docsParts{},
			messages.StreamSchema: docsParts{&messages.SchemaGroup{Group: "sw_metric", Objects: []messages.SchemaObject{{Kind: "measure", Name: "service_cpm_minute", Fingerprint: 7310986237}}}}}
	}
	taken := docsEpoch.Add(30 * time.Second)
	profile := taken.Format(messages.PressureProfileID)
	dir := fmt.Sprintf("/var/lib/fodc/pressure-profiles/%s/", profile)
	return map[messages.Stream]agent.Source{
		messages.StreamLifecycle: docsParts{&messages.Lifecycle{At: docsEpoch, PodName: pod,
			Reports: []messages.LifecycleReport{{Filename: "2026-01-01.json", JSON: `{"migrated_parts":7}`}},
			Groups: []messages.LifecycleGroup{{Name: "sw_metric", Catalog: "CATALOG_MEASURE",
				Consistency: &messages.SchemaConsistency{Objects: []messages.SchemaObjectState{{Kind: "measure", Name: "service_cpm_minute",
					Nodes: []messages.NodeFingerprint{{Node: pod + ":17912", CacheFingerprint: 7310986237, RuntimeFingerprint: 7310986237}}}}},
				Resources: &messages.ResourceOpts{ShardNum: 2, SegmentInterval: &messages.IntervalRule{Unit: messages.UnitDay, Num: 1}, TTL: &messages.IntervalRule{Unit: messages.UnitDay, Num: 7}},
				Data: []messages.DataInfo{{Node: &self, DataSizeBytes: 1 << 20, Segments: []messages.SegmentInfo{{ID: "20260101", TimeRangeStart: "2026-01-01T00:00:00Z",
					TimeRangeEnd: "2026-01-02T00:00:00Z", Shards: []messages.ShardInfo{{DataCount: 875, DataSizeBytes: 1 << 20, PartCount: 3}}}}}}}}}},
		messages.StreamCrashes: docsParts{&messages.Crash{FetchedAt: docsEpoch.Add(12 * time.Second), SourceEndpoint: "data-0", ArtifactDir: "/var/lib/banyandb/crash/20260101T120010Z-storage-7", Files: []string{"deep-dump.json"},
			Panic: messages.PanicRecord{OccurredAt: docsEpoch.Add(10 * time.Second), Component: "storage", PanicValue: "index out of range [7] with length 7", Recovered: true,
				GoroutineStack:  "goroutine 812 [running]:\n...",
				Breadcrumbs:     []messages.Breadcrumb{{Time: docsEpoch.Add(9 * time.Second), Stage: "flush", Component: "storage", Fields: map[string]string{"group": "sw_metric"}}},
				ProcessMetadata: map[string]string{"pid": "7"}}}, messages.CrashRevision(1)},
		messages.StreamProfiles: docsParts{&messages.PressureProfile{ID: profile, CapturedAt: taken, SourceEndpoint: "http://127.0.0.1:6060", RSSBytes: 1_650_000_000,
			LimitBytes: 2 << 30, TriggerPercent: 75, ThresholdBytes: 2 << 30 / 4 * 3, Files: []messages.ProfileFile{
				{Type: "heap", Filename: "heap.pprof", Path: dir + "heap.pprof", Format: "pprof", SizeBytes: 48_213},
				{Type: "goroutine", Filename: "goroutine.pprof", Path: dir + "goroutine.pprof", Format: "pprof", SizeBytes: 9_120}}}},
	}
}
