/* conf/nginx/rtcc.conf alone: a real nginx with that file, and in the programs' place a responder that says what it was given.
 * Once is enough. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { respond } from '../lib/fastcgi.js';
import { find, get, post, request } from '../lib/http.js';
import { freePort, isListening, sleep, tree, until } from '../lib/instance.js';
import { refusedByTheServer, refusedWithSecrets } from '../lib/ways.js';

const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
const conf = fs.readFileSync(path.join(tree, 'conf/nginx/rtcc.conf'), 'utf8');
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
let folder, port, base, nginx;
const programs = [];

function main(site) {
    return `${process.getuid() === 0 ? 'user root;' : ''}
        daemon off; worker_processes 1; pid nginx.pid; error_log ${folder}/nginx.log notice; events { worker_connections 512; }
        http { include /etc/nginx/mime.types; default_type application/octet-stream; gzip on;
            client_body_temp_path tmp/b; fastcgi_temp_path tmp/f;
            proxy_temp_path tmp/p; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
            include ${site}; }`;
}

/* The file with the marked places changed to this test's folder. */
const placed = () => conf.replace('listen 80;', `listen 127.0.0.1:${port};`).replace('listen [::]:80;', '')
    .replaceAll('unix:/run/rtcc/', `unix:${folder}/`).replace('/usr/share/rtcc/htdocs', `${folder}/htdocs`)
    .replaceAll('/var/log/nginx/rtcc_', `${folder}/`)
    .replace(/include .*rtcc-tls.*/, '');

/* Says back what it was given; in the query: "die" cuts the connection, "once" for the first time, "kept" where it is not the first
 * request of its connection, "slow" waits, "status=N" answers that status, "big" a long text. */
let died = 0, alive = 0;
async function program(given) {
    const query = given.params.QUERY_STRING;
    if (query.includes('once') && died++ === 0) return null;
    if (query.includes('kept') && given.nth > 1) return null;
    if (query.includes('die')) return null;
    if (query.includes('slow')) await sleep(300);
    alive++;
    const status = /status=(\d+)/.exec(query)?.[1] ?? '200';
    const padding = query.includes('big') ? 'x'.repeat(200000) : '';
    const told = { ...given.params, BODY_BYTES: given.body.length, KEEP: given.keep, PADDING: padding };
    return `Status: ${status} As it says\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(told)}`;
}

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-'));
    port = await freePort();
    base = `http://127.0.0.1:${port}`;
    for (const name of ['tmp', 'htdocs/templates']) fs.mkdirSync(path.join(folder, name), { recursive: true });
    for (const name of ['bad_request.html', 'unavailable.html', 'not_found.html', 'too_large.html']) {
        fs.copyFileSync(path.join(tree, 'htdocs', name), path.join(folder, 'htdocs', name));
    }
    fs.writeFileSync(path.join(folder, 'htdocs/index.html'), 'welcome '.repeat(200));
    fs.writeFileSync(path.join(folder, 'htdocs/style.css'), 'a{color:red}\n'.repeat(100));
    fs.writeFileSync(path.join(folder, 'htdocs/ring.ogg'), 'sound');
    fs.writeFileSync(path.join(folder, 'htdocs/templates/conf.html'), 'secret');
    fs.writeFileSync(path.join(folder, 'htdocs/.hidden'), 'secret');
    fs.writeFileSync(path.join(folder, 'site.conf'), placed());
    fs.writeFileSync(path.join(folder, 'nginx.conf'), main('site.conf'));
    for (const name of ['queue', 'vcs_call', 'vcs', 'conf_post', 'conf_poll', 'form_submit', 'file_put', 'agent_sign', 'agent_act']) {
        programs.push(Object.assign(await respond(path.join(folder, `${name}.sock`), program), { name }));
    }
    nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { env, stdio: 'inherit' });
    await until(() => isListening(port), 'nginx');
});

after(async () => {
    nginx.kill('SIGTERM');
    await new Promise((done) => nginx.once('exit', done));
    await Promise.all(programs.map((one) => one.close()));
    fs.rmSync(folder, { recursive: true });
});

const html = { accept: 'text/html,application/xhtml+xml' };

test('the file is taken as it is beside the sites of a stock nginx', () => {
    fs.writeFileSync(path.join(folder, 'as_it_is.conf'), conf.replaceAll('/var/log/nginx/', `${folder}/`));
    fs.writeFileSync(path.join(folder, 'stock.conf'), main('as_it_is.conf').replace('include as_it',
        'server { listen 80 default_server; listen [::]:80 default_server; server_name _; } include as_it'));
    const tested = spawnSync('nginx', ['-t', '-p', folder, '-c', 'stock.conf'], { env, encoding: 'utf8' });
    assert.match(tested.stderr, /syntax is ok/);
    assert.doesNotMatch(tested.stderr, /\[(warn|emerg)\].*(conflicting|duplicate|syntax)/);
});

