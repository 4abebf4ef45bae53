// Re-derives the vectors of v2 with nothing but WebCrypto and the language itself, as a browser would: docs/formats.md
// must be enough for that.
//
//     node check_vectors.mjs FOLDER              exit 1 on any difference
//     node check_vectors.mjs --selftest FOLDER   damages each file in memory and expects it to be noticed

import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inputModule, plannerInput } from './planner_input.mjs';

const { subtle } = webcrypto;
const FILES = {
  'frame-v2.1': frameCase,
  'record-key-v2.1': recordKeyCase,
  'scope-v2.1': scopeCase,
  'mission-key-v2.1': missionKeyCase,
  'key-id-v2.1': keyIdCase,
  'grant-v2.1': grantCase,
  'keyring-v2.1': keyringCase,
  'field-v2.1': fieldCase,
  'sealed-copy-v2.1': sealedCopyCase,
  'audit-chain-v2.1': auditCase,
  'vault-v2.1': vaultCase,
  'planner-input-v2.1': plannerInputCase,
};

class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

// Bytes

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const same = (left, right) => hex(left) === hex(right);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => Array.from(part)));
const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

function frame(...parts) {
  return joined(
    ...parts.map((part) => {
      const bytes = part === null ? new Uint8Array() : part instanceof Uint8Array ? part : utf8(String(part));
      const framed = new Uint8Array(4 + bytes.length);
      new DataView(framed.buffer).setUint32(0, bytes.length);
      framed.set(bytes, 4);
      return framed;
    }),
  );
}

function readFrame(bytes) {
  const parts = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let place = 0; place < bytes.length; ) {
    if (bytes.length - place < 4 || bytes.length - place - 4 < view.getUint32(place)) throw new Refused();
    const end = place + 4 + view.getUint32(place);
    parts.push(bytes.slice(place + 4, end));
    place = end;
  }
  return parts;
}

const encodeBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

function forgivingBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function strictBase64(text) {
  const bytes = forgivingBase64(text);
  return bytes !== null && encodeBase64(bytes) === text ? bytes : null;
}

function byBytes(left, right) {
  const [one, other] = [utf8(left), utf8(right)];
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    if (one[index] !== other[index]) return one[index] - other[index];
  }
  return one.length - other.length;
}

// Cryptography

async function hkdf(master, salt, info) {
  const key = await subtle.importKey('raw', master, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256));
}

async function gcm(way, key, iv, data, aad) {
  const imported = await subtle.importKey('raw', key, 'AES-GCM', false, [way]);
  return new Uint8Array(await subtle[way]({ name: 'AES-GCM', iv, additionalData: aad }, imported, data));
}

/// Only the tag can be wrong where the lengths are right.
async function openGCM(key, iv, sealed, aad, reason) {
  try {
    return await gcm('decrypt', key, iv, sealed, aad);
  } catch {
    throw new Refused(reason);
  }
}

async function unwrap(pkcs8, wrapped, label) {
  const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
  const key = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt']);
  try {
    return new Uint8Array(await subtle.decrypt({ name: 'RSA-OAEP', label }, key, wrapped));
  } catch {
    return null;
  }
}

// Names

function checkIdentifier(text, reason) {
  const { length } = utf8(text);
  if (length < 1 || length > 256 || /[\u0000-\u001f\u007f-\u009f]/.test(text)) throw new Refused(reason);
}

function checkTable(text, reason) {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(text) || text.endsWith('\n')) throw new Refused(reason);
}

function checkCount(list) {
  if (list.length === 0) throw new Refused('empty');
  if (list.length > 1000) throw new Refused('too-many-records');
}

const byPair = (left, right) => byBytes(left.table, right.table) || byBytes(left.id, right.id);

function makeScope(records) {
  for (const { table, id } of records) {
    checkTable(table, 'identifier');
    checkIdentifier(id, 'identifier');
  }
  const unique = new Map(records.map(({ table, id }) => [`${table}:${id}`, { table, id }]));
  const scope = [...unique.values()].sort(byPair);
  checkCount(scope);
  return scope;
}

