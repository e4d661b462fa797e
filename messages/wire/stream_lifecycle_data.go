package wire

import "fodc/messages"

func toDataInfo(d messages.DataInfo) *DataInfo {
	f := &DataInfo{DataSizeBytes: d.DataSizeBytes, SegmentInfo: converted(d.Segments, len(d.Segments), toSegment)}
	if d.Node != nil {
		f.Node = NodeFrame(*d.Node)
	}
	return f
}

func fromDataInfo(f *DataInfo) messages.DataInfo {
	d := messages.DataInfo{DataSizeBytes: f.GetDataSizeBytes(), Segments: converted(f.GetSegmentInfo(), len(f.GetSegmentInfo()), fromSegment)}
	if f.GetNode() != nil {
		node := FromNode(f.GetNode())
		d.Node = &node
	}
	return d
}

func toSegment(s messages.SegmentInfo) *SegmentInfo {
	f := &SegmentInfo{SegmentId: cleanText(s.ID), TimeRangeStart: cleanText(s.TimeRangeStart), TimeRangeEnd: cleanText(s.TimeRangeEnd),
		ShardInfo: converted(s.Shards, len(s.Shards), toShard)}
	if i := s.SeriesIndex; i != nil {
		f.SeriesIndexInfo = &SeriesIndexInfo{DataCount: i.DataCount, DataSizeBytes: i.DataSizeBytes}
	}
	return f
}

func fromSegment(f *SegmentInfo) messages.SegmentInfo {
	s := messages.SegmentInfo{ID: cleanText(f.GetSegmentId()), TimeRangeStart: cleanText(f.GetTimeRangeStart()),
		TimeRangeEnd: cleanText(f.GetTimeRangeEnd()), Shards: converted(f.GetShardInfo(), len(f.GetShardInfo()), fromShard)}
	if i := f.GetSeriesIndexInfo(); i != nil {
		s.SeriesIndex = &messages.IndexInfo{DataCount: i.GetDataCount(), DataSizeBytes: i.GetDataSizeBytes()}
	}
	return s
}

func toShard(s messages.ShardInfo) *ShardInfo {
	f := &ShardInfo{ShardId: s.ID, DataCount: s.DataCount, DataSizeBytes: s.DataSizeBytes, PartCount: s.PartCount, FilePartCount: s.FilePartCount}
	if i := s.InvertedIndex; i != nil {
		f.InvertedIndexInfo = &InvertedIndexInfo{DataCount: i.DataCount, DataSizeBytes: i.DataSizeBytes}
	}
	if i := s.SIDX; i != nil {
		f.SidxInfo = &SIDXInfo{DataCount: i.DataCount, DataSizeBytes: i.DataSizeBytes, PartCount: i.PartCount}
	}
	return f
}

func fromShard(f *ShardInfo) messages.ShardInfo {
	s := messages.ShardInfo{ID: f.GetShardId(), DataCount: f.GetDataCount(), DataSizeBytes: f.GetDataSizeBytes(),
		PartCount: f.GetPartCount(), FilePartCount: f.GetFilePartCount()}
	if i := f.GetInvertedIndexInfo(); i != nil {
		s.InvertedIndex = &messages.IndexInfo{DataCount: i.GetDataCount(), DataSizeBytes: i.GetDataSizeBytes()}
	}
	if i := f.GetSidxInfo(); i != nil {
		s.SIDX = &messages.IndexInfo{DataCount: i.GetDataCount(), DataSizeBytes: i.GetDataSizeBytes(), PartCount: i.GetPartCount()}
	}
	return s
}
