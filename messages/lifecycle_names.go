package messages

// String returns the contract's name of the unit. One that is not known is UNIT_UNSPECIFIED.
func (u IntervalUnit) String() string {
	switch u {
	case UnitHour:
		return "UNIT_HOUR"
	case UnitDay:
		return "UNIT_DAY"
	}
	return "UNIT_UNSPECIFIED"
}

// String returns the contract's name of the status, such as CONSISTENCY_STATUS_UNKNOWN. One that is not
// known is CONSISTENCY_STATUS_UNSPECIFIED.
func (s ConsistencyStatus) String() string {
	const prefix = "CONSISTENCY_STATUS_"
	switch s {
	case ConsistencyConsistent:
		return prefix + "CONSISTENT"
	case ConsistencyInconsistent:
		return prefix + "INCONSISTENT"
	case ConsistencyUnknown:
		return prefix + "UNKNOWN"
	}
	return prefix + "UNSPECIFIED"
}

// String returns the contract's name of the issue, such as SCHEMA_ISSUE_TYPE_ORPHAN. One that is not
// known is SCHEMA_ISSUE_TYPE_UNSPECIFIED.
func (t SchemaIssueType) String() string {
	const prefix = "SCHEMA_ISSUE_TYPE_"
	switch t {
	case IssueMissingInCache:
		return prefix + "MISSING_IN_CACHE"
	case IssueOrphan:
		return prefix + "ORPHAN"
	case IssueCacheStale:
		return prefix + "CACHE_STALE"
	case IssueRuntimeNotApplied:
		return prefix + "RUNTIME_NOT_APPLIED"
	}
	return prefix + "UNSPECIFIED"
}
