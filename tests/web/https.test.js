/* https through each web server: rtcc-tls.inc beside the file that is there without it, and a certificate that signed itself.
 * Once is enough. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { cookiesOf, get, post, urlencoded } from '../lib/http.js';
import { sleep, startInstance, tree, until } from '../lib/instance.js';
import { act, confPoll, conversation, say } from '../lib/people.js';
import { curlCase, wholeWay } from '../lib/ways.js';
import { html, json, setCookies } from '../lib/wire.js';

const stranger = { headers: { Host: 'help.example' } };

/* One HTTP/2 connection: {ask(path) → {stream, answer}, close()}; an answer has status, headers and body. */
function connection(instance) {
    const session = http2.connect(instance.base, { ca: fs.readFileSync(instance.certificate) });
    const ask = (url) => {
        const stream = session.request({ ':path': url, accept: 'application/json' });
        let headers, body = '';
        stream.setEncoding('utf8');
        stream.on('response', (got) => { headers = got; });
        stream.on('data', (text) => { body += text; });
        const answer = new Promise((done, failed) => {
            stream.on('end', () => done({ status: headers?.[':status'], headers, body }));
            stream.on('error', failed);
        });
        answer.catch(() => {}); // who cancels does not wait
        return { stream, answer };
    };
    return { ask, session, close: () => session.destroy() };
}

/* together: how many requests of one connection are in hand at once, from the first on; Apache begins with six, as browsers
 * themselves do without HTTP/2. */
const ways = [
    { web: 'nginx', name: 'nginx', together: 30 },
    { web: 'apache', name: 'mod_proxy_fcgi', together: 5 },
    { web: 'fcgid', name: 'mod_fcgid', together: 5 },
    { web: 'cgid', name: 'mod_cgid', together: 5 },
];

