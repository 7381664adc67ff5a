/* What befell others: programs of the same names, of the same kind, and the libraries that these are made of. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPlace } from '../lib/cgi.js';
import { get, post } from '../lib/http.js';
import { sleep, startInstance, tree } from '../lib/instance.js';
import { isError, json, schedule } from '../lib/wire.js';

let instance, place, base;
before(async () => {
    instance = await startInstance();
    place = await newPlace();
    ({ base } = instance);
});
after(async () => {
    place?.clear();
    await instance?.stop();
});

const form = { name: 'Ann', phone: '+16035551234' };

/* A server of HTTP on a port of 127.0.0.1 that counts who comes: {port, calls, close()}. */
function server(answer) {
    const calls = [];
    const listening = http.createServer((ask, reply) => {
        ask.resume();
        ask.on('end', () => {
            calls.push(ask.url);
            answer(ask, reply);
        });
    });
    return new Promise((done) => listening.listen(0, '127.0.0.1', () => done({ port: listening.address().port, calls,
        close: () => new Promise((closed) => { listening.close(closed); listening.closeAllConnections(); }) })));
}

/* ── httpoxy (CVE-2016-5385 and its family) ── */

test('a Proxy header, and a proxy in the environment, do not turn the calls of form_submit elsewhere', async () => {
    const trap = await server((ask, reply) => reply.writeHead(200).end('caught')), Proxy = `http://127.0.0.1:${trap.port}`;
    const answer = await post(base, '/cgi_bin/form_submit', form, { headers: { Proxy }, ...json });
    assert.equal(answer.status, 200, answer.body);
    const behind = await server((ask, reply) => reply.writeHead(500).end());
    place.write({ collaboration_url: `http://127.0.0.1:${behind.port}`, queue_url: `http://127.0.0.1:${behind.port}` });
    const env = { HTTP_PROXY: Proxy, http_proxy: Proxy, ALL_PROXY: Proxy, all_proxy: Proxy, https_proxy: Proxy };
    assert.equal((await place.run('form_submit', 'POST', { form, env, ...json })).status, 202);
    assert.equal(behind.calls.length, 1, 'it was called itself');
    assert.deepEqual(trap.calls, []);
    await trap.close();
    await behind.close();
});

/* ── requests that a server is made to send (SSRF) ── */

test('a setting that names another protocol, a password or a path of this machine stops the start with a sentence', async () => {
    for (const key of ['collaboration_url', 'queue_url', 'public_url']) {
        for (const value of ['file:///etc/passwd', 'gopher://127.0.0.1', 'ftp://127.0.0.1', '/etc/passwd', 'unix:/run/x.sock',
            'http://user:word@127.0.0.1', 'http://127.0.0.1/?a=b', 'http://127.0.0.1/#a', 'http:///etc', 'javascript:alert(1)']) {
            place.write({ [key]: value });
            const said = await place.command(['doctor']);
            assert.notEqual(said.status, 0, value);
            assert.match(said.stderr, new RegExp(`rtcc\\.conf, line \\d+: ${key} is a URL`), value);
        }
    }
});

test('link-local addresses are not called, however they are written, and the form is kept', async () => {
    for (const host of ['169.254.169.254', '0.0.0.0', '[fe80::1]', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '2852039166',
        '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518']) {
        place.write({ collaboration_url: `http://${host}`, queue_url: `http://${host}` });
        const answer = await place.run('form_submit', 'POST', { form, ...json });
        assert.equal(answer.status, 202, `${host}: ${answer.body}`);
        assert.match(answer.stderr, /a link-local address, or one that names no host: it is not called/, host);
    }
    place.write({ collaboration_url: base, queue_url: 'http://169.254.169.254', service_key_file: `${instance.runDir}/state/service.key` });
    const answer = await place.run('form_submit', 'POST', { form, ...json });
    assert.equal(answer.status, 202, `the second server: ${answer.body}`);
    assert.match(answer.stderr, /169\.254\.169\.254\/cgi_bin\/queue: .*a link-local address/, 'the second server');
});

