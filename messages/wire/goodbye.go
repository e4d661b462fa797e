package wire

// StoppingText is the message of the status Unavailable with which a proxy that
// goes down in an orderly way ends its streams. An agent that reads it lets the
// others go first: it spreads its return.
const StoppingText = "proxy is stopping"
