// post: what a page sends. One form-encoded POST, the answer as JSON, a fault as one plain sentence.

/** A request that was refused or did not arrive. `message` is a plain sentence to show. */
export class Problem extends Error {
  /**
   * @param {string} sentence
   * @param {{status?: number, code?: string, parameter?: string, retryAfter?: number, answer?: any}} [more]
   */
  constructor(sentence, { status = 0, code = '', parameter = '', retryAfter = 0, answer = null } = {}) {
    super(sentence);
    this.name = 'Problem';
    /** HTTP status; 0: the server was not reached */
    this.status = status;
    this.code = code;
    this.parameter = parameter;
    /** seconds that the server asked to wait; 0: it did not say */
    this.retryAfter = retryAfter;
    /** the whole JSON answer, or null */
    this.answer = answer;
  }

  /** True when sending the same again cannot help. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 425 && this.status !== 429;
  }
}

const SENTENCES = {
  400: 'The server did not understand this.',
  401: 'This conversation is not open for you here any more.',
  403: 'This is not allowed here.',
  404: 'This is not here any more.',
  409: 'This was already done in another way.',
  410: 'This conversation has been erased.',
  413: 'This is too large.',
  429: 'That was too much at once. Please wait a moment.',
  503: 'This does not work at the moment. Please try again.',
};

/**
 * Reads a response. @param {Response} response
 * @returns {Promise<any>} the JSON of a 2xx answer
 * @throws {Problem} for everything else
 */
export async function read(response) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const status = response.ok ? 0 : response.status;
  const error = answer?.error ?? {};
  const sentence = error.reason || SENTENCES[status] || 'The server did not answer as it should. Please try again.';
  const retryAfter = Number(response.headers?.get?.('Retry-After')) || 0;
  throw new Problem(sentence, { status, code: error.code, parameter: error.parameter, retryAfter, answer });
}

/**
 * POSTs `fields` as a form. Fields that are undefined or null are left out.
 * @param {string} url
 * @param {Object<string, string|number|null|undefined>} fields
 * @param {{timeout?: number}} [options] in ms, default 20,000
 * @returns {Promise<any>} the JSON of a 2xx answer
 * @throws {Problem}
 */
export async function post(url, fields, { timeout = 20000 } = {}) {
  const guard = new AbortController();
  const timer = setTimeout(() => guard.abort(), timeout);
  try {
    const body = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
    const headers = { Accept: 'application/json' };
    return await read(await fetch(url, { method: 'POST', headers, body, signal: guard.signal }));
  } catch (fault) {
    if (fault instanceof Problem) throw fault;
    throw new Problem('The server could not be reached. Please check your connection.');
  } finally {
    clearTimeout(timer);
  }
}

/** A name that is used once: for `nonce` and `reqid`. @returns {string} */
export function once() {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
