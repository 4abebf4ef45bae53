// One HTTP call after the other, over TCP or a Unix socket. An answer is its status, its text and its JSON.

import http from 'node:http';

/** Whoever uses the program wrongly, or is refused by a service. */
export class Trouble extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}

/** `server` is `http://host:port` or `unix:/path`. */
export function ask(server, method, path, { headers = {}, body } = {}) {
  const unix = /^unix:(\/.+)$/.exec(server);
  if (!unix && !/^http:\/\/[^/]+$/.test(server)) {
    throw new Trouble(`${server} is no server: it must be http://host:port or unix:/path`, 2);
  }
  const options = { method, path, headers: { ...headers }, timeout: 30_000, agent: false };
  if (unix) options.socketPath = unix[1];
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  if (bytes) Object.assign(options.headers, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  return new Promise((resolve, reject) => {
    const request = unix ? http.request(options) : http.request(server + path, options);
    request.on('timeout', () => request.destroy(new Error('no answer in 30 s')));
    request.on('error', (error) => reject(new Trouble(`${method} ${server}${path}: ${error.message}`)));
    request.on('response', (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', (error) => reject(new Trouble(`${method} ${server}${path}: ${error.message}`)));
      response.on('end', () => resolve(answer(response.statusCode, Buffer.concat(pieces).toString('utf8'))));
    });
    request.end(bytes);
  });
}

function answer(status, text) {
  try {
    return { status, text, json: JSON.parse(text) };
  } catch {
    return { status, text, json: null };
  }
}

/** What a service refuses is printed as it came. */
export function good({ status, text, json }) {
  if (status !== 200) throw new Trouble(`${status} ${text}`);
  return json;
}
