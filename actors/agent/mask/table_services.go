package mask

// serviceShapes are tokens of further services, and private keys without the lines of PEM around them.
var serviceShapes = func() []shape {
	var all []shape
	add := func(s shape, prefixes ...string) {
		for _, p := range prefixes {
			s.prefix = p
			all = append(all, s)
		}
	}
	add(shape{rest: hexDigits, min: 40, exact: true, wordStart: true}, "squ_", "sqp_", "sqa_")
	add(shape{rest: hexDigits, min: 40}, "shippo_live_", "shippo_test_")
	add(shape{rest: wordChars, min: 40}, "duffel_live_", "duffel_test_", "tk-us-", "tgp_v1_")
	add(shape{rest: alnumChars, min: 50, wordStart: true}, "EZAK", "EZTK", "rdme_", "CLOJARS_")
	add(shape{rest: alnumChars, min: 80, wordStart: true}, "EAAM", "EAAC")
	add(shape{rest: alnumChars, min: 40, wordStart: true, random: true}, "secret_", "BBDC-", "cfk_", "nfp_", "nfc_", "nfo_", "nfb_", "nfu_")
	add(shape{rest: alnumChars, min: 32, wordStart: true, random: true}, "sk_")
	add(shape{rest: alnumChars, min: 24, wordStart: true, random: true}, "rnd_", "aio_", "fw_")
	add(shape{rest: wordChars, min: 30, wordStart: true, random: true}, "re_")
	add(shape{rest: alnumChars, min: 43, exact: true, wordStart: true, random: true}, "oy2")
	add(shape{rest: upperAlnum, min: 26, exact: true, wordStart: true}, "API-")
	add(shape{rest: upperAlnumDash, min: 31, wordStart: true}, "A3-")
	add(shape{rest: hexDash, min: 100, wordStart: true}, "v1.0-")
	add(shape{rest: dottedChars, min: 55, wordStart: true, random: true}, "tfp_")
	add(shape{rest: dottedChars, min: 60, wordStart: true, random: true}, "pat") // of Airtable, with a dot in it
	add(shape{rest: wordChars, min: 60, wordStart: true, random: true}, "mfa.", "b.AAAAAQ")
	add(shape{rest: base64Chars, min: 60, wordStart: true}, "eyJrIjoi", "ops_eyJ")
	add(shape{rest: base64Chars, min: 40, wordStart: true}, "cmVmdGtu", "dG9rOm")
	add(shape{rest: base64Chars, min: 40}, "RWRTY0Iy")
	add(shape{rest: base64Chars, min: 16}, "glc_", "sntrys_")

	// Private keys in Base64: what is always at the begin of their structure, behind its length.
	add(shape{rest: base64Chars, min: 16}, "b3BlbnNzaC1rZXktdjE")
	add(shape{rest: base64Chars, min: 30, leftPart: true}, "IBADANBgkqhkiG9w0BAQEFAAS", "IBAAKCA", "IBAAKBgQ", "AgEAMBMGByqGSM49", "AgEAMBAGByqGSM49",
		"BgkqhkiG9w0BBQ", "IBAzCC")
	add(shape{rest: base64Chars, min: 30}, "MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vu", "MFECAQEwBQYDK2Vw", "MHcCAQEEI", "MIGkAgEBBD", "MIHcAgEBBE", "/u3+7QAAAAI")
	return all
}()

var (
	upperAlnumDash = charsetOf(digits + capital + "-")
	hexDash        = charsetOf(digits + "abcdefABCDEF-")
)
