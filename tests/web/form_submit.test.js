/* form_submit: the application server: the form, its faults, what comes of it, and what happens while a server behind it is
 * down. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post, request } from '../lib/http.js';
import { freePort, holdDatabase, startInstance, until } from '../lib/instance.js';
import { allEvents, ask, confPoll, waitForOffer } from '../lib/people.js';
import { html, isError, isErrorPage, json, onDuty, only } from '../lib/wire.js';

const url = '/cgi_bin/form_submit';
const good = { name: 'Ann', phone: '+16035551234' };
let instance, base, lonely, behind;

before(async () => {
    const settings = { topics: 'Orders,Returns & refunds', phone_number: '+1 603 555 0100', site_name: 'Acme' };
    behind = await freePort();
    [instance, lonely] = await Promise.all([startInstance({ settings }),
        startInstance({ settings: { phone_number: '+1 603 555 0100',
        collaboration_url: `http://127.0.0.1:${behind}`, queue_url: `http://127.0.0.1:${behind}` } })]);
    ({ base } = instance);
});
after(() => Promise.all([instance.stop(), lonely.stop()]));

const count = (one, table) => Number(execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000',
    path.join(one.runDir, 'state/rtcc.db'), `SELECT count(*) FROM ${table}`], { encoding: 'utf8' }));
const change = (one, sql) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(one.runDir, 'state/rtcc.db'), sql]);
const reqidOf = (page) => /name="reqid" value="([^"]+)"/.exec(page.body)[1];
const valueOf = (page, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.body)?.[1];
const decoded = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

/* ── the form ── */

test('GET shows the form with a fresh reqid, in a window of its own', async () => {
    const one = await get(base, url, {}, html), two = await get(base, url);
    for (const page of [one, two]) {
        assert.equal(page.status, 200);
        assert.match(page.headers['content-type'], /^text\/html/);
        for (const name of ['name', 'phone', 'question', 'topic', 'email']) assert.match(page.body, new RegExp(`name="${name}"`),
            name);
        assert.match(page.body, /<form [^>]*method="post" action="\/cgi_bin\/form_submit" target="[^_"][^"]*"/);
        assert.match(reqidOf(page), /^[\w-]{16,64}$/);
    }
    assert.notEqual(reqidOf(one), reqidOf(two));
    assert.deepEqual([...one.body.matchAll(/<option[^>]*>([^<]+)/g)].map(([, text]) => decoded(text)).slice(1), ['Orders',
        'Returns & refunds']);
});

test('the number to call is shown as it is written, and dialled without its blanks', async () => {
    assert.match((await get(base, url)).body, /<a href="tel:[+]16035550100">[+]1 603 555 0100<\/a>/);
});

test('by default name and phone are required, and nothing else', async () => {
    const page = (await get(base, url)).body;
    for (const name of ['name', 'phone', 'question', 'topic', 'email']) {
        const field = new RegExp(`<(?:input|textarea|select)[^>]* name="${name}"[^>]*>`).exec(page)[0];
        assert.equal(/ required/.test(field), name === 'name' || name === 'phone', name);
    }
    assert.equal((await post(base, url, good, json)).status, 200);
    isError(await post(base, url, { phone: good.phone }, json), 'bad_parameter', 'name');
    isError(await post(base, url, { name: 'Ann' }, json), 'bad_parameter', 'phone');
});

/* ── what comes of it ── */

test('JSON: the conference, the token, the window, the place in the queue', async () => {
    const before = count(instance, "invitation WHERE state IN ('queued', 'offered')");
    const answer = await post(base, url, { ...good, question: 'Why?' }, json);
    assert.equal(answer.status, 200);
    const { conference, token, window, queue } = answer.json();
    assert.match(conference, /^\d{15}server$/);
    assert.match(token, /^m_/);
    assert.equal(window, `${base}/cgi_bin/conf_view?conf=${conference}&token=${token}`);
    assert.deepEqual(only(queue, 'position', 'wait_s'), { position: before + 1, wait_s: null },
        'null: nobody was ever served here');
    const { state, events } = await confPoll(instance, { conference, token });
    assert.equal(state, 'waiting');
    assert.deepEqual(events.filter((one) => one.kind === 'message').map((one) => [one.text, one.from.role, one.from.name]),
        [['Why?', 'customer', 'Ann']]);
});

