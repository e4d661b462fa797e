package wire

import (
	"fmt"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// What an agent of this program says comes through to the proxy as it is.
func TestReplyRoundTrip(t *testing.T) {
	f := func(name string, q messages.Question, part func(*rapid.T) messages.Part) {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				r := Reply{ID: rapid.Uint64Min(1).Draw(t, "id"), Part: part(t)}
				if rapid.Bool().Draw(t, "end") {
					r.End = EndYes
				}
				got := replied(t, q, r)
				got.Native = ""
				require.Equal(t, r, got)
			})
		})
	}
	f("topology", messages.TopologyQuestion{}, func(t *rapid.T) messages.Part { return drawTopology(t) })
	f("lifecycle", messages.LifecycleQuestion{}, func(t *rapid.T) messages.Part { return drawLifecycle(t) })
	f("crash", messages.CrashQuestion{}, func(t *rapid.T) messages.Part { return drawCrash(t) })
	f("profiles", messages.ProfilesQuestion{}, func(t *rapid.T) messages.Part { return drawProfile(t) })
	f("chunk", messages.ProfileQuestion{}, func(t *rapid.T) messages.Part {
		return &messages.ProfileChunk{Data: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "data"), FileSize: rapid.Int64Min(0).Draw(t, "size"),
			Last: rapid.Bool().Draw(t, "last")}
	})
	f("schema", messages.SchemaQuestion{}, func(t *rapid.T) messages.Part { return drawSchema(t) })
}

// A proxy of the baseline gets no field of this program's own, and loses nothing else.
func TestBaselineReplyRoundTrip(t *testing.T) {
	f := func(name string, q messages.Question, end End, part func(*rapid.T) messages.Part) {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				r := Reply{Part: part(t), End: end}
				frame := ReplyFrame(q, r)
				requireBaselineFields(t, frame)
				got := replied(t, q, r)
				got.Native = ""
				require.Equal(t, r, got)
			})
		})
	}
	f("topology", messages.TopologyQuestion{}, EndYes, func(t *rapid.T) messages.Part { return drawTopology(t) })
	f("lifecycle", messages.LifecycleQuestion{}, EndYes, func(t *rapid.T) messages.Part {
		l := drawLifecycle(t)
		for i := range l.Reports {
			l.Reports[i].Continues = false
		}
		return l
	})
	f("crash", messages.CrashQuestion{}, EndUnknown, func(t *rapid.T) messages.Part { return drawCrash(t) })
	f("profiles", messages.ProfilesQuestion{}, EndNo, func(t *rapid.T) messages.Part { return drawProfile(t) })
	f("chunk", messages.ProfileQuestion{}, EndNo, func(t *rapid.T) messages.Part {
		return &messages.ProfileChunk{Data: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "data")}
	})
	f("schema", messages.SchemaQuestion{}, EndNo, func(t *rapid.T) messages.Part { return drawSchema(t) })
	f("schema's end", messages.SchemaQuestion{}, EndYes, func(t *rapid.T) messages.Part { return drawSchema(t) })
}

// Chunks are small, and together the same.
func TestChunksAreTheSameTogether(t *testing.T) {
	limits := rapid.IntRange(1000, 4000)
	check := func(t *rapid.T, q messages.Question, whole messages.Part) []messages.Part {
		limit := limits.Draw(t, "limit")
		chunks := Chunks(whole, limit)
		require.NotEmpty(t, chunks)
		for i, c := range chunks {
			require.LessOrEqual(t, proto.Size(ReplyFrame(q, Reply{ID: 1 << 63, Part: c})), limit, "chunk %d of %d", i, len(chunks))
		}
		if size := proto.Size(ReplyFrame(q, Reply{ID: 1, Part: whole})); size > 2*limit {
			require.Less(t, len(chunks), 1+4*size/limit, "chunks are not much smaller than they may be")
		}
		return chunks
	}
	t.Run("topology", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			whole := drawTopology(t)
			require.Equal(t, whole, messages.JoinTopology(check(t, messages.TopologyQuestion{}, whole)))
		})
	})
	t.Run("lifecycle", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			whole := drawLifecycle(t)
			for i := range whole.Reports {
				whole.Reports[i].Continues = false
				whole.Reports[i].JSON = rapid.StringN(0, 3000, -1).Draw(t, "json")
			}
			require.Equal(t, whole, messages.JoinLifecycle(check(t, messages.LifecycleQuestion{}, whole), MaxReportBytes))
		})
	})
	t.Run("schema", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			whole := drawSchema(t)
			require.Equal(t, []messages.SchemaGroup{*whole}, messages.JoinSchema(check(t, messages.SchemaQuestion{}, whole)))
		})
	})
}