function readScope(tables, recordIds) {
  checkCount(recordIds);
  const records = recordIds.map((text) => {
    const colon = text.indexOf(':');
    if (colon < 0) throw new Refused('not-a-record-name');
    const record = { table: text.slice(0, colon), id: text.slice(colon + 1) };
    checkTable(record.table, 'identifier');
    checkIdentifier(record.id, 'identifier');
    return record;
  });
  if (recordIds.some((text, index) => index > 0 && byBytes(recordIds[index - 1], text) >= 0)) {
    throw new Refused('not-sorted-and-unique');
  }
  records.sort(byPair);
  if (JSON.stringify(tables) !== JSON.stringify(tablesOf(records))) throw new Refused('tables-do-not-match');
  return records;
}

const tablesOf = (scope) => [...new Set(scope.map(({ table }) => table))].sort(byBytes);
const recordIdsOf = (scope) => scope.map(({ table, id }) => `${table}:${id}`).sort(byBytes);
const flat = (scope) => scope.flatMap(({ table, id }) => [table, id]);
const scopeFrame = (scope) => frame('mandate/v2/scope', scope.length, ...flat(scope));

// Keys

const recordKeyInfo = (user, table, id) => frame('mandate/v2/record-key', user, table, id);
const recordKey = (master, user, table, id) => hkdf(master, new Uint8Array(), recordKeyInfo(user, table, id));
const claimOf = (user, mission, grantId, scope) => sha256(frame(user, mission, grantId, scope.length, ...flat(scope)));

async function missionKey(master, user, mission, grantId, scope) {
  const info = frame('mandate/v2/mission-key', await claimOf(user, mission, grantId, scope));
  return hkdf(master, utf8(mission), info);
}

function checkMaster(master) {
  if (master.length !== 32) throw new Refused('master-key');
}

// One function per file: from a group and a test to what the test says of itself

async function frameCase(group, test) {
  const parts = readFrame(unhex(test.frame));
  if (hex(frame(...parts)) !== test.frame) throw new Error('writing gives another frame');
  return { parts: parts.map(hex) };
}

async function recordKeyCase(group, test) {
  const master = unhex(test.masterKey);
  checkMaster(master);
  checkIdentifier(test.userId, 'user');
  checkTable(test.table, 'table');
  checkIdentifier(test.recordId, 'record');
  const names = [test.userId, test.table, test.recordId];
  return { info: hex(recordKeyInfo(...names)), key: hex(await recordKey(master, ...names)) };
}

async function scopeCase(group, test) {
  const making = group.type === 'ScopeMaking';
  const scope = making ? makeScope(test.records) : readScope(test.tables, test.recordIds);
  const framed = scopeFrame(scope);
  const lists = making ? { tables: tablesOf(scope), recordIds: recordIdsOf(scope) } : { records: scope };
  return { ...lists, frame: hex(framed), digest: hex(await sha256(framed)) };
}

async function missionKeyCase(group, test) {
  const master = unhex(test.masterKey);
  checkMaster(master);
  checkIdentifier(test.userId, 'user');
  checkIdentifier(test.missionId, 'mission');
  let scope;
  try {
    scope = makeScope(test.records);
  } catch {
    throw new Refused('scope');
  }
  const inputs = [test.userId, test.missionId, test.grantId, scope];
  const claim = await claimOf(...inputs);
  const info = frame('mandate/v2/mission-key', claim);
  return { claim: hex(claim), info: hex(info), key: hex(await missionKey(master, ...inputs)) };
}

async function keyIdCase(group, test) {
  // WebCrypto loads an SPKI and writes it again; sizes and exponents that it takes and we do not are looked at here.
  const spki = unhex(test.spki);
  let jwk;
  try {
    const key = await subtle.importKey('spki', spki, { name: 'RSA-OAEP', hash: 'SHA-256' }, true, ['encrypt']);
    if (!same(new Uint8Array(await subtle.exportKey('spki', key)), spki)) throw new Refused('not-an-rsa-spki');
    jwk = await subtle.exportKey('jwk', key);
  } catch {
    throw new Refused('not-an-rsa-spki');
  }
  const modulus = BigInt('0x' + hex(forgivingBase64(jwk.n.replace(/-/g, '+').replace(/_/g, '/'))));
  const bits = modulus.toString(2).length;
  if (bits < 2048) throw new Refused('too-small');
  if (bits > 4096) throw new Refused('too-large');
  if (jwk.e !== 'AQAB') throw new Refused('odd-exponent');
  const fingerprint = hex(await sha256(spki));
  return { bits, fingerprint, keyId: fingerprint.slice(0, 32) };
}

