/* What has to hold behind every web server alike: nginx and the three ways of Apache. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { cookiesOf, get, multipart, parseXml, post, urlencoded } from './http.js';
import { sleep, tree } from './instance.js';
import { accept, act, allEvents, ask, confPoll, readyAgent, say, sendFile, waitForOffer } from './people.js';
import { errorOf, html, isError, isErrorPage, join, json, schedule, xml } from './wire.js';

export const readme = fs.readFileSync(path.join(tree, 'README'), 'utf8');
export const [, caseInCurl] = readme.match(/```sh\n([\s\S]*?)```/);

/* The README's case in curl, as it stands there, ends with its transcript. `anna`: the name of that agent there. */
export async function curlCase(instance, anna = 'Anna') {
    const env = { ...process.env, BASE: instance.base, RTCC_DEMO_PASSWORD: instance.password,
        CURL_CA_BUNDLE: instance.tlsPort ? instance.certificate : '' };
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', caseInCurl], { env, timeout: 30000 });
    for (const said of ['Ann: My box was open.', `${anna}: Good morning, Ann.`, 'Ann: Good morning!', 'The conversation has ended'])
        assert.ok(stdout.includes(said), `'${said}' is missing in:\n${stdout}`);
}

/* The customer's window as a browser without JavaScript gets it. */
async function windowOf(instance, customer) {
    const { pathname, search } = new URL(customer.window);
    let cookie = '', answer = await get(instance.base, pathname + search, undefined, html);
    for (let steps = 0; answer.status === 303 && steps < 3; steps++) {
        cookie = cookiesOf(answer) || cookie;
        answer = await get(instance.base, answer.headers.location, undefined, { ...html, cookie });
    }
    assert.equal(answer.status, 200);
    return answer;
}

async function checkFile(instance, customer, staff) {
    const data = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
    const sent = await sendFile(instance, customer, 'box.bin', 'application/octet-stream', data);
    const file = (await allEvents(instance, staff)).find((event) => event.id === sent.event).file;
    const got = await get(instance.base, file.url, { token: staff.token });
    assert.equal(got.status, 200);
    assert.deepEqual(got.bytes, data);
    assert.match(got.headers['content-disposition'], /^attachment/);
    const part = await get(instance.base, file.url, { token: staff.token }, { headers: { Range: 'bytes=250-252' } });
    assert.equal(part.status, 206);
    assert.deepEqual([...part.bytes], [250, 0, 1]);
}

/* The whole way of the patent: form, window, offer, both write, a file, the end, the transcript. `form` is the instance with the form;
 * every address that is told on the way is one of `bases`. */
export async function wholeWay(instance, form = instance, bases = [instance.base]) {
    const { base } = instance, agent = await readyAgent(instance, 'anna');
    assert.match((await get(form.base, '/cgi_bin/form_submit', {}, html)).body, /name="phone"/);
    const customer = await ask(form, { question: 'My box was open.' });
    assert.match((await windowOf(instance, customer)).body, /My box was open\./);
    const offer = await waitForOffer(instance, agent, customer.conference);
    assert.equal(offer.customer.name, 'Ann');
    const staff = await accept(instance, agent, offer);
    const urls = [customer.window, offer.join_url, staff.window, staff.join_url];
    assert.deepEqual(urls.filter((url) => !bases.some((one) => url.startsWith(`${one}/`))), []);
    await say(instance, staff, 'Good morning, Ann.');
    await say(instance, customer, 'Good morning!');
    await checkFile(instance, customer, staff);
    const texts = (await allEvents(instance, customer)).filter((event) => event.kind === 'message').map((event) => event.text);
    assert.deepEqual(texts.slice(-2), ['Good morning, Ann.', 'Good morning!']);
    await act(instance, agent, 'notready');
    await act(instance, agent, 'end', { conf: customer.conference });
    assert.equal((await confPoll(instance, customer, 0, 25)).state, 'ended');
    const query = { conf: customer.conference, token: customer.token, format: 'txt' };
    const transcript = await get(base, '/cgi_bin/transcript', query);
    assert.equal(transcript.status, 200);
    for (const text of ['My box was open.', 'Good morning, Ann.', 'Good morning!', 'box.bin']) {
        assert.ok(transcript.body.includes(text), text);
    }
}