func drawList[T any](t *rapid.T, label string, most int, draw func(t *rapid.T) T) []T {
	return orNil(rapid.SliceOfN(rapid.Custom(draw), 0, most).Draw(t, label))
}

// drawNumbered draws a list whose elements can have different names.
func drawNumbered[T any](t *rapid.T, label string, most int, draw func(t *rapid.T, i int) T) []T {
	var list []T
	for i := range rapid.IntRange(0, most).Draw(t, label) {
		list = append(list, draw(t, i))
	}
	return list
}

func drawText(t *rapid.T) string { return rapid.StringN(0, 12, -1).Draw(t, "text") }

func drawFull(t *rapid.T) string { return rapid.StringN(1, 12, -1).Draw(t, "text") }

func drawNode(t *rapid.T, name string) messages.DatabaseNode {
	return messages.DatabaseNode{
		Metadata: messages.DatabaseMetadata{Group: drawText(t), Name: name, ID: rapid.Uint32().Draw(t, "id"),
			CreateRevision: rapid.Int64().Draw(t, "create"), ModRevision: rapid.Int64().Draw(t, "mod")},
		Roles: drawList(t, "roles", 3, func(t *rapid.T) messages.DatabaseRole {
			return messages.DatabaseRole(rapid.Int32Range(0, 3).Draw(t, "role"))
		}),
		GRPCAddress: drawText(t), HTTPAddress: drawText(t), CreatedAt: drawTime(t, "created"), Labels: drawMap(t, "labels", rapid.StringN(0, 8, -1)),
		PropertyRepairGossipGRPCAddress: drawText(t), PropertySchemaGRPCAddress: drawText(t), PropertySchemaGossipGRPCAddress: drawText(t),
	}
}

func drawTopology(t *rapid.T) *messages.Topology {
	return &messages.Topology{
		At:    drawTime(t, "at"),
		Nodes: drawList(t, "nodes", 40, func(t *rapid.T) messages.DatabaseNode { return drawNode(t, drawFull(t)) }),
		Calls: drawList(t, "calls", 40, func(t *rapid.T) messages.Call {
			return messages.Call{ID: drawText(t), Source: drawFull(t), Target: drawFull(t)}
		}),
	}
}

func drawLifecycle(t *rapid.T) *messages.Lifecycle {
	return &messages.Lifecycle{At: drawTime(t, "at"), PodName: drawText(t),
		Reports: drawNumbered(t, "reports", 4, func(t *rapid.T, i int) messages.LifecycleReport {
			return messages.LifecycleReport{Filename: fmt.Sprint(i, ".json"), JSON: drawText(t), Continues: rapid.Bool().Draw(t, "continues")}
		}),
		Groups: drawNumbered(t, "groups", 5, func(t *rapid.T, i int) messages.LifecycleGroup {
			return drawGroup(t, fmt.Sprintf("group%d", i))
		})}
}

func drawGroup(t *rapid.T, name string) messages.LifecycleGroup {
	g := messages.LifecycleGroup{Name: name, Catalog: drawText(t), Errors: drawList(t, "errors", 3, drawText),
		Data: drawNumbered(t, "data", 4, func(t *rapid.T, i int) messages.DataInfo {
			d := messages.DataInfo{DataSizeBytes: rapid.Int64().Draw(t, "size"), Segments: drawList(t, "segments", 12, drawSegment)}
			if rapid.IntRange(0, 9).Draw(t, "has node") > 0 {
				node := drawNode(t, fmt.Sprintf("node%d", i))
				d.Node = &node
			} else {
				d.Segments = d.Segments[:min(len(d.Segments), 1)] // It cannot be split.
				d.Segments = orNil(d.Segments)
			}
			return d
		})}
	if rapid.Bool().Draw(t, "has resources") {
		g.Resources = &messages.ResourceOpts{ShardNum: rapid.Uint32().Draw(t, "shards"), Replicas: rapid.Uint32().Draw(t, "replicas"),
			SegmentInterval: drawInterval(t), TTL: drawInterval(t), DefaultStages: drawList(t, "default stages", 2, drawText),
			Stages: drawList(t, "stages", 3, func(t *rapid.T) messages.LifecycleStage {
				return messages.LifecycleStage{Name: drawText(t), NodeSelector: drawText(t), ShardNum: rapid.Uint32().Draw(t, "shards"),
					Replicas: rapid.Uint32().Draw(t, "replicas"), SegmentInterval: drawInterval(t), TTL: drawInterval(t), Close: rapid.Bool().Draw(t, "close")}
			})}
	}
	if rapid.Bool().Draw(t, "has consistency") {
		g.Consistency = drawConsistency(t)
	}
	return g
}

