package mask

// Mark stands for a secret. It says nothing of it, not even whether two are equal.
const Mark = "***"

// Value returns the value with its secrets masked. The key is the full name of the value, as
// in "users.0.password" or "--etcd-password".
func Value(key, value string) string {
	switch value {
	case "", "true", "false", "null":
		return value
	}
	switch n := classOf(key); n {
	case secret:
		if isAbout(key, value) {
			return Text(value)
		}
		return Mark
	case likely:
		if isPlainValue(value) && Text(value) == value {
			return value
		}
		return Mark
	case harmless:
		return Text(value)
	default:
		found := findAll(value, maxNesting, nil)
		if isPairName(key) {
			found = append(found, findPair(value)...)
		}
		return replace(value, append(found, findRandom(value)...))
	}
}

// Key returns the name of a value with its secrets masked: a file may have a token or an
// address with a password as a key.
func Key(key string) string {
	found := findShapes(key, nil)
	found = findUserinfo(key, found)
	return replace(key, append(found, findRandom(key)...))
}

// IsSecret reports whether the name is that of a secret, whatever the value is.
func IsSecret(key string) bool { return classOf(key) == secret }