/* What comes back for bytes that no HTTP library would send: {status, headers, body}. */
export const rawly = (port, text, timeout = 20000) => new Promise((done, failed) => {
    const socket = net.connect(port, '127.0.0.1');
    let got = '';
    socket.setTimeout(timeout, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => { got += data; });
    socket.on('error', failed);
    socket.on('end', () => {
        const [head, body] = [got.slice(0, got.indexOf('\r\n\r\n')), got.slice(got.indexOf('\r\n\r\n') + 4)];
        const headers = Object.fromEntries(head.split('\r\n').slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim()]));
        done({ status: Number(head.slice(9, 12)), headers, body, json: () => JSON.parse(body), xml: () => parseXml(body) });
        socket.end();
    });
    socket.write(text);
});

/* An address that is much too long is refused by the program, in its own words and in the form that was asked for. */
export async function longAddresses(base) {
    const conf = 'a'.repeat(9000), poll = await get(base, '/cgi_bin/conf_poll', { conf }, json);
    isError(poll, 'bad_parameter', 'conf');
    isError(await get(base, '/cgi_bin/vcs', { call_data: 'a'.repeat(15000) }, xml), 'bad_parameter', 'call_data');
    isErrorPage(await get(base, '/cgi_bin/conf_view', { conf }, html), 400);
}

