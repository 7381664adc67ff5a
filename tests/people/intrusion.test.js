/* Sessions that somebody else made up, pages in somebody else's frames, requests from somebody else's pages, and uploads that want
 * to be more than files. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, find, get, post, request } from '../lib/http.js';
import { sleep, startInstance, tree } from '../lib/instance.js';
import { accept, act, agentPoll, ask, readyAgent, say, sendFile, signIn, waitForOffer } from '../lib/people.js';
import { methodsOf, programNames } from '../lib/table.js';
import { basic, html, isError, json, room, schedule, setCookies } from '../lib/wire.js';

let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance?.stop());

const url = (name) => `/cgi_bin/${name}`;

/* ── sessions ── */

test('signing in makes a new session, whatever session or cookie came with it', async () => {
    const form = { login: 'anna', password: instance.password }, first = await signIn(instance, 'anna');
    const name = `rtcc${instance.port}_agent`, seen = new Set([first.token]);
    for (const cookie of [first.cookie, `${name}=a_${'x'.repeat(43)}`, `${name}=`, `${name}=chosen; ${name}=by-another`]) {
        const answer = await post(base, url('agent_sign'), form, { cookie, ...json });
        assert.equal(answer.status, 200, answer.body);
        const { token } = answer.json(), { value } = setCookies(answer)[name];
        assert.equal(seen.has(token), false, 'a session that was there before');
        assert.equal(value, token);
        seen.add(token);
    }
    isError(await get(base, url('agent_poll'), { wait: 0 }, { bearer: `a_${'x'.repeat(43)}` }), 'unauthorized');
});

test('signing out ends the session for every way in which it travels', async () => {
    const agent = await signIn(instance, 'ben');
    await agentPoll(instance, agent);
    assert.equal((await post(base, url('agent_sign'), { action: 'out', csrf: agent.csrf }, { cookie: agent.cookie, ...json })).status, 200);
    isError(await get(base, url('agent_poll'), { wait: 0 }, { cookie: agent.cookie }), 'unauthorized');
    isError(await get(base, url('agent_poll'), { wait: 0 }, { bearer: agent.token }), 'unauthorized');
    isError(await post(base, url('agent_act'), { action: 'ready', csrf: agent.csrf }, { cookie: agent.cookie, ...json }), 'unauthorized');
});

/* An agent in two browsers, in a room that is open in each of them, and a customer in another. */
async function openTwice() {
    const { customer: guest } = await room(base), asGuest = { conf: guest.conference, token: guest.token };
    const [[guestName, { value: guestValue }]] = Object.entries(setCookies(await get(base, url('conf_view'), asGuest, html)));
    const customer = await ask(instance), agent = await readyAgent(instance, 'ben'), other = await signIn(instance, 'ben');
    const staff = await accept(instance, agent, await waitForOffer(instance, agent, customer.conference));
    const open = await get(base, url('conf_view'), { conf: staff.conference, token: staff.token }, html);
    const [[name, { value }]] = Object.entries(setCookies(open)), browsers = [agent, other].map((one) => ({ ...one,
        cookie: `${one.cookie}; ${guestName}=${guestValue}; ${name}=${value}` }));
    const { csrf } = (await get(base, url('conf_poll'), { conf: staff.conference, wait: 0 }, { cookie: `${name}=${value}` })).json();
    return { staff, name, browsers, customer, csrf };
}

test('who signs out leaves no room open in his browser: not to read, not to write, not to a poll that waits', async () => {
    const { staff, name, browsers, customer, csrf } = await openTwice(), { conference: conf } = staff;
    const out = (browser) => post(base, url('agent_sign'), { action: 'out', csrf: browser.csrf }, { cookie: browser.cookie, ...json });
    const first = setCookies(await out(browsers[0]));
    assert.deepEqual(Object.keys(first).sort(), [name, `rtcc${instance.port}_agent`].sort(), 'its cookies are taken away, and nobody else\'s');
    assert.equal(first[name].value, '');
    const room = { cookie: browsers[1].cookie };
    assert.equal((await get(base, url('conf_poll'), { conf, wait: 0 }, room)).status, 200, 'he is still signed in at the other');
    const kept = { cookie: room.cookie.split('; ').find((one) => one.startsWith(name)) }; // whatever the browser does
    const { after } = (await get(base, url('conf_poll'), { conf, wait: 0 }, kept)).json();
    const waiting = get(base, url('conf_poll'), { conf, after, wait: 5 }, kept);
    await sleep(300);
    assert.equal((await out(browsers[1])).status, 200);
    await say(instance, customer, 'for nobody who has gone');
    isError(await waiting, 'unauthorized');
    isError(await get(base, url('conf_poll'), { conf, wait: 0 }, kept), 'unauthorized');
    for (const part of ['', 'log']) assert.equal((await get(base, url('conf_view'), { conf, part }, { ...kept, ...html })).status, 401, part);
    for (const kind of ['message', 'note'])
        isError(await post(base, url('conf_post'), { conf, kind, text: 'x', csrf }, { ...kept, ...json }), 'unauthorized');
    await act(instance, await signIn(instance, 'ben'), 'end', { conf });
});

