// The yardstick of row `record`: open and parse a record of five sealed fields of 1 KiB with WebCrypto, as a
// browser or the reference would. Prints records per second.
import { webcrypto } from 'node:crypto';

const seconds = Number(process.argv[2] ?? 1);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const key = await webcrypto.subtle.importKey('raw', new Uint8Array(32).fill(5), 'AES-GCM', false, ['encrypt', 'decrypt']);
const aad = new Uint8Array(96).fill(6);

async function seal(value) {
  const iv = webcrypto.getRandomValues(new Uint8Array(12));
  const sealed = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, encoder.encode(JSON.stringify(value)));
  return `enc:2:${Buffer.from(iv).toString('base64')}.${Buffer.from(sealed).toString('base64')}`;
}

async function open(text) {
  const dot = text.indexOf('.', 6);
  const iv = Buffer.from(text.slice(6, dot), 'base64');
  const sealed = Buffer.from(text.slice(dot + 1), 'base64');
  const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, sealed);
  return JSON.parse(decoder.decode(plain));
}

const record = {};
for (const name of ['title', 'content', 'mood', 'place', 'summary']) record[name] = await seal('x'.repeat(1022));

let records = 0;
const start = process.hrtime.bigint();
let elapsed = 0;
while (elapsed < seconds) {
  for (let round = 0; round < 50; round++) {
    const opened = await Promise.all(Object.values(record).map(open));
    if (opened.length !== 5 || opened[4].length !== 1022) throw new Error('a record did not open');
    records += 1;
  }
  elapsed = Number(process.hrtime.bigint() - start) / 1e9;
}
console.log((records / elapsed).toFixed(1));