for (const { web, name, together } of ways) describe(`https, ${name}`, () => {
    let instance, base, plain;
    before(async () => {
        instance = await startInstance({ web, tls: true });
        ({ base, plainBase: plain } = instance);
    });
    after(() => instance?.stop());

    test('the whole way of the patent, and every address that is told on the way is one of https', async () => {
        await wholeWay(instance);
    });

    test('the case in curl of the README, whose curl verifies the certificate', async () => {
        await curlCase(instance);
    });

    test('the certificate is verified: who does not know it, or comes by another name, has no connection', async () => {
        const fault = (options) => new Promise((done) => {
            https.get(`${base}/`, { agent: false, ...options }, (answer) => done(answer.statusCode)).on('error', (error) => done(error.code));
        });
        const ca = fs.readFileSync(instance.certificate);
        assert.equal(await fault({ ca }), 200);
        assert.equal(await fault({}), 'DEPTH_ZERO_SELF_SIGNED_CERT');
        assert.equal(await fault({ ca, servername: 'other.example' }), 'ERR_TLS_CERT_ALTNAME_INVALID');
    });

    test('TLS 1.2 and 1.3, and nothing older', async () => {
        const protocol = (version) => new Promise((done) => {
            const socket = tls.connect({ port: instance.tlsPort, host: '127.0.0.1', ca: fs.readFileSync(instance.certificate),
                minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' });
            socket.on('secureConnect', () => { done(socket.getProtocol()); socket.destroy(); });
            socket.on('error', (error) => done(error.code));
        });
        assert.equal(await protocol('TLSv1.3'), 'TLSv1.3');
        assert.equal(await protocol('TLSv1.2'), 'TLSv1.2');
        for (const old of ['TLSv1.1', 'TLSv1']) assert.match(await protocol(old), /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
    });

    test('ciphers of TLS 1.2 give a key of its own to each connection and seal what they encrypt; others are refused', async () => {
        const cipher = (ciphers) => new Promise((done) => {
            const socket = tls.connect({ port: instance.tlsPort, host: '127.0.0.1', ca: fs.readFileSync(instance.certificate),
                maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
            socket.on('secureConnect', () => { done(socket.getCipher().name); socket.destroy(); });
            socket.on('error', (error) => done(error.code));
        });
        assert.match(await cipher('DEFAULT'), /^ECDHE-ECDSA-(AES\d+-GCM|CHACHA20-POLY1305)/);
        for (const good of ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305']) assert.equal(await cipher(good), good);
        for (const bad of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'AES128-GCM-SHA256', 'AES128-SHA', 'aNULL', 'eNULL'])
            assert.match(await cipher(bad), /HANDSHAKE_FAILURE/, bad);
    });

    test('cookies are Secure and of __Host-, and they open what they are for', async () => {
        const form = { login: 'anna', password: instance.password };
        const signed = await post(base, '/cgi_bin/agent_sign', form, json);
        const sent = await post(base, '/cgi_bin/form_submit', { name: 'Ann', phone: '+16035551234' }, html);
        const { pathname, search } = new URL(sent.headers.location, base);
        const room = await get(base, pathname + search, undefined, html);
        for (const [answer, owner] of [[signed, 'agent'], [room, 'm\\d{15}']]) {
            const [[cookie, { flags }]] = Object.entries(setCookies(answer));
            assert.match(cookie, new RegExp(`^__Host-rtcc${instance.port}_${owner}$`));
            for (const flag of ['secure', 'httponly', 'path=/', 'samesite=lax']) assert.ok(flags.includes(flag), `${cookie}: ${flags}`);
            assert.ok(!flags.some((flag) => flag.startsWith('domain')), cookie);
        }
        const cookie = cookiesOf(signed);
        assert.equal((await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie })).status, 200);
        const bare = cookie.replace('__Host-', '');
        assert.equal((await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie: bare })).status, 401, 'what plain http could set');
        const params = new URL(sent.headers.location, base).searchParams;
        await post(base, '/cgi_bin/conf_post', { conf: params.get('conf'), token: params.get('token'), kind: 'leave' }, json);
    });

    test('what comes without https is sent on, whole', async () => {
        for (const address of ['/', '/agent.html', '/cgi_bin/vcs?a=1&&b=%20x', '/call/0196199', '/cgi-bin/form_submit', '/nothing%20here']) {
            const answer = await get(plain, address, undefined, stranger);
            assert.equal(answer.status, 301, address);
            assert.equal(answer.headers.location, `https://help.example:${instance.tlsPort}${address}`);
            assert.match(answer.headers['content-type'], /^text\/html/);
        }
        const sent = await post(plain, '/cgi_bin/form_submit', { name: 'Ann', phone: '+16035551234' }, stranger);
        assert.equal(sent.status, 301, 'and no form is taken');
    });

    test("an ACME server's question is answered without https, and nothing else is there", async () => {
        const folder = path.join(instance.runDir, 'acme/.well-known/acme-challenge');
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(path.join(folder, 'a_token-1'), 'its answer');
        fs.writeFileSync(path.join(instance.runDir, 'acme/secret'), 'secret');
        if (process.getuid() === 0) execFileSync('chmod', ['-R', 'a+rX', path.join(instance.runDir, 'acme')]);
        for (const from of [plain, base]) {
            const answer = await get(from, '/.well-known/acme-challenge/a_token-1', undefined, stranger);
            assert.equal(answer.status, 200, `${from}: ${answer.body}`);
            assert.equal(answer.body, 'its answer');
            assert.match(answer.headers['content-type'], /^text\/plain/);
        }
        for (const rawPath of ['/.well-known/acme-challenge/other', '/.well-known/acme-challenge/', '/.well-known/secret',
            '/.well-known/acme-challenge/../../secret', '/.well-known/acme-challenge/..%2f..%2fsecret']) {
            const answer = await get(base, '/', undefined, { rawPath });
            assert.ok([403, 404].includes(answer.status), `${rawPath}: ${answer.status}`);
        }
    });

    test('trusted loopback stays on plain http, and works over https', async () => {
        const ask = (from, options) => get(from, '/cgi_bin/vcs_conf_schedule', { conf_type: 'reservationless' }, options);
        assert.equal((await ask(plain)).status, 200);
        assert.equal((await ask(plain, { headers: { Host: `localhost:${instance.port}` } })).status, 200);
        assert.equal((await ask(base)).status, 200);
        assert.equal((await ask(base, stranger)).status, 401);
    });

    test('a browser is told to come by https for a year, with every answer of https and none of http', async () => {
        for (const [url, options] of [['/', html], ['/nothing', html], ['/cgi_bin/status', {}], ['/cgi_bin/nonsense', json],
            ['/cgi_bin/vcs_nonsense', {}], ['/cgi_bin/nonsense', html], ['/cgi_bin/conf_poll', json]]) {
            assert.equal((await get(base, url, undefined, options)).headers['strict-transport-security'], 'max-age=31536000', url);
            assert.equal((await get(plain, url, undefined, options)).headers['strict-transport-security'], undefined, url);
        }
    });

    test('polls are held in one connection of HTTP/2, and a page and a message are answered meanwhile', async () => {
        const { agent, customer, staff } = await conversation(instance, 'ben');
        await act(instance, agent, 'notready');
        const wire = connection(instance);
        const { after: seen } = await confPoll(instance, customer);
        const query = urlencoded({ conf: customer.conference, token: customer.token, after: seen, wait: 20 });
        const held = Array.from({ length: together }, () => wire.ask(`/cgi_bin/conf_poll?${query}`).answer);
        let answered = 0;
        held.forEach((answer) => answer.then(() => { answered++; }));
        await sleep(700);
        const page = await wire.ask('/style.css').answer;
        assert.equal(page.status, 200);
        assert.equal(page.headers['strict-transport-security'], 'max-age=31536000');
        assert.equal(answered, 0, 'all are held');
        await say(instance, staff, 'Are you there?');
        for (const answer of await Promise.all(held)) {
            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(JSON.parse(answer.body).events.map((event) => event.text), ['Are you there?']);
        }
        wire.close();
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    if (web === 'nginx') test('who gives up a poll in a connection that stays frees its place at once', async () => {
        const { agent, customer } = await conversation(instance, 'sam');
        await act(instance, agent, 'notready');
        const wire = connection(instance), [{ pid }] = instance.processes('conf_poll');
        const open = () => fs.readdirSync(`/proc/${pid}/fd`).length;
        const { after: seen } = await confPoll(instance, customer);
        const query = urlencoded({ conf: customer.conference, token: customer.token, after: seen, wait: 20 });
        const polls = Array.from({ length: together }, () => wire.ask(`/cgi_bin/conf_poll?${query}`));
        await sleep(1000);
        const many = open();
        polls.forEach(({ stream }) => stream.close(http2.constants.NGHTTP2_CANCEL));
        await until(() => open() <= many - together, 'they are let go', 5000);
        assert.equal((await wire.ask('/style.css').answer).status, 200);
        wire.close();
        await act(instance, agent, 'end', { conf: customer.conference });
    });
});

/* The commands that stand in the head of a file, as an administrator copies them. */
const commandOf = (file) => fs.readFileSync(path.join(tree, file), 'utf8').match(/^# {5}mkdir[\s\S]*?cert\.pem$/m)[0]
    .replace(/^# {5}/gm, '');

test('the commands in both heads are the same, and make a certificate for this host that openssl takes', (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-tls-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const command = commandOf('conf/nginx/rtcc-tls.inc');
    assert.equal(commandOf('conf/apache/rtcc-tls.inc'), command);
    const made = spawnSync('sh', ['-euc', command.replaceAll('/etc/rtcc/tls', folder).replaceAll('$(hostname -f)', 'help.example')],
        { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    const cert = fs.readFileSync(path.join(folder, 'cert.pem')), key = fs.readFileSync(path.join(folder, 'key.pem'));
    tls.createSecureContext({ cert, key });
    const said = execFileSync('openssl', ['x509', '-noout', '-checkhost', 'help.example', '-in', path.join(folder, 'cert.pem')],
        { encoding: 'utf8' });
    assert.match(said, /does match/);
    assert.equal(fs.statSync(path.join(folder, 'key.pem')).mode & 0o077, 0);
});
