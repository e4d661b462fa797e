package wire

import "fodc/messages"

// setLifecycle sets the lifecycle if the part is one. What the baseline does not know is left out
// unless it is extended.
func setLifecycle(f *StreamLifecycleRequest, p messages.Part, extended bool) {
	l, ok := p.(*messages.Lifecycle)
	if !ok || l == nil {
		return
	}
	f.Timestamp, f.PodName = toTimestamp(l.At), cleanText(l.PodName)
	f.LifecycleData = &LifecycleData{
		Reports: converted(l.Reports, maxReports, func(r messages.LifecycleReport) *LifecycleReport {
			return &LifecycleReport{Filename: cleanText(r.Filename), ReportJson: Clean(r.JSON, MaxReportBytes), Continues: r.Continues && extended}
		}),
		Groups: converted(l.Groups, len(l.Groups), GroupFrame),
	}
}

// fromLifecycle returns nil where there is none. Groups without a name are left out.
func fromLifecycle(f *StreamLifecycleRequest) messages.Part {
	data := f.GetLifecycleData()
	if data == nil && f.GetTimestamp() == nil && f.GetPodName() == "" {
		return nil
	}
	return &messages.Lifecycle{
		At:      fromTimestamp(f.GetTimestamp()),
		PodName: cleanText(f.GetPodName()),
		Reports: converted(data.GetReports(), maxReports, func(r *LifecycleReport) messages.LifecycleReport {
			return messages.LifecycleReport{Filename: cleanText(r.GetFilename()), JSON: Clean(r.GetReportJson(), MaxReportBytes), Continues: r.GetContinues()}
		}),
		Groups: kept(data.GetGroups(), func(g *GroupLifecycleInfo) (messages.LifecycleGroup, bool) {
			group := FromGroup(g)
			return group, group.Name != ""
		}),
	}
}

// GroupFrame returns a group with valid texts.
func GroupFrame(g messages.LifecycleGroup) *GroupLifecycleInfo {
	return &GroupLifecycleInfo{
		Name:              cleanText(g.Name),
		Catalog:           cleanText(g.Catalog),
		ResourceOpts:      toResources(g.Resources),
		DataInfo:          converted(g.Data, len(g.Data), toDataInfo),
		Errors:            cleanTexts(g.Errors, maxGroupErrors),
		SchemaConsistency: toConsistency(g.Consistency),
	}
}

// FromGroup returns a group, which may be nil, with valid texts within their limits.
func FromGroup(f *GroupLifecycleInfo) messages.LifecycleGroup {
	return messages.LifecycleGroup{
		Name:        cleanText(f.GetName()),
		Catalog:     cleanText(f.GetCatalog()),
		Resources:   fromResources(f.GetResourceOpts()),
		Data:        converted(f.GetDataInfo(), len(f.GetDataInfo()), fromDataInfo),
		Errors:      cleanTexts(f.GetErrors(), maxGroupErrors),
		Consistency: fromConsistency(f.GetSchemaConsistency()),
	}
}

func toResources(r *messages.ResourceOpts) *ResourceOpts {
	if r == nil {
		return nil
	}
	return &ResourceOpts{
		ShardNum: r.ShardNum, Replicas: r.Replicas, SegmentInterval: toInterval(r.SegmentInterval), Ttl: toInterval(r.TTL),
		DefaultStages: cleanTexts(r.DefaultStages, maxStages),
		Stages: converted(r.Stages, maxStages, func(s messages.LifecycleStage) *LifecycleStage {
			return &LifecycleStage{Name: cleanText(s.Name), NodeSelector: cleanText(s.NodeSelector), ShardNum: s.ShardNum,
				Replicas: s.Replicas, SegmentInterval: toInterval(s.SegmentInterval), Ttl: toInterval(s.TTL), Close: s.Close}
		}),
	}
}