test('every cookie of every program is HttpOnly, SameSite and for this host alone', async () => {
    const { customer } = await room(base), form = { login: 'anna', password: instance.password };
    const answers = [await post(base, url('agent_sign'), form, json),
        await get(base, url('conf_view'), { conf: customer.conference, token: customer.token }, html),
        await post(base, url('form_submit'), { name: 'Ann', phone: '6035551234' }, html),
        await get(base, url('vcs_call'), { action: 'add', call_callid: customer.conference, token: customer.token }, html)];
    const cookies = answers.flatMap((answer) => Object.entries(setCookies(answer)));
    assert.ok(cookies.length >= 2);
    for (const [name, { flags }] of cookies) {
        for (const flag of ['httponly', 'samesite=lax', 'path=/']) assert.ok(flags.includes(flag), `${name}: ${flag}`);
        assert.ok(!flags.some((flag) => flag.startsWith('domain')), name);
    }
});

/* ── other sites ── */

const cannotBeFramed = (answer, what) => assert.match(answer.headers['content-security-policy'], /frame-ancestors 'self'(;|$)/, what);

test('no page can be framed by another site, errors and what the web server itself answers included', async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    for (const program of programNames) {
        const method = methodsOf(program)[0];
        cannotBeFramed(await request(base, method, url(program), { query: { conf, token, wait: 0 }, ...html }), program);
        cannotBeFramed(await request(base, method, url(program), { query: { after: 'x', conf: 'x' }, ...html }), `${program}, an error`);
        cannotBeFramed(await request(base, 'PUT', url(program), html), `${program}, another method`);
    }
    const pages = fs.readdirSync(path.join(tree, 'htdocs')).filter((name) => name.endsWith('.html'));
    assert.ok(pages.length >= 3);
    for (const target of ['/', '/nothing', '/cgi_bin/nothing', ...pages.map((name) => `/${name}`)])
        cannotBeFramed(await get(base, target, {}, html), target);
});

test('a request from another site is not answered to it, and does nothing with a cookie alone', async () => {
    const agent = await signIn(instance, 'anna'), from = { Origin: 'http://evil.example', Referer: 'http://evil.example/',
        'Sec-Fetch-Site': 'cross-site' };
    const before = (await agentPoll(instance, agent)).agent.state;
    for (const program of programNames.filter((name) => methodsOf(name).includes('POST'))) {
        for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=b']) {
            const answer = await request(base, 'POST', url(program), { type, body: 'action=ready&login=x&conf=x', headers: from,
                cookie: agent.cookie, ...json });
            assert.ok(answer.status >= 400 && answer.status < 500, `${program} ${type}: ${answer.status} ${answer.body}`);
            assert.deepEqual(Object.keys(answer.headers).filter((one) => one.startsWith('access-control')), [], program);
        }
    }
    assert.equal((await agentPoll(instance, agent)).agent.state, before);
});

/* What a browser says of a page of another site: over https and to localhost all of it, to other hosts without https no Sec-Fetch. */
const foreignWays = [{ Origin: 'http://evil.example', Referer: 'http://evil.example/', 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'http://evil.example' }, { Origin: 'null' }, { Referer: 'http://evil.example/x' }];
const ourWays = () => [{}, { Origin: base }, { Referer: `${base}/agent.html` }, { 'Sec-Fetch-Site': 'same-origin', Origin: base },
    { 'Sec-Fetch-Site': 'none' }];

