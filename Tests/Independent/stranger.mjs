#!/usr/bin/env node
// A client of Mandate that shares no line with it: what docs/formats.md and docs/issuer.md say, in WebCrypto and HTTP.
// It plays the user's device, the runner's tick, the reader of the audit, and a thief. It keeps nothing: the master key
// is fetched for each command and printed by none.

import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import { fieldData, missionKeyV1, recordKey, sealV1, sealV2, unbase64 } from './stranger/bytes.mjs';
import { fetchChain, flaw, selftest } from './stranger/chain.mjs';
import { burgle, names } from './stranger/thief.mjs';
import { Trouble, ask, good } from './stranger/wire.mjs';

const USAGE = `usage: node stranger.mjs COMMAND …

  vault                                   make the user's key, or see that it is there
  write [--update] [--v1 MISSION] TABLE:ID FIELD=TEXT… [TABLE:ID …]
                                          seal these records; prints changes for \`mandate-dev seed\`
  grant [--v1] MISSION TABLE:ID…          consent; prints the grant
  call MISSION GRANTFILE TABLE:ID…        print what a runner asks a resolver for; - for no grant
  tick MISSION GRANTFILE TABLE:ID…        ask the resolver for it
  audit [--page ROWS] [--selftest]        fetch the user's audit and verify its chain; the self-test tampers with it
                                          in every way and fails unless all of them are noticed
  steal KEYFILE GRANTFILE [SHARESFILE]    with a resolver's private key: open what stands on standard input, rows of
                                          the log as JSON lines; with key shares where somebody has got them

With --v1, write seals enc:1 under the mission's key, whose scope is the records of this command.
Environment: ISSUER and RESOLVER (http://host:port or unix:/path), TOKEN (the user's), SERVICE_KEY (the resolver's).
Answers are JSON on standard output. Exit codes: 0 done, 1 refused or wrong, 2 wrong usage.`;

const APPS = {
  notes: 'notes', tasks: 'todo', events: 'calendar', journalEntries: 'journal', kontextDoc: 'kontext',
  userContext: 'profile', aiMissions: 'ai',
};
const MODULES = {
  notes: 'notes', tasks: 'tasks', events: 'calendar', journalEntries: 'journal', kontextDoc: 'kontext',
  userContext: 'profile',
};
/** What the web app leaves in the clear. */
const PLAIN_TABLES = ['aiMissions'];

const COMMANDS = { vault, write, grant, call, tick, audit, steal };

async function main([name, ...words]) {
  if (name === '--help' || name === 'help') return console.log(USAGE);
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : null;
  if (!command) throw new Trouble(name ? `there is no command ${name}` : 'a command is missing', 2);
  await command(words);
}

const print = (value) => console.log(typeof value === 'string' ? value : JSON.stringify(value));

// The user's device

async function vault(words) {
  expect(words.length === 0, 'vault takes nothing');
  const before = good(await asUser('GET', '/api/v1/me/encryption-vault/status'));
  const { formatVersion, kekId } = await masterKey();
  print({ user: user(), made: !before.vaultExists, formatVersion, kekId });
}

async function masterKey() {
  const made = good(await asUser('POST', '/api/v1/me/encryption-vault/init'));
  const key = unbase64(made.masterKey ?? '');
  if (key.length !== 32) throw new Trouble('the vault holds no key of 32 bytes: is it in zero-knowledge mode?');
  return { ...made, key };
}

async function write(words) {
  const update = flag(words, '--update');
  const mission = option(words, '--v1');
  const records = recordsOf(words);
  const { key: master } = await masterKey();
  const now = new Date().toISOString();
  const scope = records.map((record) => `${record.table}:${record.id}`);
  const tables = [...new Set(records.map((record) => record.table))];
  const shared = mission && (await missionKeyV1(master, mission, tables, scope));
  for (const { table, id, fields } of records) {
    const seal = await sealer(master, shared, table, id);
    const data = {};
    for (const [field, text] of fields) data[field] = await seal(field, text);
    const stamps = Object.fromEntries(fields.map(([field]) => [field, now]));
    print({
      id: webcrypto.randomUUID(), appId: APPS[table], tableName: table, recordId: id, userId: user(),
      op: update ? 'update' : 'insert', data, fieldMeta: update ? stamps : {}, clientId: 'stranger',
    });
  }
}

async function sealer(master, shared, table, id) {
  if (PLAIN_TABLES.includes(table)) return async (_, text) => text;
  if (shared) return (_, text) => sealV1(shared, text);
  const key = await recordKey(master, user(), table, id);
  return (field, text) => sealV2(key, text, fieldData(user(), table, id, field));
}

