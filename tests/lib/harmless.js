/* What an answer may be, whatever was sent: its headers, its markup, the sentence of an error; and what the logs may be. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

/* ── headers ── */

const everywhere = ['cache-control', 'connection', 'content-length', 'date', 'server', 'x-content-type-options'];
const ofPrograms = [...everywhere, 'content-security-policy', 'referrer-policy'];
const ofStatus = { 303: ['location'], 401: ['www-authenticate'], 405: ['allow'], 429: ['retry-after'], 503: ['retry-after'] };
const types = ['application/json', 'application/xml; charset=utf-8', 'text/html; charset=utf-8',
    'text/plain; charset=utf-8', 'text/plain; version=0.0.4; charset=utf-8'];

/* Those that tell a browser who it is from now on. */
const cookieOf = { agent_sign: /^rtcc\d+_agent=[\w.-]*; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
    conf_view: /^rtcc\d+_m\d{15}=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/ };

/* The headers of what the web server refuses by itself: with our page, or with a sentence. */
const headersOfServer = (status, type) => [...type?.startsWith('text/html') ? [...ofPrograms, 'etag'] : everywhere, 'content-type',
    ...ofStatus[status] ?? []];

/* The headers of an answer of nginx with our programs, by its status and its type. What is too large for any program (413) comes to
 * none. */
function usualHeaders(program, status, type) {
    if (status === 413) return headersOfServer(status, type);
    const ofFiles = program === 'file_get' && status === 200 ? ['accept-ranges', 'content-disposition', 'etag'] : [];
    return [...ofPrograms, ...(status === 303 ? [] : ['content-type']), ...ofStatus[status] ?? [], ...ofFiles];
}

/* Asserts that an answer has the headers that everybody's have, each once, and no other. */
export function hasUsualHeaders(program, answer, what) {
    const type = answer.header('content-type'), cookies = answer.headers.filter(([name]) => name === 'set-cookie');
    assert.deepEqual(answer.names.filter((one) => one !== 'set-cookie'), usualHeaders(program, answer.status, type).sort(),
        `${what}: the headers of ${answer.status} ${type}`);
    if (type !== undefined && answer.status !== 413 && !(program === 'file_get' && answer.status === 200))
        assert.ok(types.includes(type), `${what}: ${type}`);
    assert.ok(cookies.length <= 1 && cookies.every(([, value]) => cookieOf[program]?.test(value)), `${what}: ${cookies}`);
}

/* Asserts the same of a refusal, whoever refuses, the program or the web server. */
export function hasHeadersOfRefusal(program, answer, what) {
    const own = headersOfServer(answer.status, answer.header('content-type')).sort().join();
    if (answer.names.join() !== own) hasUsualHeaders(program, answer, what);
}

/* ── bodies ── */

const decode = (page) => page.replaceAll('&quot;', '"').replace(/&#0*39;|&#x27;|&apos;/gi, "'").replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/* The sentence of an error, whatever form it has. */
export function sentenceOf(answer) {
    const type = answer.header('content-type') ?? '';
    if (type.startsWith('application/json')) return JSON.parse(answer.body).error.reason;
    if (type.startsWith('application/xml')) return decode(/<reason>([^<]*)<\/reason>/.exec(answer.body)?.[1] ?? '');
    return decode(/<p[^>]*>([^<]+)<\/p>/.exec(answer.body)?.[1] ?? '').trim();
}

/* Whether a text stands in an answer as it was sent where it means something there. */
export function isEchoed(answer, sent) {
    const type = answer.header('content-type') ?? '', means = type.startsWith('text/html') ? /[<"']|&injected/
        : type.startsWith('application/xml') ? /<|&injected/ : type.startsWith('application/json') ? /["<]/ : undefined;
    return means !== undefined && sent.length > 2 && means.test(sent) && answer.body.includes(sent);
}

/* A number that is right is refused by vcs_call, which has no telephone, with 503: so its manual page says. */
const hasNoTelephone = (answer) => answer.status === 503 && sentenceOf(answer) === 'Telephone calls are not available here.';

/* What no answer may have, whatever was sent. */
export function isHarmless(answer, what) {
    const type = answer.header('content-type') ?? '';
    assert.ok(answer.status >= 200 && (answer.status < 500 || hasNoTelephone(answer)), `${what}: ${answer.status} ${answer.body.slice(0, 300)}`);
    assert.ok(!answer.head.some((line) => /^(x-injected|status|set-cookie: injected)/i.test(line)), `${what}: ${answer.head}`);
    assert.doesNotMatch(answer.head.join('\n'), /^location: *(https?:)?\/\/(?!127\.0\.0\.1|localhost)/im, what);
    assert.equal(new Set(answer.names).size, answer.names.length, `${what}: a header twice: ${answer.names}`);
    assert.doesNotMatch(answer.body, /root:x:0:0|RTCC_CONF|SQLITE|sqlite error|no such (table|column)/, what);
    if (type.startsWith('text/html')) {
        assert.doesNotMatch(answer.body, /(href|src|action)\s*=\s*["']?\s*(javascript|vbscript|data):/i, what);
        assert.doesNotMatch(answer.body, /<(script|svg|img)[^>]*injected|<injected/i, what);
    }
    if (answer.status >= 400) assert.match(sentenceOf(answer), /^\S+(\s+\S+){2,}[.]$/, `${what}: a sentence: ${answer.body}`);
}

/* ── logs ── */

/* How the lines of each log begin: by that, and by nothing that was sent. A program's own name stands before its words, or it is
 * the database's first start; that a program died is no line that is right. */
const lines = {
    'access.log': /^127\.0\.0\.1 \[\d{4}-\d\d-\d\dT[\d:]{8}\+00:00\] "[^"]*" \d{3} \d+ [\d.]+s \S* "[^"]*" "[^"]*"$/,
    'nginx.log': /^\d{4}\/\d\d\/\d\d [\d:]{8} \[notice\] \d+#\d+: /,
    'rtcc.log': /^(\w+\[\d+\]: (info|warning): |\/\S+ is ready\.$)/,
};

/* {name: text} of the logs of an instance. Asserts of each that no line of it begins as it should not, and that it has no control
 * character: neither of ASCII nor of those above it, which some terminals obey. */
export function soundLogs(instance) {
    const folder = path.join(instance.runDir, 'log'), logs = {};
    for (const name of fs.readdirSync(folder)) {
        const bytes = fs.readFileSync(path.join(folder, name)), text = logs[name] = bytes.toString('utf8');
        const control = /.*[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd].*/.exec(text);
        assert.equal(control, null, `${name}: control characters, or no UTF-8: ${JSON.stringify(control?.[0])}`);
        const wrong = text.split('\n').slice(0, -1).filter((line) => !lines[name]?.test(line));
        assert.deepEqual(wrong.slice(0, 5), [], `${name}: ${wrong.length} lines that are none of its own`);
        assert.ok(text === '' || text.endsWith('\n'), `${name}: its last line ends`);
    }
    return logs;
}