test('a program is reached under both spellings, with SCRIPT_NAME and PATH_INFO apart', async () => {
    for (const folderName of ['cgi_bin', 'cgi-bin']) {
        const plain = (await get(base, `/${folderName}/queue?a=1&&b=2`)).json();
        assert.equal(plain.SCRIPT_NAME, `/${folderName}/queue`);
        assert.equal(plain.PATH_INFO, '');
        assert.equal(plain.QUERY_STRING, 'a=1&&b=2');
        assert.equal((await get(base, `/${folderName}/queue/one%20two/3`)).json().PATH_INFO, '/one two/3');
    }
});

test('/call/CODE is vcs_call with the code in PATH_INFO', async () => {
    const given = (await get(base, '/call/0196199?x=1')).json();
    assert.equal(given.SCRIPT_NAME, '/call');
    assert.equal(given.PATH_INFO, '/0196199');
    assert.equal(given.QUERY_STRING, 'x=1');
});

test('a Proxy header does not become HTTP_PROXY', async () => {
    const given = (await get(base, '/cgi_bin/queue', {}, { headers: { Proxy: 'http://evil:1' }, accept: '*/*' })).json();
    assert.equal(given.HTTP_PROXY ?? '', '');
    assert.equal(given.HTTP_ACCEPT, '*/*', 'other headers do arrive');
});

test('HTTP_HOST keeps its port, but a header that contradicts the request line is not believed', async () => {
    for (const Host of ['Help.example:8443', '[::1]:81', 'help.example']) {
        assert.equal((await get(base, '/cgi_bin/queue', {}, { headers: { Host } })).json().HTTP_HOST, Host);
    }
    const contradicting = await request(base, 'GET', '/cgi_bin/queue', { rawPath: 'http://real.example/cgi_bin/queue',
        headers: { Host: 'evil.example' } });
    assert.equal(contradicting.json().HTTP_HOST, 'real.example');
});

test('a chunked body arrives whole with its length', async () => {
    const given = (await post(base, '/cgi_bin/conf_post', undefined, { body: 'a=1', headers: {} })).json();
    assert.equal(given.BODY_BYTES, 3);
    const text = await new Promise((done) => {
        const socket = net.connect(port, '127.0.0.1');
        let got = '';
        socket.on('data', (data) => { got += data; });
        socket.on('close', () => done(got));
        socket.write('POST /cgi_bin/conf_post HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
            '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n');
    });
    assert.match(text, /"BODY_BYTES":11/);
    assert.match(text, /"CONTENT_LENGTH":"11"/);
});

test('connections to programs are kept, except to those that work on one request at a time or take POSTs', async () => {
    const poll = programs.find((one) => one.name === 'conf_poll'), before = poll.connections;
    for (let i = 0; i < 20; i++) assert.equal((await get(base, '/cgi_bin/conf_poll')).json().KEEP, true);
    assert.ok(poll.connections - before <= 2, 'twenty requests took at most two connections');
    for (const { name } of programs) {
        const { KEEP } = (await post(base, `/cgi_bin/${name}`, { a: 1 })).json();
        assert.equal(KEEP, name === 'conf_poll', name);
    }
    for (const file of fs.readdirSync(path.join(tree, 'cgi-bin')).filter((one) => one.endsWith('.c'))) {
        const name = file.slice(0, -2), source = fs.readFileSync(path.join(tree, 'cgi-bin', file), 'utf8');
        const isKept = !/\.methods = .*METHOD_POST|\.mode = PREFORK/.test(source);
        const [, upstream] = new RegExp(`^upstream rtcc_${name} \\{([^}]*)\\}`, 'm').exec(conf);
        assert.equal(upstream.includes('keepalive'), isKept, name);
    }
});

test('a program that lets go of all connections that are kept to it costs no request', async () => {
    await Promise.all(Array.from({ length: 5 }, () => get(base, '/cgi_bin/conf_poll?slow')));
    for (let i = 0; i < 5; i++) assert.equal((await get(base, '/cgi_bin/conf_poll?kept')).status, 200);
    died = 0;
    assert.equal((await get(base, '/cgi_bin/conf_poll?once')).status, 200);
});