test('what another site writes with the cookie of a conversation is not said', async () => {
    const { customer } = await room(base), { conference: conf, token } = customer;
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf, token }, html)), file = { name: 'a', type: 'text/plain', data: 'x' };
    const events = async () => (await get(base, url('conf_poll'), { conf, token })).json().events, before = await events();
    const forms = [['conf_post', { conf, kind: 'message', text: 'forged' }], ['conf_post', { conf, kind: 'leave' }],
        ['file_put', { conf, nonce: 'f', file }]];
    for (const headers of foreignWays) {
        for (const [name, form] of forms) {
            for (const csrf of [{}, { csrf: 'x' }]) {
                const body = form.file ? { multipart: { ...form, ...csrf } } : { form: { ...form, ...csrf } };
                isError(await request(base, 'POST', url(name), { ...body, cookie, headers, ...json }), 'forbidden', 'csrf');
            }
        }
    }
    assert.deepEqual(await events(), before);
    const { csrf } = (await get(base, url('conf_poll'), { conf }, { cookie })).json();
    assert.equal((await post(base, url('conf_post'), { ...forms[0][1], csrf }, { cookie, ...json })).status, 200, 'the cookie is right');
});

test('another site cannot sign somebody in; a page of ours and a program can', async () => {
    const form = { login: 'anna', password: instance.password };
    for (const headers of foreignWays) {
        for (const accept of [json, html]) {
            const answer = await post(base, url('agent_sign'), form, { headers, ...accept });
            assert.equal(answer.status, 403, `${JSON.stringify(headers)}: ${answer.body}`);
            assert.deepEqual(setCookies(answer), {});
        }
        isError(await post(base, url('agent_sign'), form, { headers, ...json }), 'forbidden', null);
    }
    for (const headers of ourWays()) {
        const answer = await post(base, url('agent_sign'), form, { headers, ...html });
        assert.equal(answer.status, 303, `${JSON.stringify(headers)}: ${answer.body}`);
    }
});

test('a link on another site schedules and ends nothing in the session of who follows it, nor by a password that his browser knows',
    async () => {
        const agent = await signIn(instance, 'sam'), { leader, id } = await schedule(base, {}, { bearer: agent.token });
        const list = async () => find((await get(base, url('vcs'), {}, { bearer: agent.token })).xml(), 'conference')
            .map((one) => one.attributes.id);
        const { Authorization } = basic('sam', instance.password).headers;
        const links = [['vcs_conf_schedule', { subject: 'lured' }], ['vcs_conf_schedule', { mod_vanity: leader, subject: 'lured' }],
            ['vcs_conf_delete', { delete_vanity: leader }]];
        for (const way of foreignWays) {
            for (const [name, query] of links) {
                isError(await get(base, url(name), query, { cookie: agent.cookie, headers: way, ...json }), 'forbidden', null);
                isError(await post(base, url(name), { ...query, csrf: agent.csrf }, { cookie: agent.cookie, headers: way, ...json }),
                    'forbidden', null);
                isError(await get(base, url(name), query, { headers: { ...way, Authorization }, ...json }), 'forbidden', null);
            }
        }
        assert.deepEqual(await list(), [id]);
        for (const way of ourWays()) {
            const made = await schedule(base, {}, { cookie: agent.cookie, headers: way });
            assert.equal((await get(base, url('vcs_conf_delete'), { delete_vanity: made.leader }, { cookie: agent.cookie, headers: way }))
                .status, 200, JSON.stringify(way));
        }
        assert.deepEqual(await list(), [id]);
    });

/* ── uploads ── */

const listed = (folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).map((one) =>
    path.join(one.parentPath ?? one.path, one.name)).filter((one) => fs.statSync(one).isFile());

