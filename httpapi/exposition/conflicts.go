package exposition

// Conflicts counts what was left out of a page, or not taken as it came.
type Conflicts struct {
	// Type counts parts (what one node has of one family) that were left out since
	// most nodes give the family another type, or use its name for the samples of a
	// histogram or summary.
	Type int
	// Help counts parts whose HELP text differs from that of the page.
	Help int
	// Reserved counts parts that were left out since their name is the proxy's own.
	Reserved int
	// Duplicate counts samples that were left out since the same series has another
	// one for the same time.
	Duplicate int
	// Invalid counts series that were left out since they cannot be written: an invalid
	// name, a suffix that the type does not have, another number of values than of times,
	// times before 1970.
	Invalid int
}

func (c *Conflicts) add(more Conflicts) {
	c.Type += more.Type
	c.Help += more.Help
	c.Reserved += more.Reserved
	c.Duplicate += more.Duplicate
	c.Invalid += more.Invalid
}