func drawInterval(t *rapid.T) *messages.IntervalRule {
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	return &messages.IntervalRule{Unit: messages.IntervalUnit(rapid.Int32Range(0, 2).Draw(t, "unit")), Num: rapid.Uint32().Draw(t, "num")}
}

func drawSegment(t *rapid.T) messages.SegmentInfo {
	number := rapid.Int64()
	index := func(parts bool) *messages.IndexInfo {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		i := &messages.IndexInfo{DataCount: number.Draw(t, "count"), DataSizeBytes: number.Draw(t, "size")}
		if parts {
			i.PartCount = number.Draw(t, "parts")
		}
		return i
	}
	return messages.SegmentInfo{ID: drawText(t), TimeRangeStart: drawText(t), TimeRangeEnd: drawText(t), SeriesIndex: index(false),
		Shards: drawList(t, "shards", 2, func(t *rapid.T) messages.ShardInfo {
			return messages.ShardInfo{ID: rapid.Uint32().Draw(t, "id"), DataCount: number.Draw(t, "count"), DataSizeBytes: number.Draw(t, "size"),
				PartCount: number.Draw(t, "parts"), FilePartCount: number.Draw(t, "file parts"), InvertedIndex: index(false), SIDX: index(true)}
		})}
}

func drawConsistency(t *rapid.T) *messages.SchemaConsistency {
	return &messages.SchemaConsistency{Status: messages.ConsistencyStatus(rapid.Int32Range(0, 3).Draw(t, "status")),
		Objects: drawList(t, "objects", 20, func(t *rapid.T) messages.SchemaObjectState {
			return messages.SchemaObjectState{Kind: drawText(t), Name: drawText(t), RegistryFingerprint: rapid.Uint64().Draw(t, "registry"),
				Nodes: drawList(t, "nodes", 3, func(t *rapid.T) messages.NodeFingerprint {
					return messages.NodeFingerprint{Node: drawText(t), CacheFingerprint: rapid.Uint64().Draw(t, "cache"), RuntimeFingerprint: rapid.Uint64().Draw(t, "runtime")}
				})}
		}),
		Issues: drawList(t, "issues", 10, func(t *rapid.T) messages.SchemaIssue {
			return messages.SchemaIssue{Kind: drawText(t), Name: drawText(t), Node: drawText(t), Type: messages.SchemaIssueType(rapid.Int32Range(0, 4).Draw(t, "type"))}
		})}
}

func drawCrash(t *rapid.T) *messages.Crash {
	return &messages.Crash{FetchedAt: drawTime(t, "fetched"), SourceEndpoint: drawText(t), ArtifactDir: drawText(t), Files: drawList(t, "files", 3, drawText),
		Panic: messages.PanicRecord{OccurredAt: drawTime(t, "occurred"), Component: drawText(t), PanicValue: drawText(t),
			Recovered: rapid.Bool().Draw(t, "recovered"), GoroutineStack: drawText(t), ProcessMetadata: drawMap(t, "process", rapid.StringN(0, 8, -1)),
			Breadcrumbs: drawList(t, "breadcrumbs", 3, func(t *rapid.T) messages.Breadcrumb {
				return messages.Breadcrumb{Time: drawTime(t, "time"), Stage: drawText(t), Component: drawText(t), Fields: drawMap(t, "fields", rapid.StringN(0, 8, -1))}
			})}}
}

func drawProfile(t *rapid.T) *messages.PressureProfile {
	return &messages.PressureProfile{ID: drawFull(t), CapturedAt: drawTime(t, "captured"), SourceEndpoint: drawText(t),
		RSSBytes: rapid.Uint64().Draw(t, "rss"), LimitBytes: rapid.Uint64().Draw(t, "limit"), ThresholdBytes: rapid.Uint64().Draw(t, "threshold"),
		TriggerPercent: rapid.Uint32().Draw(t, "percent"),
		Files: drawList(t, "files", 3, func(t *rapid.T) messages.ProfileFile {
			return messages.ProfileFile{Type: drawFull(t), Filename: drawText(t), Path: drawText(t), Format: drawText(t), SizeBytes: rapid.Int64Min(0).Draw(t, "size")}
		})}
}

func drawSchema(t *rapid.T) *messages.SchemaGroup {
	return &messages.SchemaGroup{Group: drawFull(t), Error: drawText(t),
		Objects: drawList(t, "objects", 60, func(t *rapid.T) messages.SchemaObject {
			return messages.SchemaObject{Kind: drawText(t), Name: drawFull(t), Fingerprint: rapid.Uint64().Draw(t, "fingerprint")}
		})}
}