const isTexts = (list) => Array.isArray(list) && list.every((element) => typeof element === 'string');

function readGrant(grant) {
  const derivation = grant?.derivation;
  if (derivation?.version !== 'v2') throw new Refused('malformed');
  const { wrappedKey, keyId, grantId, issuedAt, expiresAt } = grant;
  const { userId, missionId, tables, recordIds } = derivation;
  const texts = [wrappedKey, keyId, grantId, issuedAt, expiresAt, userId, missionId];
  if (!isTexts(texts) || !isTexts(tables) || !isTexts(recordIds)) throw new Refused('malformed');
  let scope;
  try {
    scope = readScope(tables, recordIds);
  } catch {
    throw new Refused('malformed');
  }
  checkIdentifier(userId, 'malformed');
  checkIdentifier(missionId, 'malformed');
  const wrapped = strictBase64(wrappedKey);
  const instants = [issuedAt, expiresAt].every((text) => {
    const date = new Date(text);
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !isNaN(date) && date.toISOString() === text;
  });
  const spelled = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(grantId) && /^[0-9a-f]{32}$/.test(keyId);
  if (wrapped === null || !instants || !spelled) throw new Refused('malformed');
  return { wrapped, keyId, grantId, userId, missionId, scope, issuedAt, expiresAt };
}

async function labelOf({ grantId, keyId, userId, missionId, issuedAt, expiresAt, scope }) {
  const digest = hex(await sha256(scopeFrame(scope)));
  return frame('mandate/v2/grant', grantId, keyId, userId, missionId, issuedAt, expiresAt, digest);
}

async function grantCase(group, test) {
  for (const key of group.keys) {
    const spki = unhex(key.publicKeySpki);
    if (hex(await sha256(spki)).slice(0, 32) !== key.keyId) throw new Error(`the key ${key.name} has another id`);
  }
  return group.type === 'GrantV2Issuing' ? issuing(group.keys[0], test) : opening(group.keys, test);
}

async function issuing(key, test) {
  const { userId, missionId, grantId, issuedAt, wantedMs } = test;
  const scope = makeScope(test.records);
  const derived = await missionKey(unhex(test.masterKey), userId, missionId, grantId, scope);
  const lifetime = Math.min(Math.max(wantedMs ?? 604_800_000, 3_600_000), 2_592_000_000);
  const expiresAt = new Date(Math.floor(Date.parse(issuedAt) + lifetime)).toISOString();
  const label = await labelOf({ grantId, keyId: key.keyId, userId, missionId, issuedAt, expiresAt, scope });
  const { wrappedKey } = JSON.parse(test.grant);
  const opened = await unwrap(unhex(key.privateKeyPkcs8), strictBase64(wrappedKey), label);
  if (opened === null || !same(opened, derived)) throw new Error('the wrap opens to another key');
  const [tables, recordIds] = [tablesOf(scope), recordIdsOf(scope)];
  const derivation = { version: 'v2', userId, missionId, tables, recordIds };
  const grant = JSON.stringify({ wrappedKey, keyId: key.keyId, grantId, derivation, issuedAt, expiresAt });
  return { missionKey: hex(derived), label: hex(label), grant };
}

async function opening(keys, test) {
  if (keys.length === 0) throw new Refused('not-configured');
  const claims = readGrant(JSON.parse(test.grant));
  const key = keys.find(({ keyId }) => keyId === claims.keyId);
  const label = await labelOf(claims);
  const opened = key ? await unwrap(unhex(key.privateKeyPkcs8), claims.wrapped, label) : null;
  if (opened?.length !== 32 || claims.userId !== test.userId || claims.missionId !== test.missionId) {
    throw new Refused('wrap-rejected');
  }
  if (Date.parse(test.now) >= Date.parse(claims.expiresAt)) throw new Refused('expired');
  return { missionKey: hex(opened), label: hex(label) };
}

async function keyringCase(group, test) {
  const master = unhex(group.masterKey);
  const key = await missionKey(master, group.userId, group.missionId, group.grantId, makeScope(group.records));
  if (hex(key) !== group.missionKey) throw new Error('the group has another mission key');
  const aad = frame('mandate/v2/keyring', test.rowGrantId, test.table, test.recordId);
  const row = unhex(test.row);
  if (row.length !== 60) throw new Refused();
  const opened = await openGCM(key, row.slice(0, 12), row.slice(12), aad);
  if (!same(opened, await recordKey(master, group.userId, test.table, test.recordId))) {
    throw new Error('the row opens to another record key');
  }
  if (!same(await gcm('encrypt', key, row.slice(0, 12), opened, aad), row.slice(12))) {
    throw new Error('sealing gives another row');
  }
  return { nonce: hex(row.slice(0, 12)), aad: hex(aad), recordKey: hex(opened) };
}