test('a redirect is followed nowhere: not to a file, not to a link-local address, not to this machine', async () => {
    const trap = await server((ask, reply) => reply.writeHead(200).end());
    for (const Location of ['file:///etc/passwd', 'http://169.254.169.254/latest/meta-data/', `http://127.0.0.1:${trap.port}/`]) {
        for (const status of [301, 302, 303, 307, 308]) {
            const behind = await server((ask, reply) => reply.writeHead(status, { Location }).end());
            place.write({ collaboration_url: `http://127.0.0.1:${behind.port}`, queue_url: `http://127.0.0.1:${behind.port}` });
            const answer = await place.run('form_submit', 'POST', { form, ...json });
            assert.equal(answer.status, 202, answer.body);
            assert.doesNotMatch(answer.body + answer.stderr, /root:x/);
            assert.equal(behind.calls.length, 1);
            await behind.close();
        }
    }
    assert.deepEqual(trap.calls, []);
    await trap.close();
});

test('no URL that a client sends is ever called', async () => {
    const trap = await server((ask, reply) => reply.writeHead(200).end()), url = `http://127.0.0.1:${trap.port}/`;
    const { id } = await schedule(base);
    await post(base, '/cgi_bin/form_submit', { ...form, page: url, question: url, email: 'a@127.0.0.1', language: 'en' }, json);
    for (const one of [url, 'file:///etc/passwd', 'http://169.254.169.254/'])
        await post(base, '/cgi_bin/queue', { action: 'put', url: one, conf: id, name: 'Ann', page: one });
    await get(base, '/cgi_bin/form_submit', {}, { headers: { Host: `127.0.0.1:${trap.port}`, Referer: url, Origin: url } });
    await sleep(1500); // a tick of everything that works later
    assert.deepEqual(trap.calls, []);
    await trap.close();
});

/* ── XML (CVE-2013-0339, CVE-2003-1564 and their family) ── */

const laughs = (levels) => `<!DOCTYPE l [<!ENTITY a0 "ha">${Array.from({ length: levels }, (_, i) =>
    `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')}]>`;
const good = (id) => `<conference type="reservationless" id="${id}"><access type="leader"><code>0000001</code></access>`
    + '<access type="participant"><code>0000000</code></access></conference>';
const wrongXml = (port) => [`${laughs(9)}${good('&a9;')}`, `${laughs(1)}${good('123456789012345server')}`,
    `<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>${good('&x;')}`,
    `<!DOCTYPE c [<!ENTITY x SYSTEM "http://127.0.0.1:${port}/entity">]>${good('&x;')}`,
    `<!DOCTYPE c SYSTEM "http://127.0.0.1:${port}/dtd">${good('123456789012345server')}`,
    `<!DOCTYPE c [<!ENTITY % p SYSTEM "http://127.0.0.1:${port}/parameter"> %p;]>${good('123456789012345server')}`,
    `<!DOCTYPE c PUBLIC "x" "http://127.0.0.1:${port}/public">${good('123456789012345server')}`,
    `<!DOCTYPE c [<!ENTITY x "${'x'.repeat(30000)}">]>${good('&x;'.repeat(5000))}`, good('&undeclared;'), good('&#0;'), good('&#xFFFFFFFF;'),
    '<a>'.repeat(20000), `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`, `<a ${Array.from({ length: 5000 }, (_, i) => `b${i}="1"`).join(' ')}/>`,
    good('1').repeat(2), `${good('x')}\0`, good('\xff\xfe'), '\ufeff', '', ' ', '<', '<?xml version="1.0" encoding="injected"?><a/>',
    '<?xml version="9.9"?><conference/>', Buffer.from(`\ufeff<!DOCTYPE c [<!ENTITY x "y">]>${good('&x;')}`, 'utf16le'),
    `<conference xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></conference>`,
    `<?xml-stylesheet href="http://127.0.0.1:${port}/xsl" type="text/xsl"?><conference/>`,
    `<conference xsi:schemaLocation="x http://127.0.0.1:${port}/xsd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>`,
    good('<injected/>'), good('"><injected'), 'x'.repeat(10 << 20)];