func fromResources(f *ResourceOpts) *messages.ResourceOpts {
	if f == nil {
		return nil
	}
	return &messages.ResourceOpts{
		ShardNum: f.GetShardNum(), Replicas: f.GetReplicas(), SegmentInterval: fromInterval(f.GetSegmentInterval()), TTL: fromInterval(f.GetTtl()),
		DefaultStages: cleanTexts(f.GetDefaultStages(), maxStages),
		Stages: converted(f.GetStages(), maxStages, func(s *LifecycleStage) messages.LifecycleStage {
			return messages.LifecycleStage{Name: cleanText(s.GetName()), NodeSelector: cleanText(s.GetNodeSelector()), ShardNum: s.GetShardNum(),
				Replicas: s.GetReplicas(), SegmentInterval: fromInterval(s.GetSegmentInterval()), TTL: fromInterval(s.GetTtl()), Close: s.GetClose()}
		}),
	}
}

func toInterval(r *messages.IntervalRule) *IntervalRule {
	if r == nil {
		return nil
	}
	return &IntervalRule{Unit: IntervalRule_Unit(known(r.Unit, messages.UnitDay)), Num: r.Num}
}

func fromInterval(f *IntervalRule) *messages.IntervalRule {
	if f == nil {
		return nil
	}
	return &messages.IntervalRule{Unit: known(messages.IntervalUnit(f.GetUnit()), messages.UnitDay), Num: f.GetNum()}
}

func toConsistency(c *messages.SchemaConsistency) *SchemaConsistency {
	if c == nil {
		return nil
	}
	return &SchemaConsistency{
		Status: ConsistencyStatus(known(c.Status, messages.ConsistencyUnknown)),
		Objects: converted(c.Objects, len(c.Objects), func(o messages.SchemaObjectState) *SchemaObjectFingerprints {
			return &SchemaObjectFingerprints{Kind: cleanText(o.Kind), Name: cleanText(o.Name), RegistryFingerprint: o.RegistryFingerprint,
				NodeFingerprints: converted(o.Nodes, len(o.Nodes), func(n messages.NodeFingerprint) *NodeFingerprint {
					return &NodeFingerprint{Node: cleanText(n.Node), CacheFingerprint: n.CacheFingerprint, RuntimeFingerprint: n.RuntimeFingerprint}
				})}
		}),
		Issues: converted(c.Issues, len(c.Issues), func(i messages.SchemaIssue) *SchemaIssue {
			return &SchemaIssue{Kind: cleanText(i.Kind), Name: cleanText(i.Name), Node: cleanText(i.Node),
				Type: SchemaIssueType(known(i.Type, messages.IssueRuntimeNotApplied))}
		}),
	}
}

func fromConsistency(f *SchemaConsistency) *messages.SchemaConsistency {
	if f == nil {
		return nil
	}
	return &messages.SchemaConsistency{
		Status: known(messages.ConsistencyStatus(f.GetStatus()), messages.ConsistencyUnknown),
		Objects: converted(f.GetObjects(), len(f.GetObjects()), func(o *SchemaObjectFingerprints) messages.SchemaObjectState {
			return messages.SchemaObjectState{Kind: cleanText(o.GetKind()), Name: cleanText(o.GetName()), RegistryFingerprint: o.GetRegistryFingerprint(),
				Nodes: converted(o.GetNodeFingerprints(), len(o.GetNodeFingerprints()), func(n *NodeFingerprint) messages.NodeFingerprint {
					return messages.NodeFingerprint{Node: cleanText(n.GetNode()), CacheFingerprint: n.GetCacheFingerprint(), RuntimeFingerprint: n.GetRuntimeFingerprint()}
				})}
		}),
		Issues: converted(f.GetIssues(), len(f.GetIssues()), func(i *SchemaIssue) messages.SchemaIssue {
			return messages.SchemaIssue{Kind: cleanText(i.GetKind()), Name: cleanText(i.GetName()), Node: cleanText(i.GetNode()),
				Type: known(messages.SchemaIssueType(i.GetType()), messages.IssueRuntimeNotApplied)}
		}),
	}
}
