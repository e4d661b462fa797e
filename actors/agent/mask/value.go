package mask

// Mark stands for a secret. It says nothing of it, not even whether two are equal.
const Mark = "***"

// Value returns the value as it may be shown. The key is the name of the value with all
// that it stands below, joined by dots, as in "users.0.password"; a flag has its dashes.
func Value(key, value string) string {
	switch value {
	case "", "true", "false", "null":
		return value
	}
	switch n := classOf(key); n {
	case secret:
		if isPlace(key, value) || isMeasure(key) && isPlain(value) {
			return Text(value)
		}
		return Mark
	case likely:
		if isPlain(value) && Text(value) == value {
			return value
		}
		return Mark
	case harmless:
		return Text(value)
	default:
		found := findAll(value, maxNesting)
		if isPairName(key) {
			found = append(found, findPair(value)...)
		}
		return replace(value, append(found, findRandom(value)...))
	}
}

// Key returns the name of a value as it may be shown: a file may have a token or a
// password in the place of a name.
func Key(key string) string {
	found := findShapes(key, nil)
	found = findUserinfo(key, found)
	return replace(key, append(found, findRandom(key)...))
}

// IsSecret reports whether the name alone says that its value is a secret, whatever the
// value is.
func IsSecret(key string) bool { return classOf(key) == secret }