test('whoever names no form gets JSON', async () => {
    for (const options of [{}, { accept: '*/*' }]) {
        assert.match((await post(base, url, good, options)).json().window, /conf_view/);
        assert.equal(isError(await post(base, url, {}, options), 'bad_parameter', 'name').form, 'json');
    }
});

test("a browser is sent to the conference's window with 303", async () => {
    for (const options of [html, { accept: 'text/html' }]) {
        const answer = await post(base, url, good, options);
        assert.equal(answer.status, 303);
        const window = new URL(answer.headers.location, base);
        assert.equal(window.pathname, '/cgi_bin/conf_view');
        assert.equal(window.host, new URL(base).host);
        assert.match(window.searchParams.get('token'), /^m_/);
    }
});

test('what the customer entered comes to the agent, every field of it', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    const fields = { name: 'Änn <b>', phone: '(603) 555-1234', question: 'line one\nline two', topic: 'Returns & refunds',
        email: 'ann@example.com', language: 'de-AT', page: 'https://shop.example/cart?x=1&y=2', consent: 'yes' };
    const customer = (await post(base, url, fields, json)).json(), offer = await waitForOffer(instance, agent,
        customer.conference);
    assert.deepEqual(only(offer.customer, 'name', 'phone', 'email', 'language', 'page'), { name: fields.name,
        phone: '+16035551234',
        email: fields.email, language: 'de-AT', page: fields.page });
    assert.equal(offer.topic, fields.topic);
    assert.match(offer.subject, /line one/);
    assert.equal(offer.history.find((one) => one.kind === 'message').text, fields.question);
});

test("the language is the browser's where the form names none", async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    const customer = (await post(base, url, good, { ...json, headers: { 'Accept-Language': 'fr-CA,fr;q=0.9' } })).json();
    assert.equal((await waitForOffer(instance, agent, customer.conference)).customer.language, 'fr-CA');
});

test('multipart is taken too', async () => {
    assert.equal((await request(base, 'POST', url, { multipart: { ...good, question: 'größer?' }, ...json })).status, 200);
});

/* ── bad entries ── */

const faults = [['name', '', /name/], ['name', '   ', /name/], ['name', '\u00a0', /name/],
    ['name', ' \u2003\u200b\u3000\ufeff', /name/], ['name', 'x'.repeat(101), /100/], ['name', 'two\nlines', /line/],
    ['phone', '', /phone/], ['phone', 'abc', /phone/], ['phone', '12', /phone/], ['phone', `+1${'2'.repeat(20)}`,
        /phone|characters/],
    ['phone', '+0123456789', /phone/], ['question', 'x'.repeat(4001), /4,?000/], ['question', '<'.repeat(20000), /4,?000/],
    ['topic', 'x'.repeat(101), /100/], ['email', 'no address', /e-mail/], ['email', `${'x'.repeat(250)}@example.com`, /254/]];

