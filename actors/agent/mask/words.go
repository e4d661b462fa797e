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
	// secretParts are in the names of secrets. The words of a name are joined before the
	// search: "api-key" has "apikey" in it.
	secretParts = strings.Fields(`password passwd passphrase secret token credential authorization htpasswd apikey accesskey
		privatekey signingkey encryptionkey masterkey sharedkey accountkey sessionkey sshkey tlskey sslkey serverkey clientkey
		authkey keydata keypem keycontent jwt bearer cookie passcode pincode userpin recoverycode verificationcode snmpcommunity
		passwort kennwort contraseña contrasena motdepasse пароль 密码 密碼 口令 basicauthusers`)
	// secretWords name secrets, too, but only as whole words.
	secretWords = setOf(`pass pwd pw creds cred psk dbpass dbpw bindpw rootpw ftppass mailpass smtppass sshpass requirepass keypass
		storepass appkey aeskey rsakey`)
	// keyOwners stand before "key" in the names of secrets. They are not in secretParts: "app_keyspace" is none.
	keyOwners = setOf("aes app application consumer deploy functions gpg instrumentation license pgp psk recovery root rsa storage subscription unlock unseal wrapping")
	// likelyWords name a secret, unless the value is plain or the name has an attributeWord or
	// a quantityWord, too.
	likelyWords = setOf(`hash salt hmac seed pin session private signature sig auth pepper otp totp mnemonic
		basicauth csrf jsessionid masterauth nonce phpsessid sessid sessionid xsrf`)

	// quantityWords are in names of numbers and durations.
	quantityWords = setOf(`
		age attempt bits cost count duration expiration expiry idle interval length lifetime limit max min parallelism
		percent percentage period rate retries rounds size timeout ttl`)
	// attributeWords are in names of attributes: "hash-algorithm" is not a hash.
	attributeWords = setOf(`
		addr address affinity algo algorithm backend buckets build cache cidr class cluster commit config content
		controller cpu dir directory disabled dns domain enable enabled encoding endpoint engine file files format
		func function git group host hostname image ip issuer kind level library link load location memory method mode
		module name namespace network node path per plugin policy pool port protocol provider realm registry replicas
		revision ring role schema scheme scope server service shards slots status storage store strategy subnet
		template threads type uri url user username version vpc zone`)
	// harmlessWords are last words of names whose values may look random and are harmless.
	harmlessWords = setOf(`
		addr address alias arn branch build bundle ca cert certificate chain cidr class column container crt dataset
		describe description digest dir directory dn domain endpoint expr expression family field file filter
		fingerprint format group gvk host hostname id image index instance issuer label location manifest measure
		metric mountpoint name namespace node nodes option org path pattern pod property query ref regex regexp region
		registry repo repository role route rule schema selector serial shard stream subject table tag target template
		title topic trace traceparent uid uri url uuid version volume zone`)
	// digestWords are in names of digests and identifiers, in any position.
	digestWords = setOf("checksum commit digest etag fingerprint git guid h1 md5 revision sha sha1 sha224 sha256 sha384 sha512 uuid")
	// kindWords are last words of names of what a secret is made for, or how it is made.
	kindWords = setOf("algorithm encryption format method mode policy provider scheme type")
	// userWords are words of names whose value may be user:password.
	userWords = setOf("auth user login account basic proxyuser userpass userpwd")
	// genericWords are last parts of names that say nothing: the part before counts.
	genericWords = setOf("value val data stringdata current previous old new default content primary secondary next last")

	// plainWords are values that are not secrets.
	plainWords = setOf(`
		always anonymous argon2 argon2i argon2id auto basic bcrypt bearer blake2b blake3 cert certificate client
		clientip cookie crc32 crc32c default digest disable disabled eddsa enable enabled es256 es384 es512 external
		false file fnv fnv1a gssapi header hmac hs256 hs384 hs512 in-memory internal jwt kerberos lax ldap local md5
		memory modulo mtls murmur murmur2 murmur3 mutual native never no none ntlm null oauth oauth2 off oidc on
		optional password pbkdf2 peer plain ps256 random redis required rs256 rs384 rs512 saml scram scram-sha-256
		scram-sha-512 scrypt server sha1 sha224 sha256 sha3 sha384 sha512 simple spnego static sticky strict tls token
		true trust undefined unknown x509 xxhash xxhash64 yes`)
)
