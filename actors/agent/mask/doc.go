// Package mask replaces secrets in texts before they leave the machine: values of
// configuration files and environment variables, command lines, URLs, lines of logs.
//
//   - value.go: Value masks one value by its name, Key the name itself
//   - text.go: Text masks what looks like a secret within any text
//   - names.go: what a name says of its value: secret, likely secret, harmless, nothing
//   - words.go: the words that names.go and plain.go go by
//   - plain.go: values that are harmless under a name that is likely secret
//   - shapes.go, table.go: tokens, hashes and webhooks that are known by how they begin
//   - blocks.go: private keys in PEM
//   - encoded.go: secrets in Base64 or in percent encoding
//   - userinfo.go: the password of user:password@host
//   - named.go, header.go: name=value, "name": "value" and --name value within a text,
//     Authorization and Cookie headers; ends.go: where a value ends
//   - random.go: values that look like the output of a random generator
//
// Each rule finds spans of the original text, and all of them are replaced at once. So
// no rule can hide a secret from another one, and the order of the rules does not matter.
//
// What must be masked and what must not is a table in masktest.
//
// Every rule takes time in proportion to the text. The package is pure: no file, no log,
// no clock. A log must be masked as a whole, not line by line: a private key has many
// lines.
package mask