test('bad entries are 400, and the form again with the entries kept and the fault beside its field', async () => {
    for (const [name, value, sentence] of faults) {
        const entries = { ...good, question: 'kept & <safe>', reqid: 'kept-reqid', page: '/shop', [name]: value };
        const page = await post(base, url, entries, html);
        assert.equal(page.status, 400, name);
        const fault = new RegExp(`id="${name}-fault"[^>]*>([^<]+)<`).exec(page.body);
        assert.ok(fault, `${name}: its fault is beside the field`);
        assert.match(fault[1], sentence);
        const field = new RegExp(`<(?:input|textarea|select)[^>]* name="${name}"[^>]*>`).exec(page.body)[0];
        assert.match(field, /aria-invalid="true"/);
        assert.equal(page.body.match(/aria-invalid="true"/g).length, 1, 'only that one');
        assert.equal(reqidOf(page), 'kept-reqid');
        assert.equal(valueOf(page, 'page'), '/shop');
        if (name !== 'name') assert.equal(valueOf(page, 'name'), 'Ann');
        if (name !== 'question') assert.match(decoded(page.body), /<textarea[^>]*>\s*kept & <safe><\/textarea>/);
        if (name === 'email' || name === 'phone') assert.equal(decoded(valueOf(page, name)), value);
        assert.match(page.body, /target="_self"/, 'the answer stays in the window');
        isError(await post(base, url, entries, json), 'bad_parameter', name);
    }
});

test('a very long question comes back whole, and a long address that he came from is cut', async () => {
    const question = 'so long & '.repeat(10000).trim();
    const page = await post(base, url, { ...good, question }, html);
    assert.equal(page.status, 400);
    assert.equal(/<textarea[^>]*>\n([^<]*)<\/textarea>/.exec(decoded(page.body))[1], question);
    const address = `https://shop.example/?${'ä'.repeat(3000)}`;
    assert.equal((await post(base, url, { ...good, page: address }, html)).status, 303);
    assert.equal(valueOf(await post(base, url, { ...good, name: '', page: address }, html), 'page'), address.slice(0, 2000));
});

