package mask

import (
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// charset is the set of bytes that a token may have behind its prefix.
type charset [256]bool

func charsetOf(chars string) *charset {
	var set charset
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return &set
}

const (
	digits  = "0123456789"
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var (
	hexDigits   = charsetOf(digits + "abcdefABCDEF")
	upperAlnum  = charsetOf(digits + capital)
	ulidChars   = charsetOf(digits + "ABCDEFGHJKMNPQRSTVWXYZ")
	alnumChars  = charsetOf(digits + lowers + capital)
	wordChars   = charsetOf(digits + lowers + capital + "_-")
	dottedChars = charsetOf(digits + lowers + capital + "_-.~")
	base64Chars = charsetOf(digits + lowers + capital + "+/=_-")
	runChars    = charsetOf(digits + lowers + capital + "+/_-")
	cryptChars  = charsetOf(digits + lowers + capital + "./+=,$_-")
	scramChars  = charsetOf(digits + lowers + capital + "./+=,$_-:")
	urlChars    = charsetOf(digits + lowers + capital + "/+=_-.~%?&:@;,!*$#")
)

// shape describes a kind of token by its prefix.
type shape struct {
	prefix string
	rest   *charset
	// min is how many bytes of the rest there are at least, exact that there are no more.
	min   int
	exact bool
	// wordStart says that the prefix counts only at the begin of a word, random that the rest
	// must look random. They are for prefixes that occur in other texts, too.
	wordStart, random bool
	// leftPart says that letters and digits before the prefix belong to the token.
	leftPart bool
	// url says that the prefix is part of an address: it is not masked, and matches in any
	// case.
	url bool
}

// shapes is the table of all kinds, from the public documentation of their makers.
var shapes = func() []shape {
	var all []shape
	add := func(s shape, prefixes string) {
		for _, p := range strings.Fields(prefixes) {
			s.prefix = p
			all = append(all, s)
		}
	}
	// Clouds.
	add(shape{rest: upperAlnum, min: 16, exact: true}, "AKIA ASIA ABIA ACCA")
	add(shape{rest: upperAlnum, min: 17, exact: true, wordStart: true}, "A3T")
	add(shape{rest: base64Chars, min: 8}, "FwoGZXIvYXdz FQoGZXIvYXdz IQoJb3JpZ2lu AQoDYXdz AgoJb3JpZ2lu")
	add(shape{rest: base64Chars, min: 100}, "ABSK")
	add(shape{rest: wordChars, min: 30}, "AIza 1//0")
	add(shape{rest: dottedChars, min: 16}, "ya29. GOCSPX-")
	add(shape{rest: alnumChars, min: 16, wordStart: true}, "LTAI")
	add(shape{rest: alnumChars, min: 32, wordStart: true}, "AKID")
	add(shape{rest: hexDigits, min: 32}, "dop_v1_ doo_v1_ dor_v1_")
	add(shape{rest: wordChars, min: 40}, "HRKU- CFPAT- fo1_ fio-u-")
	add(shape{rest: base64Chars, min: 60}, "fm1a_ fm1r_ fm2_")
	// Code, packages, builds.
	add(shape{rest: alnumChars, min: 16}, "ghp_ gho_ ghu_ ghs_ ghr_")
	add(shape{rest: wordChars, min: 16}, "github_pat_ GR1348941")
	add(shape{rest: dottedChars, min: 16}, "glpat- gldt- glrt- glcbt- glptt- glrtr- glwt- glft- glimt- glagent- gloas- glsoat- glffct- ATATT3 ATCTT3 ATSTT3 ATBB")
	add(shape{rest: alnumChars, min: 20}, "npm_ cio_ pul- rubygems_ pnu_ sbp_ rpa_ apify_api_ cfat_ cfut_ phx_ jina_ lin_oauth_ ntn_")
	add(shape{rest: wordChars, min: 16}, "pypi-Ag dckr_pat_ dckr_oat_ lin_api_ figd_ sntryu_ PMAK- PMAT- tskey- pscale_tkn_ pscale_pw_ pscale_oauth_")
	add(shape{rest: alnumChars, min: 60, wordStart: true}, "AKCp")
	add(shape{rest: dottedChars, min: 24}, "dp.pt. dp.st. dp.sa. dp.ct. dp.scim. dp.audit.")
	// Messages and payments.
	add(shape{rest: wordChars, min: 8}, "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- xwfp-")
	add(shape{rest: alnumChars, min: 8}, "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ whsec_")
	add(shape{rest: hexDigits, min: 32}, "shpat_ shpca_ shppa_ shpss_ sgp_")
	add(shape{rest: wordChars, min: 20}, "sq0atp- sq0csp- xkeysib- xsmtpsib- nvapi- figo_ sb_secret_ ory_at_ ory_rt_ ory_pat_ access-sandbox- access-development- access-production-")
	add(shape{rest: wordChars, min: 12}, "FLWSECK- FLWSECK_TEST- sm_aat_ sm_pat_ sm_sat_")
	add(shape{rest: dottedChars, min: 40, wordStart: true}, "SG.")
	add(shape{rest: hexDigits, min: 32, exact: true, wordStart: true}, "SK AC key-")
	// Models.
	add(shape{rest: wordChars, min: 16, random: true, wordStart: true}, "sk-")
	add(shape{rest: wordChars, min: 16}, "sk-proj- sk-ant- sk-svcacct- sk-admin- sk-or-v1-")
	add(shape{rest: alnumChars, min: 30}, "hf_ api_org_ gsk_ pplx- xai- r8_ lsv2_pt_ lsv2_sk_")
	all = append(all, serviceShapes...)
	// Operations.
	add(shape{rest: wordChars, min: 16}, "hvs. hvb. hvr. glsa_ NRAK- NRJS- NRII- NRIQ- NRRA- NRBR- NRSP- sha256~")
	add(shape{rest: alnumChars, min: 24, exact: true, wordStart: true, random: true}, "s. b. r.")
	add(shape{rest: dottedChars, min: 24}, "dt0c01. dt0s01. dt0s16.")
	add(shape{rest: hexDigits, min: 32, wordStart: true}, "dapi")
	add(shape{rest: wordChars, min: 20, leftPart: true}, ".atlasv1.")
	add(shape{rest: alnumChars, min: 20}, "AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1 age-secret-key-1")
	// Hashes of passwords.
	add(shape{rest: cryptChars, min: 8}, "$2$ $2a$ $2b$ $2x$ $2y$ $5$ $6$ $7$ $y$ $gy$ $apr1$ $argon2i$ $argon2d$ $argon2id$ $scrypt$ "+
		"$pbkdf2$ $pbkdf2- $P$ $H$ $S$ $md5$ $md5, $sha1$ $s0$ $s1$ $bcrypt-sha256$ $8$ $9$ $3$$")
	add(shape{rest: cryptChars, min: 20}, "$1$")
	add(shape{rest: cryptChars, min: 8}, "{SHA} {SSHA} {SHA256} {SSHA256} {SHA384} {SSHA384} {SHA512} {SSHA512} {MD5} {SMD5} {CRYPT} "+
		"{ARGON2} {BCRYPT} {bcrypt} {PBKDF2} {PBKDF2-SHA1} {PBKDF2-SHA256} {PBKDF2-SHA512} {pbkdf2} {scrypt} {argon2}")
	add(shape{rest: scramChars, min: 16}, "pbkdf2_sha1$ pbkdf2_sha256$ pbkdf2_sha512$ pbkdf2:sha1: pbkdf2:sha256: pbkdf2:sha512: "+
		"bcrypt_sha256$ argon2$argon2 scrypt: SCRAM-SHA-1$ SCRAM-SHA-256$ SCRAM-SHA-512$")
	add(shape{rest: hexDigits, min: 32, exact: true, wordStart: true}, "md5")
	for first := range upperAlnum {
		if upperAlnum[first] { // of MySQL: a star and 40 hexadecimal digits
			add(shape{rest: upperAlnum, min: 39, exact: true, wordStart: true}, "*"+string(rune(first)))
		}
	}
	// Addresses whose path is the secret.
	add(shape{rest: urlChars, min: 1, url: true}, "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/ "+
		"hooks.slack-gov.com/services/ discord.com/api/webhooks/ discordapp.com/api/webhooks/ .webhook.office.com/webhookb2/ "+
		"outlook.office.com/webhook/ outlook.office365.com/webhook/ hooks.zapier.com/hooks/catch/ maker.ifttt.com/ "+
		"api.telegram.org/bot events.pagerduty.com/integration/ alert.victorops.com/integrations/generic/ open.feishu.cn/open-apis/bot/ "+
		"open.larksuite.com/open-apis/bot/ chat.googleapis.com/v1/spaces/ qyapi.weixin.qq.com/cgi-bin/webhook/ "+
		"oapi.dingtalk.com/robot/ hc-ping.com/ /api/webhooks/ /webhookb2/ /incomingwebhook/")
	add(shape{rest: urlChars, min: 16, random: true, url: true}, "/hooks/ /webhook/ /webhooks/ .make.com/")
	return all
}()

// shapesBy has the shapes by their first two bytes.
var shapesBy = func() *pairIndex {
	by := map[uint16][]*shape{}
	for i := range shapes {
		s := &shapes[i]
		begins := []string{s.prefix[:2]}
		if s.url {
			upper, lower := strings.ToUpper(s.prefix[:2]), s.prefix[:2]
			begins = []string{lower, upper, upper[:1] + lower[1:], lower[:1] + upper[1:]}
			slices.Sort(begins)
			begins = slices.Compact(begins)
		}
		for _, b := range begins {
			by[pairOf(b, 0)] = append(by[pairOf(b, 0)], s)
		}
	}
	return newPairIndex(by)
}()

func pairOf(text string, i int) uint16 { return uint16(text[i])<<8 | uint16(text[i+1]) }

// pairIndex is a map from pairs of bytes. It is faster than one of Go: each byte of a text is looked up.
type pairIndex struct {
	// has has a bit for each pair, before how many bits there are before a word of it.
	has    [1 << 16 / 64]uint64
	before [1 << 16 / 64]uint16
	shapes [][]*shape
}

func newPairIndex(by map[uint16][]*shape) *pairIndex {
	var x pairIndex
	for _, pair := range slices.Sorted(maps.Keys(by)) {
		x.has[pair/64] |= 1 << (pair % 64)
		x.shapes = append(x.shapes, by[pair])
	}
	for i := 1; i < len(x.has); i++ {
		x.before[i] = x.before[i-1] + uint16(bits.OnesCount64(x.has[i-1]))
	}
	return &x
}

// mayBegin reports whether a token may begin with the pair. It is inlined.
func (x *pairIndex) mayBegin(pair uint16) bool { return x.has[pair/64]&(1<<(pair%64)) != 0 }

func (x *pairIndex) of(pair uint16) []*shape {
	word, bit := x.has[pair/64], uint64(1)<<(pair%64)
	if word&bit == 0 {
		return nil
	}
	return x.shapes[int(x.before[pair/64])+bits.OnesCount64(word&(bit-1))]
}