async function vaultCase(group, test) {
  const kek = unhex(group.kek);
  const id = `v2:${hex((await sha256(kek)).slice(0, 4))}`;
  if (id !== group.kekId) throw new Error('the group has another key id');
  const [wrap, iv] = [forgivingBase64(test.wrapped), forgivingBase64(test.iv)];
  if (test.rowKekId !== id || wrap?.length !== 48 || iv?.length !== 12) throw new Refused();
  const aad = frame('mandate/v2/vault', test.userId, id);
  const master = await openGCM(kek, iv, wrap, aad);
  if (!same(await gcm('encrypt', kek, iv, master, aad), wrap)) throw new Error('sealing gives another wrap');
  const check = await hkdf(master, new Uint8Array(), frame('mandate/v2/key-check', test.userId));
  return { aad: hex(aad), masterKey: hex(master), keyCheck: hex(check) };
}

function takeApart(version, text) {
  const prefix = `enc:${version}:`;
  const dot = text.indexOf('.', prefix.length);
  if (!text.startsWith(prefix) || dot < 0) throw new Refused('ciphertext-malformed');
  const read = version === 1 ? forgivingBase64 : strictBase64;
  const [iv, sealed] = [read(text.slice(prefix.length, dot)), read(text.slice(dot + 1))];
  if (iv === null || sealed === null || iv.length !== 12) throw new Refused('decrypt-failed');
  return { iv, sealed };
}

async function openField(key, text, aad) {
  const { iv, sealed } = takeApart(2, text);
  if (sealed.length < 16) throw new Refused('ciphertext-tampered-or-wrong-key');
  const message = await openGCM(key, iv, sealed, aad, 'ciphertext-tampered-or-wrong-key');
  const json = new TextDecoder().decode(message);
  checkJSON(json);
  return { iv, message, json };
}

/// What a browser's parser takes, but for half surrogate pairs and for more than 2,048 levels.
function checkJSON(text) {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    depth += token === '[' || token === '{' ? 1 : token === ']' || token === '}' ? -1 : 0;
    if (depth > 2048) throw new Refused('decrypt-failed');
  }
  try {
    const half = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
    JSON.parse(text, (name, value) => {
      if (half.test(name) || (typeof value === 'string' && half.test(value))) throw new Refused();
      return value;
    });
  } catch {
    throw new Refused('decrypt-failed');
  }
}

async function groupRecordKey(group) {
  const key = await recordKey(unhex(group.masterKey), group.userId, group.table, group.recordId);
  if (hex(key) !== group.recordKey) throw new Error('the group has another record key');
  return key;
}

const placeOf = (test) => [test.placeUserId, test.placeTable, test.placeRecordId, test.placeField];

async function sealField(key, iv, message, aad) {
  return `enc:2:${encodeBase64(iv)}.${encodeBase64(await gcm('encrypt', key, iv, message, aad))}`;
}

async function fieldCase(group, test) {
  const key = await groupRecordKey(group);
  const aad = frame('mandate/v2/field', ...placeOf(test));
  const { iv, message, json } = await openField(key, test.envelope, aad);
  if ((await sealField(key, iv, message, aad)) !== test.envelope) throw new Error('sealing gives another envelope');
  return { iv: hex(iv), msg: hex(message), aad: hex(aad), json };
}

function readCopy(text) {
  let entry = null;
  try {
    entry = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof entry?.of !== 'string' || !/^[0-9a-f]{64}$/.test(entry.of)) return null;
  const [hasValue, hasRefusal] = [entry.value, entry.refused].map((found) => typeof found === 'string');
  if (hasValue === hasRefusal || (hasRefusal && entry.refused !== 'moved-ciphertext')) return null;
  return entry;
}