const hostile = [['../../../htdocs/evil.html', 'text/html', '<script>injected()</script>'],
    ['/etc/cron.d/x', 'text/plain', '* * * * * root id'],
    ['..\\..\\x.exe', 'application/x-msdownload', 'MZ'], ['vcs', 'application/x-executable', '#!/bin/sh\nid\n'],
    ['x.cgi', 'application/x-sh', '#!/bin/sh\nid\n'], ['.htaccess', 'text/plain', 'Options +ExecCGI'],
    ['x.php', 'application/x-php', '<?php id();'],
    ['x.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" onload="injected()"/>'],
    ['x.html', 'image/png', '<script>injected()</script>'],
    ['x.png', 'text/html', '\x89PNG\r\n\x1a\n<script>injected()</script>'], ['x.pdf', 'application/pdf', '<html><script>injected()</script>'],
    ['x.js', 'text/javascript', 'injected()'], ['x.xml', 'text/xml', '<?xml-stylesheet href="javascript:injected()"?><x/>'],
    ['a\r\nX-Injected: 1', 'text/plain', 'x'], ['a"; filename="b', 'text/plain', 'x'], ['con', 'text/html\r\nX-Injected: 1', 'x'], ['.', 'a', 'x'],
    ['..', 'a', 'x'], ['', 'text/html', '<b>x</b>'], [`${'x'.repeat(300)}.html`, 'text/html', '<b>x</b>']];

test('uploads stay in their folder, cannot be run, and are given back as files and nothing else', async () => {
    const customer = await ask(instance), folder = path.join(instance.runDir, 'state/files');
    const others = () => listed(instance.runDir).filter((one) =>
        !one.startsWith(`${folder}/`) && !/\.(log|db|db-wal|db-shm)$|bell/.test(one)).sort();
    const before = others(), pages = listed(path.join(tree, 'htdocs')).sort();
    for (const [name, type, data] of hostile) {
        const multipart = { conf: customer.conference, token: customer.token, file: { name, type, data: Buffer.from(data, 'latin1') } };
        const put = await request(base, 'POST', url('file_put'), { multipart, ...json }), what = JSON.stringify(name.slice(0, 40));
        assert.ok([200, 400].includes(put.status), `${what}: ${put.status} ${put.body}`);
        if (put.status !== 200) continue;
        const got = await get(base, url('file_get'), { id: put.json().file, token: customer.token }, { headers: { Accept: 'text/html' } });
        assert.deepEqual(got.bytes, Buffer.from(data, 'latin1'), what);
        assert.doesNotMatch(got.headers['content-type'], /html|svg|xml|script|php|msdownload|executable/, what);
        if (!/^(image\/(png|jpeg|gif|webp)|application\/pdf|audio|video)/.test(got.headers['content-type']))
            assert.match(got.headers['content-disposition'], /^attachment/, what);
        assert.equal(got.headers['x-content-type-options'], 'nosniff', what);
        assert.equal(got.headers['x-injected'], undefined, what);
        assert.match(got.headers['content-security-policy'], /script-src 'self'|sandbox/, what);
    }
    const files = listed(folder);
    assert.ok(files.length >= 10, `${files.length} files`);
    for (const file of files) {
        assert.equal(fs.statSync(file).mode & 0o177, 0, `${file} is read and written by its owner, and run by nobody`);
        assert.match(path.relative(folder, file), /^[\w/-]+$/, 'a name of our own');
    }
    assert.deepEqual(others(), before, 'nothing new anywhere else');
    assert.deepEqual(listed(path.join(tree, 'htdocs')).sort(), pages);
});

test('no address leads to an upload, a database, a key or a log', async () => {
    const customer = await ask(instance), { file } = await sendFile(instance, customer, 'x.txt', 'text/plain', 'findme');
    const names = listed(path.join(instance.runDir, 'state')).map((one) => path.relative(instance.runDir, one));
    for (const name of [...names, 'rtcc.conf', 'nginx.conf', 'log/rtcc.log', 'log/access.log', 'passwords', `files/${file}`, String(file)]) {
        for (const rawPath of [`/${name}`, `/../${name}`, `/%2e%2e/${name}`, `/cgi_bin/../../${name}`,
            `/cgi_bin/file_get/../../${name}`, `/js/..%2f..%2f${name}`]) {
            const answer = await get(base, '/', {}, { rawPath });
            assert.ok(answer.status >= 400 && answer.status < 500, `${rawPath}: ${answer.status}`);
            assert.doesNotMatch(answer.body, /findme|SQLite format/);
        }
    }
});

test('a cookie of one conference opens no other', async () => {
    const one = (await room(base)).customer, other = (await room(base)).customer;
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf: one.conference, token: one.token }, html));
    assert.equal((await get(base, url('conf_poll'), { conf: one.conference, wait: 0 }, { cookie })).status, 200);
    isError(await get(base, url('conf_poll'), { conf: other.conference, wait: 0 }, { cookie }), 'unauthorized');
});