test('several faults are told at once', async () => {
    const page = await post(base, url, { name: '', phone: 'x', email: 'x' }, html);
    for (const name of ['name', 'phone', 'email']) assert.match(page.body, new RegExp(`id="${name}-fault"[^>]*>[^<]+<`));
    assert.equal((page.body.match(/<li><a href="#/g) ?? []).length, 3, 'and listed above the form');
});

test('nothing is kept of bad entries, and the corrected form with the same reqid is taken', async () => {
    const before = count(instance, 'request'), reqid = 'corrected';
    assert.equal((await post(base, url, { ...good, phone: 'x', reqid }, html)).status, 400);
    assert.equal(count(instance, 'request'), before);
    assert.equal((await post(base, url, { ...good, reqid }, html)).status, 303);
});

test('the limits of the contract are taken to the last character', async () => {
    const fields = { name: '漢'.repeat(100), phone: '+123456789012345', question: 'ß'.repeat(4000), topic: 't'.repeat(100),
        email: `${'x'.repeat(60)}@${'y'.repeat(180)}.example`, reqid: 'r'.repeat(64) };
    assert.equal((await post(base, url, fields, json)).status, 200);
    assert.equal((await post(base, url, { ...good, name: 'x' }, json)).status, 200, 'one character is a name');
    isError(await post(base, url, { ...good, reqid: 'r'.repeat(65) }, json), 'bad_parameter', 'reqid');
});

test('phone numbers are taken as people write them', async () => {
    for (const phone of ['+1 603 555 1234', '603-555-1234', '(603) 555.1234', '001 603 555 1234', '+44 (20) 7946 0958']) {
        assert.equal((await post(base, url, { ...good, phone }, json)).status, 200, phone);
    }
});

test('a form that cannot even be kept comes back with its entries', async () => {
    const letGo = await holdDatabase(path.join(instance.runDir, 'state'));
    try {
        const page = await post(base, url, { ...good, question: 'Not lost', reqid: 'locked' }, html);
        assert.equal(page.status, 503);
        assert.match(page.headers['retry-after'], /^[1-9]\d*$/);
        assert.match(page.body, /role="alert"[^>]*>\s*<h2>[^<]+<\/h2>\s*<p>[^<]+<\/p>/);
        assert.deepEqual([valueOf(page, 'name'), valueOf(page, 'phone'), reqidOf(page)], ['Ann', good.phone, 'locked']);
        assert.match(page.body, /<textarea[^>]*>\s*Not lost<\/textarea>/);
    } finally {
        await letGo();
    }
    assert.equal((await post(base, url, { ...good, question: 'Not lost', reqid: 'locked' }, html)).status, 303);
});

/* ── the same again ── */

test('the same reqid with the same entries is the same answer', async () => {
    const form = { ...good, question: 'Twice?', reqid: 'twice' };
    const one = await post(base, url, form, json), two = await post(base, url, form, json);
    assert.equal(two.body, one.body);
    const page = await post(base, url, form, html);
    assert.equal(new URL(page.headers.location, base).searchParams.get('token'), one.json().token);
    const events = await allEvents(instance, one.json());
    assert.deepEqual(events.map((one) => one.kind).sort(), ['joined', 'message', 'queue'], 'once each');
});

test('the same reqid from ten at once is one conference, one invitation, one customer', async () => {
    const before = ['conference', 'invitation', 'member'].map((table) => count(instance, table));
    const form = { ...good, question: 'Ten times?', reqid: 'ten at once' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(base, url, form, json)));
    assert.deepEqual(answers.map((one) => one.status), Array(10).fill(200));
    const { conference, token } = answers[0].json();
    for (const answer of answers) assert.deepEqual([answer.json().conference, answer.json().token], [conference, token]);
    assert.deepEqual(['conference', 'invitation', 'member'].map((table) => count(instance, table)), before.map((one) => one + 1));
});

test('the same reqid with other entries is 409', async () => {
    const form = { ...good, question: 'One', reqid: 'other entries' };
    const first = await post(base, url, form, json);
    for (const change of [{ name: 'Bob' }, { phone: '+16035550000' }, { question: 'Two' }, { topic: 'Orders' },
        { email: 'a@example.com' }]) {
        isError(await post(base, url, { ...form, ...change }, json), 'conflict', 'reqid');
    }
    const page = await post(base, url, { ...form, name: 'Bob' }, html);
    assert.equal(page.status, 409);
    assert.match(page.body, /role="alert"[^>]*>\s*<h2>[^<]+<\/h2>\s*<p>You changed an entry/);
    assert.match(page.body, /target="_self"/);
    assert.deepEqual([valueOf(page, 'name'), valueOf(page, 'phone')], ['Bob', good.phone], 'the entries are kept');
    assert.match(page.body, /<textarea[^>]*>\s*One<\/textarea>/);
    const again = await post(base, url, { ...form, name: 'Bob', reqid: reqidOf(page) }, html);
    assert.equal(again.status, 303, 'sent once more, it is taken');
    assert.equal((await post(base, url, form, json)).json().token, first.json().token);
});

test('the page of a 409 leads back into the conversation, but only the browser that has been in it', async () => {
    const form = { ...good, question: 'One', reqid: 'the way back' }, changed = { ...form, name: 'Bob' };
    const { conference, token, window } = (await post(base, url, form, json)).json();
    const cookie = cookiesOf(await get(base, new URL(window).pathname + new URL(window).search, {}, html));
    assert.match(cookie, /=m_/);
    const own = await post(base, url, changed, { ...html, cookie });
    assert.equal(own.status, 409);
    assert.match(own.body, new RegExp(`<a href="/cgi_bin/conf_view\\?conf=${conference}" target="_self">Go back`));
    assert.ok(!own.body.includes(token), 'without its token');
    const room = await get(base, `/cgi_bin/conf_view?conf=${conference}`, {}, { ...html, cookie });
    assert.equal(room.status, 200);
    const other = (await post(base, url, { ...good, reqid: 'another one' }, json)).json();
    for (const wrong of [undefined, cookie.replace(/=m_.*/, `=${other.token}`), cookie.replace(/=m_.*/, '=m_1'),
        cookie.replace(/=m_.*/, '=')]) {
        const page = await post(base, url, changed, { ...html, ...wrong ? { cookie: wrong } : {} });
        assert.equal(page.status, 409);
        assert.ok(!page.body.includes(conference.slice(0, 15)), 'others do not learn which it is');
        assert.match(page.body, /You changed an entry.*Back button may lead there/s);
    }
});

test('without a reqid it is always a new conference', async () => {
    const one = (await post(base, url, good, json)).json(), two = (await post(base, url, good, json)).json();
    assert.notEqual(one.conference, two.conference);
    const three = (await post(base, url, { ...good, reqid: '' }, json)).json();
    assert.ok(![one.conference, two.conference].includes(three.conference));
});

test('position is the place in the queue, and wait_s is known once people were served', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    for (let i = 0; i < 2; i++) {
        const customer = await ask(instance), offer = await waitForOffer(instance, agent, customer.conference);
        await post(base, '/cgi_bin/agent_act', { action: 'accept', reservation: offer.reservation }, { bearer: agent.token });
        await post(base, '/cgi_bin/agent_act', { action: 'end', conf: customer.conference }, { bearer: agent.token });
    }
    await post(base, '/cgi_bin/agent_act', { action: 'notready' }, { bearer: agent.token });
    const ahead = (await get(base, '/cgi_bin/queue', { action: 'list' })).json().invitations.length, places = [];
    for (let i = 0; i < 3; i++) places.push((await ask(instance)).queue);
    assert.deepEqual(places.map((one) => one.position), [ahead + 1, ahead + 2, ahead + 3]);
    assert.ok(places.every((one) => Number.isSafeInteger(one.wait_s) && one.wait_s >= 0), JSON.stringify(places));
});

/* ── a server behind it is down ── */

/* The collaboration and the queuing server, back again: hands everything over to the instance itself. What was asked is kept in
 * `calls`; a program whose name is in `broken` answers 503. */
async function comeBack(broken = new Set()) {
    const calls = [];
    const server = http.createServer(async (ask, answer) => {
        const chunks = [];
        for await (const chunk of ask) chunks.push(chunk);
        const body = Buffer.concat(chunks), program = new URL(ask.url, 'http://x').pathname.split('/').pop();
        calls.push({ program, method: ask.method, headers: ask.headers, port: ask.socket.remotePort,
            fields: Object.fromEntries(new URLSearchParams(body.toString())) });
        if (broken.has(program)) {
            answer.writeHead(503).end();
            return;
        }
        const on = http.request({ host: '127.0.0.1', port: lonely.port, path: ask.url, method: ask.method, headers: ask.headers },
            (got) => { answer.writeHead(got.statusCode, got.headers); got.pipe(answer); });
        on.on('error', () => answer.destroy());
        on.end(body);
    });
    await new Promise((done) => server.listen(behind, '127.0.0.1', done));
    return { calls, stop: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }) };
}

