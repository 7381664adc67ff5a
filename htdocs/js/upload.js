// upload: one file to a conference, in slices, with progress; a cut goes on from where the server is.
//
// XMLHttpRequest, because fetch tells nothing about progress of what is sent. Files up to one slice travel whole; longer ones as
// slices with offset, total and the same nonce. 409 names the offset to go on from (an answer of ours was lost, or another tab
// sent).
import { sleep as clockSleep } from './clock.js';
import { backoff } from './poll.js';
import { Problem } from './post.js';

const SLICE = 1 << 20;
const TRIES = 5;

/**
 * @param {object} options
 * @param {string} options.url
 * @param {() => Object<string, string>} options.fields conf, token, csrf: read anew for each slice
 * @param {File} options.file
 * @param {string} options.nonce keep it when trying again: the server goes on
 * @param {(progress: {sent: number, total: number, secondsLeft: number|null}) => void} [options.onProgress]
 * @param {AbortSignal} [options.signal] cancels
 * @param {object} [world] for tests: send(url, FormData, {onProgress, signal}) → {status, answer}, sleep, now, random
 * @returns {Promise<{event: number, file: string}>}
 * @throws {Problem} after 5 failures in a row, on refusal (413, 400 …), or when cancelled (code 'cancelled')
 */
export async function upload(options, world = {}) {
  const tools = { send, sleep: clockSleep, now: () => Date.now(), random: Math.random, ...world };
  const { file, signal } = options;
  const meter = speed(file.size, options.onProgress ?? (() => {}), tools.now);
  let offset = 0;
  let tries = 0;
  for (;;) {
    if (signal?.aborted) throw new Problem('Cancelled.', { code: 'cancelled' });
    const end = Math.min(file.size, offset + SLICE);
    const { status, answer } = await tools.send(options.url, slice(options, offset, end), {
      signal, onProgress: (bytes) => meter(Math.min(end, offset + bytes)),
    });
    if (status === 200 && answer?.event) return answer;
    const next = answer?.offset ?? answer?.error?.offset;
    if ((status === 200 || status === 409) && Number.isSafeInteger(next ?? end) && (next ?? end) !== offset) {
      offset = Math.max(0, Math.min(file.size, next ?? end));
      tries = 0;
    } else if (signal?.aborted || !isPassing(status) || ++tries >= TRIES) {
      throw fault(status, answer, signal);
    } else {
      await tools.sleep(backoff(tries, tools.random), signal);
    }
  }
}

function isPassing(status) {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

function fault(status, answer, signal) {
  if (signal?.aborted) return new Problem('Cancelled.', { code: 'cancelled' });
  const error = answer?.error ?? {};
  if (status === 0) return new Problem('The connection broke off.', { code: 'network' });
  const plain = status === 413 ? 'This file is too large.' : 'The file could not be sent.';
  return new Problem(error.reason || plain, { status, code: error.code, parameter: error.parameter, answer });
}

function slice({ fields, file, nonce }, offset, end) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ ...fields(), nonce })) if (value) body.append(name, value);
  if (file.size > SLICE) {
    body.append('offset', String(offset));
    body.append('total', String(file.size));
  }
  body.append('file', file.size > SLICE ? file.slice(offset, end, file.type) : file, file.name);
  return body;
}

/* Seconds left from the mean speed since the start; null until half a second has passed. */
function speed(total, onProgress, now) {
  const started = now();
  return (sent) => {
    const seconds = (now() - started) / 1000;
    const left = seconds > 0.5 && sent > 0 ? Math.ceil((total - sent) / (sent / seconds)) : null;
    onProgress({ sent, total, secondsLeft: left });
  };
}

function send(url, body, { onProgress, signal }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const done = () => {
      signal?.removeEventListener('abort', stop);
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
      resolve({ status: request.status, answer });
    };
    request.open('POST', url);
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = request.onerror = request.onabort = request.ontimeout = done;
    request.timeout = 120000;
    signal?.addEventListener('abort', stop, { once: true });
    request.send(body);
  });
}
