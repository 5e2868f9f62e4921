// What a failed TLS handshake with Redis means, for a person. Pure; imports nothing of ours. Names no host and no certificate: the
// sentence stands in places that are open to anybody.

const sentences: readonly (readonly [code: RegExp, sentence: string])[] = [
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE)/,
    "Redis' certificate is signed by an authority that is not trusted here: set REDIS_CA_FILE to the PEM file of that authority",
  ],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/,
    "Redis' certificate is for another name: write a host into REDIS_URL that it names, or give Redis a certificate for this one",
  ],
  [/^CERT_HAS_EXPIRED/, "Redis' certificate, or one of its authority, has expired: renew it at Redis"],
  [
    /^CERT_NOT_YET_VALID/,
    "Redis' certificate is not valid yet: correct the clock of this machine, or of who issued it",
  ],
  [/^CERT_|^CRL_/, "Redis' certificate is refused: give Redis another one"],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE)/,
    'Redis does not speak TLS on this port: set its TLS port (`tls-port`) in REDIS_URL, or use redis:// instead of rediss://',
  ],
  [
    /^ERR_SSL_.*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE)/,
    'Redis requires a client certificate, and there is no setting for one: set `tls-auth-clients no` in Redis',
  ],
  [
    /^ERR_SSL_|^ERR_TLS_|^EPROTO$/,
    'the TLS handshake with Redis failed: compare the versions of TLS that both sides take',
  ],
];

/** Undefined for every error that is not about TLS. */
export function explainHandshake(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== 'string') return undefined;
  const sentence = sentences.find(([pattern]) => pattern.test(code))?.[1];
  return sentence && `${sentence} (${code})`;
}