test('while a server behind it is down the request is kept, and the customer is told where he can call', async () => {
    const asked = await post(lonely.base, url, { ...good, reqid: 'kept as json' }, json);
    assert.equal(asked.status, 202);
    assert.match(asked.headers['retry-after'], /^\d+$/);
    assert.equal(asked.json().state, 'kept');
    const page = await post(lonely.base, url, { ...good, question: 'Is anybody there?', reqid: 'kept as page' }, html);
    assert.equal(page.status, 202);
    assert.match(page.body, /<a href="tel:[+]16035550100">[+]1 603 555 0100<\/a>/, 'the number to call');
    assert.match(page.body, /http-equiv="refresh"/, 'it updates itself, without JavaScript too');
    assert.match(page.body, /kept/);
    assert.equal(count(lonely, 'request'), 2);
    const again = decoded(/http-equiv="refresh" content="\d+;url=([^"]+)"/.exec(page.body)[1]);
    assert.equal((await get(lonely.base, again, {}, html)).status, 202, 'still down');
    assert.equal((await post(lonely.base, url, { ...good, reqid: 'kept as json' }, json)).status, 202,
        'the same again is kept once');
    assert.equal(count(lonely, 'request'), 2);
    isError(await post(lonely.base, url, { ...good, name: 'Bob', reqid: 'kept as json' }, json), 'conflict', 'reqid');
});