test('a document type, an entity, a bomb in the answer of a collaboration server: the form is kept, nothing is read or fetched', async () => {
    const trap = await server((ask, reply) => reply.writeHead(200).end('<!ENTITY y "z">'));
    let next;
    const behind = await server((ask, reply) => reply.writeHead(200, { 'Content-Type': 'application/xml' }).end(next));
    place.write({ collaboration_url: `http://127.0.0.1:${behind.port}`, queue_url: `http://127.0.0.1:${behind.port}` });
    for (next of wrongXml(trap.port)) {
        const answer = await place.run('form_submit', 'POST', { form, ...json }), what = next.toString('latin1', 0, 80).slice(0, 80);
        assert.equal(answer.status, 202, `${what}: ${answer.status} ${answer.body}`);
        assert.equal(answer.exit, 0, what);
        assert.doesNotMatch(answer.body + answer.stderr, /root:x:0|hahaha|<injected/, what);
    }
    assert.deepEqual(trap.calls, []);
    await trap.close();
    await behind.close();
});

/* ── programs of the same names elsewhere ── */

test('the shell of vcs?xsl= (BID 45537): no parameter is taken for a stylesheet, and none reaches a shell', async () => {
    const plain = await get(base, '/cgi_bin/vcs', { all_vanities: 'true' }), witness = path.join(instance.runDir, 'witness');
    const injected = ['/vcs/vcs_home.xsl%26id%26', '/vcs/vcs_home.xsl&id&', `/vcs/vcs_home.xsl;touch ${witness};`, `|touch ${witness}|`,
        `$(touch ${witness})`, `\`touch ${witness}\``, `\ntouch ${witness}\n`, 'withXsl', `${witness}`];
    for (const spelling of ['cgi_bin', 'cgi-bin']) {
        for (const name of ['xsl', 'xml', 'settings', 'all_vanities', 'call_data', 'template', 'lang']) {
            for (const value of injected) {
                const answer = await get(base, `/${spelling}/vcs`, { [name]: value });
                assert.ok(answer.body === plain.body || answer.status === 400, `${name}=${value}: ${answer.body}`);
                assert.doesNotMatch(answer.body, /uid=\d/);
            }
        }
    }
    assert.equal(fs.existsSync(witness), false);
});

test('the traversal of vcs_access_file.cgi (CVE-2020-11798): no such program, and files by their number alone', async () => {
    const up = ['../../etc/passwd', '../../../../../../etc/passwd', '..%2f..%2f..%2fetc%2fpasswd', '/etc/passwd', '....//....//etc/passwd'];
    for (const file of up) {
        for (const program of ['vcs_access_file.cgi', 'vcs_access_file', 'file_get', 'transcript', 'conf_view', 'vcs', 'status']) {
            for (const name of ['file', 'id', 'name', 'path', 'format', 'part', 'conf']) {
                const answer = await get(base, `/cgi_bin/${program}`, { [name]: file });
                assert.doesNotMatch(answer.body, /root:x:0/, `${program} ${name}=${file}`);
                if (program.startsWith('vcs_access')) assert.equal(answer.status, 404);
            }
            const answer = await get(base, `/cgi_bin/${program}/${file}`, {}, { rawPath: `/cgi_bin/${program}/${file}` });
            assert.doesNotMatch(answer.body, /root:x:0/);
        }
    }
    isError(await get(base, '/cgi_bin/file_get', { id: '../../etc/passwd' }), 'bad_parameter', 'id');
});

/* ── libfcgi (CVE-2025-23016) ── */

