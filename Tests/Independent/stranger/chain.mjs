// A user's audit, fetched page by page and verified by recomputing every hash from the row's own members.

import { frame, hex, joined, sha256, unhex } from './bytes.mjs';
import { ask, good } from './wire.mjs';

const MEMBERS = [
  'missionId', 'grantId', 'iterationId', 'tableName', 'recordId', 'status', 'reason', 'purpose', 'batch',
];
const EVERY_MEMBER = ['userId', 'seq', 'ts', ...MEMBERS, 'ofSeq', 'hash'];
/** Of more pages than these something is wrong: the last page is the one that reaches the head it came with. */
const MOST_PAGES = 10_000;

export async function fetchChain(issuer, token, limit) {
  const headers = { Authorization: `Bearer ${token}` };
  const chain = { rows: [], cut: null, head: null, pages: 0 };
  for (let after = 0; chain.pages < MOST_PAGES; ) {
    const path = `/api/v1/me/ai-audit?chain=true&after=${after}&limit=${limit}`;
    const page = good(await ask(issuer, 'GET', path, { headers }));
    if (chain.pages === 0) chain.cut = page.cut;
    chain.pages += 1;
    chain.head = page.head;
    chain.rows.push(...page.rows);
    if (page.rows.length === 0 || page.head === null) break;
    const last = page.rows[page.rows.length - 1].seq;
    if (!(last > after) || last >= page.head.seq) break;
    after = last;
  }
  return chain;
}

async function rowHash(previous, row) {
  const parts = MEMBERS.map((name) => row[name]);
  const framed = frame('mandate/v2/audit', row.userId, row.seq, row.ts, ...parts, row.ofSeq);
  return hex(await sha256(joined(unhex(previous), framed)));
}

/** The first thing that is wrong, in words; null where nothing is. */
export async function flaw(chain, user) {
  let seq = chain.cut ? chain.cut.seq : 0;
  let hash = chain.cut ? chain.cut.hash : '00'.repeat(32);
  let time = '';
  for (const row of chain.rows) {
    const missing = EVERY_MEMBER.find((name) => row[name] === undefined);
    if (missing) return `row ${row.seq} lacks ${missing}`;
    // An empty text has the hash of an absent one, so no row may have one.
    const odd = MEMBERS.find((name) => row[name] !== null && (typeof row[name] !== 'string' || row[name] === ''));
    if (odd) return `row ${row.seq} has a ${odd} that is no text`;
    if (row.userId !== user) return `row ${row.seq} is another user's`;
    if (row.seq !== seq + 1) return `row ${row.seq} follows row ${seq}`;
    if (row.ofSeq !== null && !(Number.isInteger(row.ofSeq) && row.ofSeq > 0 && row.ofSeq < row.seq)) {
      return `row ${row.seq} corrects a row ${row.ofSeq}`;
    }
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(row.ts)) return `row ${row.seq} has no time`;
    if (row.ts < time) return `row ${row.seq} is older than the row before it`;
    if ((await rowHash(hash, row)) !== row.hash) return `row ${row.seq} is not what was hashed behind row ${seq}`;
    [seq, hash, time] = [row.seq, row.hash, row.ts];
  }
  if (chain.head === null) return seq === 0 ? null : 'the chain has no head';
  const isAtHead = chain.head.seq === seq && chain.head.hash === hash;
  return isAtHead ? null : `the rows end at ${seq}, the head is ${chain.head.seq}`;
}

/** Tampers with a good answer in every way that one change can; each must be noticed. */
export async function selftest(chain, user) {
  const result = { tampered: 0, unnoticed: [] };
  const attempt = async (what, change) => {
    const copy = structuredClone(chain);
    change(copy);
    result.tampered += 1;
    if ((await flaw(copy, user)) === null) result.unnoticed.push(what);
  };
  for (const [place, row] of chain.rows.entries()) {
    for (const name of EVERY_MEMBER) {
      await attempt(`${name} of row ${row.seq}`, (copy) => (copy.rows[place][name] = other(row[name])));
      await attempt(`${name} of row ${row.seq} gone`, (copy) => delete copy.rows[place][name]);
      if (row[name] === null) {
        await attempt(`${name} of row ${row.seq} empty`, (copy) => (copy.rows[place][name] = ''));
      }
    }
    await attempt(`row ${row.seq} left out`, (copy) => copy.rows.splice(place, 1));
    await attempt(`row ${row.seq} twice`, (copy) => copy.rows.splice(place, 0, copy.rows[place]));
    if (place === 0) continue;
    await attempt(`row ${row.seq} before its time`, (copy) => {
      [copy.rows[place - 1], copy.rows[place]] = [copy.rows[place], copy.rows[place - 1]];
    });
  }
  if (chain.head) {
    await attempt('a later head', (copy) => (copy.head.seq += 1));
    await attempt('another head', (copy) => (copy.head.hash = other(copy.head.hash)));
  }
  return result;
}

function other(value) {
  if (value === null) return 'x';
  if (typeof value === 'number') return value + 1;
  const last = value[value.length - 1];
  return value.slice(0, -1) + (last === '0' ? '1' : '0');
}