test('the address of a kept form cannot be guessed from its reqid', async () => {
    for (const again of ['kept%20as%20page', 'x.kept%20as%20page', '.kept%20as%20page', 'x', '']) {
        const answer = await get(lonely.base, `${url}?again=${again}`, {}, json);
        assert.ok([404, 200].includes(answer.status));
        assert.doesNotMatch(answer.body, /m_\d/);
        if (again) isError(answer, 'not_found');
    }
});

test('when the servers are back the kept request is finished by itself, and the page goes on to the conference', async () => {
    const page = await post(lonely.base, url, { ...good, question: 'Is anybody there?', reqid: 'kept as page' }, html);
    const again = decoded(/http-equiv="refresh" content="\d+;url=([^"]+)"/.exec(page.body)[1]);
    const server = await comeBack();
    try {
        await until(() => count(lonely, 'request WHERE is_done = 1') === 2, 'both are finished without anybody asking', 25000,
            200);
        assert.equal(count(lonely, 'conference'), 2);
        assert.equal(count(lonely, "invitation WHERE state = 'queued'"), 2);
        assert.equal(count(lonely, 'job'), 0);
        const answer = await get(lonely.base, again, {}, html);
        assert.equal(answer.status, 303);
        const window = new URL(answer.headers.location, lonely.base), token = window.searchParams.get('token');
        const events = await allEvents(lonely, { conference: window.searchParams.get('conf'), token });
        assert.deepEqual(events.filter((one) => one.kind === 'message').map((one) => one.text), ['Is anybody there?']);
        assert.equal((await post(lonely.base, url, { ...good, reqid: 'kept as json' }, json)).status, 200);
        assert.equal(count(lonely, 'conference'), 2, 'nothing is doubled');
    } finally {
        await server.stop();
    }
});

test('kept forms, and who comes when all is well again, stand in the order in which they were sent, whoever asks first', async () => {
    const names = ['K1', 'K2', 'K3', 'K4', 'K5'], kept = [];
    for (const name of names) {
        const answer = await post(lonely.base, url, { ...good, name }, json);
        assert.equal(answer.status, 202);
        kept.push(answer.json().again);
        change(lonely, 'UPDATE request SET boot_ms = boot_ms - 1000 WHERE is_done = 0'); // a second goes by
    }
    const server = await comeBack();
    try {
        const rooms = [(await post(lonely.base, url, { ...good, name: 'New' }, json)).json().conference];
        for (const again of kept.reverse()) {
            rooms.unshift((await get(lonely.base, again, {}, json)).json().conference);
            assert.equal(count(lonely, `job WHERE due_at > ${Date.now()}`), 0, 'nobody waits for his next try any more');
        }
        const { invitations } = (await get(lonely.base, '/cgi_bin/queue', { action: 'list' })).json();
        assert.deepEqual(invitations.map((one) => one.conference).filter((one) => rooms.includes(one)), rooms);
        assert.deepEqual(invitations.map((one) => one.position), invitations.map((one, i) => i + 1));
    } finally {
        await server.stop();
    }
});

test('characters that nobody sees, as a page in another code has them, keep no form from its room', async () => {
    const server = await comeBack();
    try {
        for (const control of ['\u0001', '\u007f', '\u0085', '\u0096', '\u009f', '\t', '\r\n', '\u2028', '\ufeff']) {
            const answer = await post(lonely.base, url, { ...good, question: `10${control}20` }, json);
            assert.equal(answer.status, 200, `${JSON.stringify(control)}: ${answer.body}`);
        }
    } finally {
        await server.stop();
    }
});