function recordsOf(words) {
  const records = [];
  for (const word of words) {
    const mark = word.indexOf('=');
    if (mark > 0) {
      expect(records.length > 0, `${word} stands before any TABLE:ID`);
      records[records.length - 1].fields.push([word.slice(0, mark), word.slice(mark + 1)]);
    } else {
      const [table, id] = names(word);
      expect(Object.hasOwn(APPS, table), `there is no table ${table}`);
      records.push({ table, id, fields: [] });
    }
  }
  expect(records.length > 0, 'which records?');
  return records;
}

async function grant(words) {
  const version = flag(words, '--v1') ? 'v1' : 'v2';
  const [missionId, ...recordIds] = words;
  expect(recordIds.length > 0, 'grant needs MISSION and records');
  const tables = [...new Set(recordIds.map((record) => names(record)[0]))];
  print(good(await asUser('POST', '/api/v1/me/ai-mission-grant', { version, missionId, tables, recordIds })));
}

// The runner

function callOf([missionId, file, ...records]) {
  expect(records.length > 0, 'MISSION, GRANTFILE and records are needed');
  const inputs = records.map((record) => {
    const [table, id] = names(record);
    return { module: MODULES[table] ?? table, table, id };
  });
  const grant = file === '-' ? null : json(file);
  const request = { userId: user(), missionId, iterationId: webcrypto.randomUUID(), grant, inputs };
  return { purpose: 'mission-tick', requests: [request] };
}

function call(words) {
  print(callOf(words));
}

async function tick(words) {
  const headers = { 'X-Service-Key': setting('SERVICE_KEY') };
  const answer = await ask(setting('RESOLVER'), 'POST', '/internal/v1/resolve', { headers, body: callOf(words) });
  print(good(answer));
}

// The reader of the audit

async function audit(words) {
  const tampers = flag(words, '--selftest');
  const limit = Number(option(words, '--page') ?? 200);
  expect(Number.isInteger(limit) && limit >= 1 && limit <= 1000, '--page takes 1 to 1000');
  expect(words.length === 0, `audit takes no ${words[0]}`);
  const chain = await fetchChain(setting('ISSUER'), setting('TOKEN'), limit);
  const wrong = await flaw(chain, user());
  if (wrong) throw new Trouble(`the chain is broken: ${wrong}`);
  const facts = { verified: true, rows: chain.rows.length, pages: chain.pages, head: chain.head };
  if (!tampers) return print(facts);
  const test = await selftest(chain, user());
  print({ ...facts, tampered: test.tampered, noticed: test.tampered - test.unnoticed.length });
  if (test.tampered === 0) throw new Trouble('there was nothing to tamper with');
  if (test.unnoticed.length > 0) throw new Trouble(`not noticed: ${test.unnoticed.join(', ')}`);
}

// The thief

async function steal([keyFile, grantFile, sharesFile, ...more]) {
  expect(keyFile && grantFile && more.length === 0, 'steal needs KEYFILE and GRANTFILE');
  const shares = sharesFile ? lines(readFileSync(sharesFile, 'utf8')) : [];
  const rows = lines(readFileSync(0, 'utf8'));
  print(await burgle(readFileSync(keyFile, 'utf8'), json(grantFile), rows, shares));
}

const lines = (text) => text.split('\n').filter((line) => line.trim() !== '').map((line) => JSON.parse(line));

// Small things

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

function expect(holds, sentence) {
  if (!holds) throw new Trouble(sentence, 2);
}

function setting(name) {
  expect(process.env[name], `${name} is not set`);
  return process.env[name];
}

/** As the token says; whether it is a good token, the issuer decides. */
function user() {
  try {
    const { sub } = JSON.parse(Buffer.from(setting('TOKEN').split('.')[1], 'base64url').toString('utf8'));
    if (typeof sub === 'string' && sub !== '') return sub;
  } catch (error) {
    if (error instanceof Trouble) throw error;
  }
  throw new Trouble('TOKEN is no token that names a user', 2);
}

function asUser(method, path, body) {
  return ask(setting('ISSUER'), method, path, { headers: { Authorization: `Bearer ${setting('TOKEN')}` }, body });
}

function flag(words, name) {
  const place = words.indexOf(name);
  if (place >= 0) words.splice(place, 1);
  return place >= 0;
}

function option(words, name) {
  const place = words.indexOf(name);
  if (place < 0) return undefined;
  const [, value] = words.splice(place, 2);
  expect(value !== undefined, `${name} needs a value`);
  return value;
}

main(process.argv.slice(2)).catch((error) => {
  const known = error instanceof Trouble;
  console.error(`stranger: ${known ? error.message : error}`);
  if (known && error.code === 2) console.error('Help: node stranger.mjs --help');
  process.exitCode = known ? error.code : 1;
});
