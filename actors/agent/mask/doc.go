// Package mask replaces secrets in texts before they leave the machine: values of
// configuration files and environment variables, command lines, URLs, lines of logs.
//
//   - value.go: Value masks one value by its name, Key the name itself
//   - text.go: Text masks what looks like a secret within any text; lines.go: Lines, of lines that come one by one;
//     openvalue.go: values of several lines
//   - names.go: classes of names: secret, likely a secret, harmless, unknown
//   - knownnames.go: the classes of the names that a log has again and again
//   - words.go: lists of words for names.go and plain.go
//   - plain.go: values that are harmless under a name that is likely secret
//   - shapes.go, table.go, table_services.go: tokens, hashes and webhooks that are known by their prefix
//   - blocks.go: private keys in PEM and of PuTTY
//   - encoded.go: secrets in Base64 or in percent encoding; escaped.go: in a text within JSON
//   - userinfo.go: the password of user:password@host
//   - named.go, header.go: name=value, "name": "value" and --name value within a text,
//     Authorization and Cookie headers; ends.go: where a value ends; context.go: what stands around a name;
//     spoken.go: passwords without a sign before them
//   - flags.go: values of flags, in a command line or as the next item of a list
//   - programs.go: flags that have a password for some programs; pgpass.go: lines of PostgreSQL's file of passwords
//   - random.go: values that look random
//
// Each rule returns spans of the original text, and all spans are replaced at once. So the
// order of the rules does not matter, and no rule can hide a secret from another one.
//
// What must be masked and what must not is a table in masktest.
//
// The time of each rule is linear in the length of the text: TestHostileTextsTakeLinearTime. The package is pure: no file,
// no log, no clock. Mask a log as a whole, or with Lines: a private key has many lines.
package mask