test('the build refuses a libfcgi with the hole', () => {
    const build = (version) => spawnSync('make', ['-n', '-s', `O=${place.folder}/build`, `FCGI_VERSION=${version}`,
        `${place.folder}/build/libfcgi-is-mended`], { cwd: tree, encoding: 'utf8' });
    const tools = path.join(place.folder, 'tools'); // all that the target needs, but not dpkg
    fs.mkdirSync(tools);
    for (const name of ['make', 'sh', 'mkdir', 'sort', 'head', 'touch']) {
        const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
        fs.symlinkSync(stdout.trim(), path.join(tools, name));
    }
    let runs = 0;
    const run = (version, PATH) => {
        const folder = `${place.folder}/build-${runs++}`; // make takes a colon in a target's name for its end
        return spawnSync('make', ['-s', `O=${folder}`, `FCGI_VERSION=${version}`, `${folder}/libfcgi-is-mended`],
            { cwd: tree, encoding: 'utf8', env: { ...process.env, PATH } });
    };
    assert.match(build('2.4.5').stdout, /CVE-2025-23016/, 'the target is the one that looks');
    const all = spawnSync('make', ['-n', '-s', `O=${place.folder}/build`, 'all'], { cwd: tree, encoding: 'utf8' });
    assert.match(all.stdout, /CVE-2025-23016[^]*-c lib\//, 'and the build asks it first');
    const mended = ['2.4.5', '2.4.6', '2.4.10', '2.5.0', '3.0', '2.4.2-2+deb12u1', '2.4.2-2+deb12u2', '2.4.2-2+deb12u10',
        '2.4.2-2+deb12u1+b1', '2.4.5-1', '2.4.5-0.1', '2.4.5-1ubuntu1', '2.4.6-1~bpo12+1', '2.4.5-1.fc41'];
    const holed = ['', '2.4.0', '2.4.2', '2.4.4', '2.4.2-2', '2.4.2-1+b1', '2.4.0-8.1', '2.4.2-2.1', '2.4.2-2.1build1', '2.4.2-3',
        '2.4.3-1', '2.4.4-1', '2.4.4-1+deb12u1', '2.4.2-2+deb12', '2.4.2-2+deb12u0', '2.4.2-2+deb11u1', '2.4.2-2+deb13u1',
        '2.4.5~rc1-1', '1:2.4.2-1', 'unknown'];
    for (const PATH of [process.env.PATH, tools]) {
        for (const version of mended) assert.equal(run(version, PATH).status, 0, version);
        for (const version of holed) {
            const ended = run(version, PATH);
            assert.notEqual(ended.status, 0, version);
            assert.match(ended.stderr, /has a hole \(CVE-2025-23016\)/);
        }
    }
});

test('lengths that overflow in libfcgi end the connection before libfcgi sees them, and no program dies', async () => {
    const record = (type, content) => Buffer.concat([Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
    const begin = record(1, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0]));
    for (const name of ['vcs', 'conf_poll', 'form_submit']) {
        const pids = instance.processes(name).map(({ pid }) => pid).sort();
        for (const lengths of ['ffffffffffffffff', '8000000080000000', 'fffffffe01', 'ffffffff', '7fffffffff', 'bfffffffbfffffff']) {
            const socket = net.connect(path.join(instance.runDir, 'sock', `${name}.sock`));
            socket.on('error', () => {});
            socket.write(Buffer.concat([begin, record(4, Buffer.concat([Buffer.from(lengths, 'hex'), Buffer.alloc(600, 'A')])),
                record(4, Buffer.alloc(0)), record(5, Buffer.alloc(0))]));
            const end = await new Promise((done) => {
                socket.once('close', () => done('closed')).on('data', () => {});
                setTimeout(() => done('still open'), 10000).unref();
            });
            assert.equal(end, 'closed', `${name} ${lengths}`);
        }
        assert.deepEqual(instance.processes(name).map(({ pid }) => pid).sort(), pids, `${name} lives`);
    }
});