test('it schedules, queues and joins, in this order, over HTTP with its own key and one kept connection', async () => {
    const server = await comeBack(), question = 'What is it that you do?';
    try {
        const answer = await post(lonely.base, url, { ...good, question, topic: 'Orders', language: 'en', reqid: 'recorded' }, json);
        assert.equal(answer.status, 200, answer.body);
        const { conference } = answer.json(), [schedule, queue, call] = server.calls;
        assert.deepEqual(server.calls.map((one) => [one.method, one.program]),
            [['POST', 'vcs_conf_schedule'], ['POST', 'queue'], ['POST', 'vcs_call']]);
        assert.equal(new Set(server.calls.map((one) => one.port)).size, 1, 'one connection');
        const key = fs.readFileSync(path.join(lonely.runDir, 'state/service.key'), 'utf8').trim();
        for (const { headers, fields } of server.calls) {
            assert.equal(headers.authorization, `Bearer ${key}`);
            assert.match(headers.accept, /xml/);
            assert.equal(fields.reqid, 'recorded', 'each can be repeated');
        }
        assert.deepEqual(only(schedule.fields, 'conf_type', 'subject'), { conf_type: 'reservationless', subject: question });
        assert.deepEqual(only(queue.fields, 'action', 'conf', 'name', 'phone', 'topic', 'language'), { action: 'put', conf: conference,
            name: 'Ann', phone: '+16035551234', topic: 'Orders', language: 'en' });
        const [, invited] = /\/cgi_bin\/vcs_call\?action=add&&vanity=(\d{7})&call_callid=\d{15}server$/.exec(queue.fields.url);
        assert.equal(Number(invited) % 2, 1, "the agent is invited with the leader's code");
        assert.deepEqual(only(call.fields, 'action', 'call_callid', 'name'), { action: 'add', call_callid: conference, name: 'Ann' });
        assert.equal(Number(call.fields.vanity), Number(invited) - 1, "the customer joins with the participant's");
        await post(lonely.base, url, { ...good, question, topic: 'Orders', language: 'en', reqid: 'recorded' }, json);
        assert.equal(server.calls.length, 3, 'the same again asks nobody');
    } finally {
        await server.stop();
    }
});

for (const program of ['queue', 'vcs_call']) {
    test(`when ${program} fails in the middle the request is kept, and going on later doubles nothing`, async () => {
        const broken = new Set([program]), server = await comeBack(broken);
        try {
            const tables = ['conference', 'invitation', 'member'], before = tables.map((table) => count(lonely, table));
            const form = { ...good, question: 'In the middle', reqid: `broken ${program}` };
            for (let i = 0; i < 3; i++) assert.equal((await post(lonely.base, url, form, json)).status, 202);
            broken.clear();
            const answers = await Promise.all(Array.from({ length: 5 }, () => post(lonely.base, url, form, json)));
            for (const answer of answers) assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(tables.map((table) => count(lonely, table)), before.map((one) => one + 1));
            const kinds = (await allEvents(lonely, answers[0].json())).map((one) => one.kind);
            assert.deepEqual(kinds.sort(), ['joined', 'message', 'queue']);
        } finally {
            await server.stop();
        }
    });
}

test('a server that answers nonsense or an error is as one that is down', async () => {
    const answers = [[500, 'oops'], [200, '<conference'], [200, '<other/>'], [200, '<conference id="1server"/>'],
        [200, '<!DOCTYPE x [<!ENTITY a "b">]><conference id="&a;"/>'], [401,
            '<message type="error"><reason>No.</reason></message>'],
        [200, 'x'.repeat(200000)], [302, '']];
    let next;
    const server = http.createServer((ask, answer) => {
        answer.writeHead(next[0], { 'Content-Type': 'application/xml', Location: 'http://127.0.0.1/' });
        answer.end(next[1]);
    });
    await new Promise((done) => server.listen(behind, '127.0.0.1', done));
    for (next of answers) {
        const answer = await post(lonely.base, url, good, json);
        assert.equal(answer.status, 202, `${next[0]} ${next[1].slice(0, 30)}: ${answer.status} ${answer.body}`);
    }
    await new Promise((done) => { server.close(done); server.closeAllConnections(); });
});