async function sealedCopyCase(group, test) {
  const key = await groupRecordKey(group);
  const { iv: oldIv, sealed } = takeApart(1, test.current);
  const of = hex(await sha256(joined(oldIv, sealed)));
  const copy = readCopy(test.entry);
  if (copy?.of !== of) throw new Refused('not-sealed-yet');
  if (copy.refused !== undefined) throw new Refused(copy.refused);
  const aad = frame('mandate/v2/sealed', ...placeOf(test), of);
  const { iv, message, json } = await openField(key, copy.value, aad);
  const entry = JSON.stringify({ of, value: await sealField(key, iv, message, aad) });
  if (entry !== test.entry) throw new Error('sealing gives another entry');
  return { of, iv: hex(iv), msg: hex(message), aad: hex(aad), json };
}

async function auditCase(group, test) {
  const { userId, seq, ts, missionId, grantId, iterationId, table, recordId, status, reason, purpose, batch, ofSeq } = test;
  const who = [userId, seq, ts, missionId, grantId, iterationId];
  const framed = frame('mandate/v2/audit', ...who, table, recordId, status, reason, purpose, batch, ofSeq);
  if (hex(await sha256(joined(unhex(test.previous), framed))) !== test.hash) throw new Refused();
  if (group.type === 'AuditChainBroken') return {};
  const before = group.tests[seq - 2]?.hash ?? '0'.repeat(64);
  if (test.previous !== before || group.tests[seq - 1].tcId !== test.tcId) throw new Error('the row stands elsewhere');
  return { frame: hex(framed) };
}

async function plannerInputCase(group, test) {
  if (group.type === 'PlannerInput') return plannerInput(group.module, test.fields);
  const found = inputModule(test.module, test.table);
  if (found === null) throw new Refused('unknown-module');
  return found;
}

// Running

async function problemOf(check, group, test) {
  let wanted;
  try {
    wanted = { ...(await check(group, test)), result: 'valid' };
  } catch (refusal) {
    if (!(refusal instanceof Refused)) return refusal.message;
    wanted = { result: 'invalid', ...(refusal.reason === undefined ? {} : { reason: refusal.reason }) };
  }
  const different = Object.keys(wanted).find((name) => JSON.stringify(wanted[name]) !== JSON.stringify(test[name]));
  return different && `${different} should be ${JSON.stringify(wanted[different]).slice(0, 80)}`;
}

async function problemsOf(name, file) {
  const problems = [];
  let tests = 0;
  for (const group of file.testGroups) {
    for (const test of group.tests) {
      tests += 1;
      const problem = await problemOf(FILES[name], group, test);
      if (problem) problems.push(`${name} tcId ${test.tcId} (${test.comment}): ${problem}`);
    }
  }
  if (tests !== file.numberOfTests) problems.push(`${name}: numberOfTests is wrong`);
  return { tests, problems };
}

const readFile = (folder, name) => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));

async function check(folder) {
  let [passed, failed] = [0, 0];
  for (const name of Object.keys(FILES)) {
    const { tests, problems } = await problemsOf(name, readFile(folder, name));
    for (const problem of problems) console.log(`FAILED ${problem}`);
    passed += tests - Math.min(problems.length, tests);
    failed += problems.length;
  }
  console.log(`WebCrypto in node ${process.versions.node}, the files of v2: ${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

/// In the first valid test of each group, every member that follows from others gets one other hex digit or letter.
async function selftest(folder) {
  let [noticed, missed] = [0, 0];
  for (const name of Object.keys(FILES)) {
    const file = readFile(folder, name);
    for (const group of file.testGroups) {
      const test = group.tests.find(({ result }) => result === 'valid') ?? group.tests[0];
      const outputs = Object.keys(test).slice(Object.keys(test).indexOf('result'));
      for (const member of outputs) {
        const text = JSON.stringify(test[member]);
        const place = text.length >> 1;
        const other = text[place] === '1' ? '2' : '1';
        const damaged = { ...test, [member]: `${text.slice(0, place)}${other}${text.slice(place + 1)}` };
        if (await problemOf(FILES[name], group, damaged)) noticed += 1;
        else {
          missed += 1;
          console.log(`FAILED ${name}: a damaged ${member} was not noticed`);
        }
      }
    }
  }
  console.log(`self-test: ${noticed} damages noticed, ${missed} missed`);
  return missed === 0 && noticed > 0;
}

const [first, second] = process.argv.slice(2);
const done = first === '--selftest' ? await selftest(second) : await check(first);
process.exit(done ? 0 : 1);