/* Requests that a web server refuses by itself are answered with our page, or by our sentence where a program was asked. */
export async function refusedByTheServer(port) {
    const head = 'Host: a\r\nConnection: close\r\n', long = 'x'.repeat(40000);
    const pages = { 'a line that is none': [400, 'HELLO\r\n\r\n'], 'no Host': [400, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
        'two Hosts': [400, `GET / HTTP/1.1\r\nHost: b\r\n${head}\r\n`], 'a long address': [414, `GET /?${long} HTTP/1.1\r\n${head}\r\n`],
        'a long header': [400, `GET / HTTP/1.1\r\n${head}X-A: ${long}\r\n\r\n`], DELETE: [405, `DELETE / HTTP/1.1\r\n${head}\r\n`],
        'a length that is none': [400, `POST / HTTP/1.1\r\n${head}Content-Length: x\r\n\r\n`] };
    for (const [what, [status, text]] of Object.entries(pages)) {
        const answer = await rawly(port, text);
        assert.equal(answer.status, status, what);
        assert.match(answer.headers['content-type'], /^text\/html; *charset=utf-8/, what);
        assert.match(answer.body, /This request cannot be answered/, what);
        assert.equal(answer.headers['cache-control'], 'no-store', what);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff', what);
        assert.equal(answer.headers.allow, status === 405 ? 'GET, HEAD' : undefined, what);
    }
    const chunks = `Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n${head}\r\nzz\r\n`;
    for (const [name, form] of [['conf_post', 'json'], ['vcs_call', 'xml']]) {
        const answer = await rawly(port, `POST /cgi_bin/${name} HTTP/1.1\r\n${chunks}`), error = errorOf(answer);
        assert.deepEqual([error.form, error.code], [form, 'bad_parameter'], name);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff', name);
    }
}

/* Refused before a web server looks at anything else, each with a code (0196188) or a token (m_5_sesame9…) in its path: what the logs
 * say of them is for the caller to see. */
export async function refusedWithSecrets(port) {
    const token = `m_5_sesame9${'x_-Y'.repeat(9)}`, host = 'Host: a\r\n';
    const heads = [`${host}Cookie: a=${'x'.repeat(40000)}\r\n`, '', 'Host: a b\r\n', `${host}Transfer-Encoding: foo\r\n`, host];
    const targets = ['/call/0196188', '/call/019-6188', '/call/019%206188', '/call/019--6188', '/call/019_6188', '/call/019/6188',
        '/call/019%096188', '/call/019%E2%80%936188', `/cgi_bin/conf_view%3Ftoken=${token}`,
        `/cgi_bin/../../../conf_view?token=${token}`, `/${'x'.repeat(300)}/call/0196188`];
    for (const head of heads) {
        for (const target of targets) {
            const answer = await rawly(port, `GET ${target} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
            assert.ok(answer.status >= 400 || head === host, `${answer.status} ${target}`);
        }
    }
}

const BODY_MAX = 104 * 1024;

/* The largest request that a program takes comes whole, at any program; one byte more is 413. */
export async function largestRequests(instance) {
    const { base } = instance, { participant, id } = await schedule(base);
    const member = await join(base, participant, id);
    const text = '\u{1f600}'.repeat(8000);
    await say(instance, member, text);
    assert.equal((await allEvents(instance, member)).at(-1).text, text);
    const headers = Object.fromEntries(['A', 'B', 'C'].map((name) => [`X-${name}`, name.repeat(7000)]));
    const ask = (name, fields, bytes) => {
        const begin = `${new URLSearchParams(fields)}&other=`;
        return post(base, `/cgi_bin/${name}`, undefined, { body: begin.padEnd(bytes, 'x'), headers, ...json,
            type: 'application/x-www-form-urlencoded' });
    };
    const right = { conf_post: { conf: id, token: member.token, kind: 'message', text: 'all of it' },
        vcs_call: { action: 'add', vanity: participant, call_callid: id }, queue: { action: 'list' } };
    for (const [name, fields] of Object.entries(right)) {
        const whole = await ask(name, fields, BODY_MAX);
        assert.equal(whole.status, 200, `${name}: ${whole.body}`);
        for (const bytes of [BODY_MAX + 1, 127 * 1024, 140 * 1024]) {
            const refused = await ask(name, fields, bytes);
            assert.equal(refused.status, 413, `${name} with ${bytes} bytes: ${refused.body}`);
            assert.equal(errorOf(refused).code, 'too_large');
        }
    }
}

/* POST of a body that comes in pieces, with a pause before each; chunked, or else with its length. */
function inPieces(instance, name, { type, body }, { pieces, pause = 0, isChunked = false }) {
    return new Promise((done, failed) => {
        const headers = { 'Content-Type': type, Accept: 'application/json',
            ...isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': Buffer.byteLength(body) } };
        const sent = http.request(`${instance.base}/cgi_bin/${name}`, { method: 'POST', headers, agent: false }, (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (data) => { text += data; });
            answer.on('end', () => done({ status: answer.statusCode, body: text, json: () => JSON.parse(text) }));
        });
        sent.on('error', failed);
        (async () => {
            const bytes = Buffer.from(body), size = Math.ceil(bytes.length / pieces);
            for (let at = 0; at < bytes.length; at += size) {
                if (pause) await sleep(pause);
                sent.write(bytes.subarray(at, at + size));
            }
            sent.end();
        })().catch(failed);
    });
}

/* A room with one member of it: {conference, token}. */
async function someone(instance) {
    const { participant, id } = await schedule(instance.base);
    return { conference: id, token: (await join(instance.base, participant, id)).token };
}

const message = (member, text) => ({ type: 'application/x-www-form-urlencoded', body: urlencoded({ conf: member.conference,
    token: member.token, kind: 'message', text }) });
const upload = (member, data) => multipart({ conf: member.conference, token: member.token, nonce: randomUUID(),
    file: { name: 'large.bin', type: 'application/octet-stream', data } });
const lastText = async (instance, member) => (await allEvents(instance, member)).at(-1).text;

async function isKept(instance, member, answer, data) {
    assert.equal(answer.status, 200, answer.body);
    const file = (await allEvents(instance, member)).find((event) => event.id === answer.json().event).file;
    assert.equal(file.bytes, data.length);
    assert.ok((await get(instance.base, file.url, { token: member.token })).bytes.equals(data), 'what was sent comes back');
}

/* The largest file passes, one byte more does not. */
export async function largestFile(instance) {
    const member = await someone(instance), most = 20971520, data = randomBytes(most + 1);
    const send = (bytes) => inPieces(instance, 'file_put', upload(member, bytes), { pieces: 1 });
    await isKept(instance, member, await send(data.subarray(0, most)), data.subarray(0, most));
    assert.equal((await send(data)).status, 413);
}

/* A body without a length in its head: a form, a large message, a file. */
export async function chunkedBodies(instance) {
    const member = await someone(instance), data = randomBytes(3_000_000), long = '\u20ac'.repeat(7000);
    for (const text of ['short', long]) {
        const answer = await inPieces(instance, 'conf_post', message(member, text), { pieces: 5, pause: 20, isChunked: true });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(await lastText(instance, member), text);
    }
    await isKept(instance, member, await inPieces(instance, 'file_put', upload(member, data), { pieces: 50, isChunked: true }), data);
    for (const [program, body] of [['file_put', upload(member, randomBytes(22 << 20))], ['conf_post', message(member, 'x'.repeat(200000))]])
        assert.equal((await inPieces(instance, program, body, { pieces: 50, isChunked: true })).status, 413, `${program}: too much`);
}

/* A client that needs longer for its body than a program waits for one. */
export async function slowClient(instance) {
    const member = await someone(instance), long = '\u20ac'.repeat(7000), data = randomBytes(60000);
    const pieces = { pieces: 24, pause: 550 };
    const [said, put] = await Promise.all([inPieces(instance, 'conf_post', message(member, long), pieces),
        inPieces(instance, 'file_put', upload(member, data), pieces)]);
    assert.equal(said.status, 200, `the message: ${said.body}`);
    assert.ok((await allEvents(instance, member)).some((event) => event.text === long));
    await isKept(instance, member, put, data);
}
