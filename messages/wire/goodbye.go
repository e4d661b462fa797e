package wire

// StoppingText is the message of the status Unavailable with which a stopping proxy ends its
// streams. An agent that reads it adds a random delay before it connects again.
const StoppingText = "proxy is stopping"
