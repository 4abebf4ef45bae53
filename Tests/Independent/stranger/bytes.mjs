// The bytes of docs/formats.md, with WebCrypto and nothing else, as a browser would make them.

import { webcrypto } from 'node:crypto';

export const { subtle } = webcrypto;

export const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
export const unbase64 = (text) => Uint8Array.from(Buffer.from(text, 'base64'));
export const joined = (...parts) => Uint8Array.from(Buffer.concat(parts));
export const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

/** Each part behind its length in four bytes; what is absent is an empty part. */
export function frame(...parts) {
  return joined(
    ...parts.map((part) => {
      const bytes = part instanceof Uint8Array ? part : utf8(part === null || part === undefined ? '' : String(part));
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length);
      return joined(length, bytes);
    }),
  );
}

export async function hkdf(key, salt, info) {
  const imported = await subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, imported, 256));
}

// Keys

export const recordKey = (master, user, table, id) =>
  hkdf(master, new Uint8Array(), frame('mandate/v2/record-key', user, table, id));

/** Of the former system; both lists in the order of JavaScript. */
export function missionKeyV1(master, mission, tables, recordIds) {
  const list = (texts) => [...texts].sort().join(',');
  const info = `mana-ai-mission-grant:v1:tables=${list(tables)}:ids=${list(recordIds)}`;
  return hkdf(master, utf8(mission), utf8(info));
}

// Fields

export const fieldData = (user, table, id, field) => frame('mandate/v2/field', user, table, id, field);

const gcm = (iv, additionalData) => ({ name: 'AES-GCM', iv, ...(additionalData && { additionalData }) });

async function sealed(prefix, key, value, data) {
  const iv = webcrypto.getRandomValues(new Uint8Array(12));
  const imported = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const text = await subtle.encrypt(gcm(iv, data), imported, utf8(JSON.stringify(value)));
  return `${prefix}:${base64(iv)}.${base64(new Uint8Array(text))}`;
}

export const sealV2 = (key, value, data) => sealed('enc:2', key, value, data);
export const sealV1 = (key, value) => sealed('enc:1', key, value);

/** What was sealed, as bytes; null where key, place or text is another one. */
export async function open(key, iv, text, data) {
  const imported = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  try {
    return new Uint8Array(await subtle.decrypt(gcm(iv, data), imported, text));
  } catch {
    return null;
  }
}

export function envelope(text) {
  const parts = /^enc:[12]:([^.]+)\.(.+)$/.exec(text);
  return parts && { iv: unbase64(parts[1]), text: unbase64(parts[2]) };
}
