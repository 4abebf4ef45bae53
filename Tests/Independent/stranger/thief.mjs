// Somebody with the resolver's private key and a copy of what lies in the database. The key unwraps the mission key of
// every grant, and that is all: a record key comes out of a share alone, and shares leave the database for receipts.

import { envelope, fieldData, frame, hex, open, recordKey, sha256, subtle, unbase64, unhex } from './bytes.mjs';
import { Trouble } from './wire.mjs';

const DER = /-----BEGIN PRIVATE KEY-----([\s\S]+)-----END PRIVATE KEY-----/;

export async function missionKey(pem, grant) {
  const body = DER.exec(pem);
  if (!body) throw new Trouble('this is no private key in PEM', 2);
  const key = await subtle.importKey(
    'pkcs8', unbase64(body[1].replace(/\s/g, '')), { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['decrypt']);
  try {
    const label = await labelOf(grant);
    return new Uint8Array(await subtle.decrypt({ name: 'RSA-OAEP', label }, key, unbase64(grant.wrappedKey)));
  } catch {
    return null;
  }
}

async function labelOf({ grantId, keyId, derivation, issuedAt, expiresAt }) {
  const pairs = derivation.recordIds.map(names).sort((left, right) => Buffer.compare(order(left), order(right)));
  const scope = hex(await sha256(frame('mandate/v2/scope', pairs.length, ...pairs.flat())));
  return frame('mandate/v2/grant', grantId, keyId, derivation.userId, derivation.missionId, issuedAt, expiresAt, scope);
}

/** No byte of a table's name is 0, so a pair is ordered as its two parts are. */
const order = ([table, id]) => Buffer.from(`${table}\0${id}`);

export function names(record) {
  const colon = record.indexOf(':');
  if (colon < 1) throw new Trouble(`${record} is no table:id`, 2);
  return [record.slice(0, colon), record.slice(colon + 1)];
}

/** Tries every key there is on every sealed field of `rows`, rows of the log as PostgreSQL writes them in JSON. */
export async function burgle(pem, grant, rows, shares) {
  const key = await missionKey(pem, grant);
  const result = { unwrapped: key !== null, shares: shares.length, fields: 0, tried: 0, opened: 0 };
  if (key === null) return result;
  const stolen = [];
  for (const share of shares) {
    const bytes = unhex(share.wrapped_key.replace(/^\\x/, ''));
    const data = frame('mandate/v2/keyring', share.grant_id, share.table_name, share.record_id);
    const found = await open(key, bytes.slice(0, 12), bytes.slice(12), data);
    if (found) stolen.push(found);
  }
  for (const { user_id: user, table_name: table, record_id: id, data: fields } of rows) {
    for (const [field, value] of Object.entries(fields ?? {})) {
      const sealed = typeof value === 'string' ? envelope(value) : null;
      if (!sealed) continue;
      result.fields += 1;
      const guesses = [key, await recordKey(key, user, table, id), ...stolen];
      const places = [fieldData(user, table, id, field), undefined];
      let isOpen = false;
      for (const guess of guesses) {
        for (const place of places) {
          result.tried += 1;
          if (await open(guess, sealed.iv, sealed.text, place)) isOpen = true;
        }
      }
      if (isOpen) result.opened += 1;
    }
  }
  return result;
}