test('a GET whose program dies under it is asked once more, a POST and a service call are not', async () => {
    died = 0;
    assert.equal((await get(base, '/cgi_bin/queue?once')).status, 200);
    died = 0;
    assert.equal((await post(base, '/cgi_bin/queue?once', { a: 1 })).status, 503);
    died = 0;
    alive = 0;
    assert.equal((await get(base, '/cgi_bin/vcs_call?once')).status, 503);
    assert.equal(alive, 0);
});

test('a program that does not answer: 503 with Retry-After in the form that was asked for', async () => {
    const json = await get(base, '/cgi_bin/conf_poll?die');
    assert.equal(json.status, 503);
    assert.equal(json.json().error.code, 'unavailable');
    assert.match(json.headers['retry-after'], /^\d+$/);
    const xml = await get(base, '/cgi_bin/vcs_call?die');
    assert.equal(xml.status, 503);
    assert.equal(xml.xml().attributes.type, 'error');
    assert.equal(find(xml.xml(), 'code')[0].text, 'unavailable');
    assert.equal((await get(base, '/cgi_bin/vcs?die', {}, { accept: 'application/json' })).json().error.code, 'unavailable');
    const page = await get(base, '/cgi_bin/form_submit?die', {}, html);
    assert.equal(page.status, 503);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.body, /Back in a moment/);
    assert.equal(page.headers.refresh, '5');
    assert.match(page.headers['retry-after'], /^\d+$/);
    assert.equal(page.headers['content-security-policy'], policy);
});

test('the page that reloads by itself does not send a form again', async () => {
    const page = await post(base, '/cgi_bin/form_submit?die', { name: 'Ann' }, html);
    assert.equal(page.status, 503);
    assert.match(page.body, /not taken twice/);
    assert.equal(page.headers.refresh, undefined);
});

test('a program without its socket is 503, a program that does not exist is 404', async () => {
    assert.equal((await get(base, '/cgi_bin/transcript')).status, 503);
    assert.equal((await get(base, '/cgi_bin/nonsense')).status, 404);
    assert.equal((await get(base, '/cgi_bin/nonsense')).json().error.code, 'not_found');
    assert.equal((await get(base, '/cgi_bin/vcs_nonsense')).xml().name, 'message');
    assert.equal((await get(base, '/cgi_bin/')).status, 404);
    assert.equal((await get(base, '/', {}, { rawPath: '/cgi_bin/..%2f..%2fetc/passwd' })).status, 400);
    assert.match((await get(base, '/cgi_bin/nonsense', {}, html)).body, /nothing at this address/);
});

test('what nginx itself refuses is answered with our page, or by our sentence', async () => {
    await refusedByTheServer(port);
});

test('a program that does not answer to a large file: 503, too', async () => {
    const answer = await post(base, '/cgi_bin/file_put?die', { text: 'x'.repeat(300000) });
    assert.equal(answer.status, 503);
    assert.equal(answer.json().error.code, 'unavailable');
    assert.equal((await post(base, '/cgi_bin/file_put?die', { text: 'x'.repeat(300000) }, html)).status, 503);
});

/* As on a full disk: a body or an answer that does not fit into nginx's memory has no file to go to. */
test('where nginx has no room for a body: 503 and what to do, as for any fault outside, and well again by itself', async (t) => {
    const room = path.join(folder, 'tmp/b'), mend = () => fs.existsSync(`${room}.away`) && fs.renameSync(`${room}.away`, room);
    t.after(mend);
    fs.renameSync(room, `${room}.away`);
    const send = (options = {}) => post(base, '/cgi_bin/file_put', { text: 'x'.repeat(300000) }, options);
    const page = await send(html), told = await send();
    assert.equal(page.status, 503);
    assert.match(page.body, /Back in a moment/);
    assert.equal(page.headers['content-security-policy'], policy);
    assert.equal(told.status, 503);
    assert.equal(told.json().error.code, 'unavailable');
    assert.match(told.headers['retry-after'], /^\d+$/);
    mend();
    assert.equal((await send()).status, 200);
});

test("a program's own error passes as it is", async () => {
    const answer = await get(base, '/cgi_bin/queue?status=503', {}, html);
    assert.equal(answer.status, 503);
    assert.equal(answer.json().SCRIPT_NAME, '/cgi_bin/queue');
    assert.equal((await get(base, '/cgi_bin/queue?status=404')).json().SCRIPT_NAME, '/cgi_bin/queue');
});

