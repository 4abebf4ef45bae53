// The yardstick of row `record`: open and parse a record of five sealed fields of 1 KiB with WebCrypto, the way the
// system that Mandate replaces walks a record: field after field, base64 by atob. Prints records per second.
import { webcrypto } from 'node:crypto';

const seconds = Number(process.argv[2] ?? 1);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const key = await webcrypto.subtle.importKey('raw', new Uint8Array(32).fill(5), 'AES-GCM', false, ['encrypt', 'decrypt']);
const aad = new Uint8Array(96).fill(6);

function bytes(base64) {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) out[index] = text.charCodeAt(index);
  return out;
}

async function seal(value) {
  const iv = webcrypto.getRandomValues(new Uint8Array(12));
  const plain = encoder.encode(JSON.stringify(value));
  const sealed = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, plain);
  return `enc:2:${Buffer.from(iv).toString('base64')}.${Buffer.from(sealed).toString('base64')}`;
}

async function open(text) {
  const dot = text.indexOf('.', 6);
  const [iv, sealed] = [bytes(text.slice(6, dot)), bytes(text.slice(dot + 1))];
  const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, sealed);
  return JSON.parse(decoder.decode(plain));
}

const record = {};
for (const name of ['title', 'content', 'mood', 'place', 'summary']) record[name] = await seal('x'.repeat(1022));

let records = 0;
let elapsed = 0;
const start = process.hrtime.bigint();
while (elapsed < seconds) {
  for (let round = 0; round < 50; round++) {
    for (const name of Object.keys(record)) {
      if ((await open(record[name])).length !== 1022) throw new Error('a field did not open');
    }
    records += 1;
  }
  elapsed = Number(process.hrtime.bigint() - start) / 1e9;
}
console.log((records / elapsed).toFixed(1));
