// How secrets are compared, and how keys and seals are made of them. Pure. Imports nothing of ours.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * Compares in constant time. The length is not secret: it is the same for all hashes and seals of
 * one kind.
 */
export function isSameSecret(one: string | Uint8Array, other: string | Uint8Array): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A key of 32 bytes, made of a secret by HKDF (RFC 5869). Each use has its own key. */
export const deriveKey = (secret: string, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `runcloud-domains ${use}`, 32));

/** The HMAC-SHA-256 of a text: it proves who wrote it. */
export const seal = (key: string | Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();