test('bodies: a message of 8,000 characters passes, a large one is 413, a file may have 20 MB', async () => {
    const longest = await post(base, '/cgi_bin/conf_post', { text: '\u{1f600}'.repeat(8000) });
    assert.equal(longest.status, 200);
    assert.ok(longest.json().BODY_BYTES > 96000);
    const large = await post(base, '/cgi_bin/conf_post', { text: 'x'.repeat(140 * 1024) });
    assert.equal(large.status, 413);
    assert.equal(large.json().error.code, 'too_large');
    assert.match((await post(base, '/cgi_bin/conf_post', { text: 'x'.repeat(140 * 1024) }, html)).body, /too large/);
    const file = { name: 'a.bin', type: 'application/octet-stream', data: Buffer.alloc(20 * 1024 * 1024) };
    assert.equal((await request(base, 'POST', '/cgi_bin/file_put', { multipart: { file } })).status, 200);
    const fileTooLarge = { ...file, data: Buffer.alloc(22 * 1024 * 1024) };
    const refused = await request(base, 'POST', '/cgi_bin/file_put', { multipart: { file: fileTooLarge } })
        .catch((error) => error);
    assert.ok(refused.status === 413 || ['EPIPE', 'ECONNRESET'].includes(refused.code), `${refused.status} ${refused.code}`);
});

test("programs' answers are not compressed, pages are", async () => {
    const gzip = { headers: { 'Accept-Encoding': 'gzip' } };
    assert.equal((await get(base, '/cgi_bin/queue?big', {}, gzip)).headers['content-encoding'], undefined);
    assert.equal((await get(base, '/style.css', {}, gzip)).headers['content-encoding'], 'gzip');
});

test('pages come with the security headers and are asked for again each time, sounds are kept', async () => {
    const page = await get(base, '/');
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-security-policy'], policy);
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal(page.headers['referrer-policy'], 'same-origin');
    assert.equal(page.headers['cache-control'], 'no-cache');
    assert.equal(page.headers.server, 'nginx');
    const { etag } = (await get(base, '/style.css')).headers;
    const again = await get(base, '/style.css', {}, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
    assert.match((await get(base, '/ring.ogg')).headers['cache-control'], /max-age=86400/);
    assert.equal((await get(base, '/cgi_bin/queue')).headers['content-security-policy'], undefined, 'programs send their own');
});

test('templates and hidden files are not served, however they are spelled', async () => {
    for (const rawPath of ['/templates/conf.html', '/templates', '/templates/', '//templates/conf.html', '/%74emplates/conf.html',
        '/x/../templates/conf.html', '/.hidden', '/unavailable.html']) {
        const answer = await get(base, '/', {}, { rawPath });
        assert.equal(answer.status, 404, rawPath);
        assert.doesNotMatch(answer.body, /secret/);
    }
});

test('neither log has a query, a code or a token', async () => {
    await get(base, '/cgi_bin/queue?token=m_sesame1');
    await get(base, '/call/0196188?code=sesame2');
    await get(base, '/', {}, { rawPath: '/call/019618%39' });
    const headers = { Referer: `${base}/x?token=m_sesame4` };
    await get(base, '/cgi_bin/conf_poll?die&token=m_sesame3', {}, { headers });
    await get(base, '/cgi_bin/transcript?token=m_sesame5');
    for (const status of [401, 403, 429]) await get(base, `/cgi_bin/vcs?status=${status}&token=m_sesame8`);
    await post(base, '/cgi_bin/form_submit?die&token=sesame6', { name: 'sesame7' }, html);
    for (const before of ['/cgi_bin/conf_view%3Ftoken=', '/cgi_bin/conf_view;token=', '/cgi_bin/conf_view/', '/'])
        await get(base, '/', {}, { rawPath: `${before}m_5_sesame9${'x_-Y'.repeat(9)}` });
    await refusedWithSecrets(port);
    await get(base, '/last');
    await until(() => fs.readFileSync(`${folder}/access.log`, 'utf8').includes('GET /last'), 'the log', 3000);
    const logs = ['access.log', 'error.log', 'nginx.log'].map((name) => fs.readFileSync(`${folder}/${name}`, 'utf8')).join('');
    assert.match(logs, /"GET \/cgi_bin\/queue HTTP\/1.1" 200/);
    assert.match(logs, /"GET \(a path with a code\) HTTP\/1.1" 200/);
    assert.match(logs, /"GET \/cgi_bin\/transcript HTTP\/1.1" 503 .* rtcc_transcript "502/);
    for (const status of [401, 403, 429]) assert.match(logs, new RegExp(`"GET /cgi_bin/vcs HTTP/1.1" ${status} `), 'refusals are logged');
    assert.doesNotMatch(logs, /sesame|019[^ ]{0,12}618/);
});
