package mask

import "strings"

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// Words of names. A plural counts as its singular.
var (
	// secretParts make a secret of a name that has one of them in it, whatever stands
	// between its words.
	secretParts = strings.Fields(`password passwd passphrase secret token credential authorization htpasswd apikey accesskey
		privatekey signingkey encryptionkey masterkey sharedkey accountkey sessionkey sshkey tlskey sslkey serverkey clientkey
		authkey keydata keypem keycontent jwt bearer cookie`)
	// secretWords are too short to be looked for within other words.
	secretWords = setOf("pass pwd pw creds cred")
	// likelyWords name a secret unless a word of describing stands beside them, or the
	// value is plain.
	likelyWords = setOf("hash salt hmac seed pin session private signature sig auth pepper otp totp mnemonic")

	// measuring says that a name is about how much, how long or how many.
	measuring = setOf(`
		age attempt bits cost count duration expiration expiry idle interval length lifetime limit max min parallelism
		percent percentage period rate retries rounds size timeout ttl`)
	// describing says that a name is about the thing that it names, and not the thing.
	describing = setOf(`
		addr address affinity algo algorithm backend buckets build cache cidr class cluster commit config content
		controller cpu dir directory disabled dns domain enable enabled encoding endpoint engine file files format
		func function git group host hostname image ip issuer kind level library link load location memory method mode
		module name namespace network node path per plugin policy pool port protocol provider realm registry replicas
		revision ring role schema scheme scope server service shards slots status storage store strategy subnet
		template threads type uri url user username version vpc zone`)
	// vouching are last words of names whose values may look random and are harmless.
	vouching = setOf(`
		addr address alias arn branch build bundle ca cert certificate chain cidr class column container crt dataset
		describe description digest dir directory dn domain endpoint expr expression family field file filter
		fingerprint format group gvk host hostname id image index instance issuer label location manifest measure
		metric mountpoint name namespace node nodes option org path pattern pod property query ref regex regexp region
		registry repo repository role route rule schema selector serial shard stream subject table tag target template
		title topic trace uid uri url uuid version volume zone`)
	// digesting vouch for a name in any place of it.
	digesting = setOf("checksum commit digest etag fingerprint git guid md5 revision sha sha1 sha224 sha256 sha384 sha512 uuid")
	// pairing are words of names whose value may be user:password.
	pairing = setOf("auth user login account basic proxyuser userpass userpwd")
	// generic are names that say nothing; the name above them counts.
	generic = setOf("value val data stringdata current previous old new default content primary secondary next last")

	// plainWords are values that are no secrets.
	plainWords = setOf(`
		always anonymous argon2 argon2i argon2id auto basic bcrypt bearer blake2b blake3 cert certificate client
		clientip cookie crc32 crc32c default digest disable disabled eddsa enable enabled es256 es384 es512 external
		false file fnv fnv1a gssapi header hmac hs256 hs384 hs512 in-memory internal jwt kerberos lax ldap local md5
		memory modulo mtls murmur murmur2 murmur3 mutual native never no none ntlm null oauth oauth2 off oidc on
		optional password pbkdf2 peer plain ps256 random redis required rs256 rs384 rs512 saml scram scram-sha-256
		scram-sha-512 scrypt server sha1 sha224 sha256 sha3 sha384 sha512 simple spnego static sticky strict tls token
		true trust undefined unknown x509 xxhash xxhash64 yes`)
)
