/* Every program as plain CGI: one process for each request, no web server and no FastCGI. Takes long. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPlace, runToEnd, sanitizerOptions } from '../lib/cgi.js';
import { buildFolder, sleep, tree } from '../lib/instance.js';
import { conferenceOf, html, isError, isErrorPage, isQuick, json, setCookies, textAt } from '../lib/wire.js';

const programs = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c')).map((name) => name.slice(0,
    -2));
const password = 'correct horse 42';
const noQueue = { queue_url: 'http://127.0.0.1:1' }; // nobody listens there
let place;
before(async () => {
    place = await newPlace({ settings: { cgi_hold_s: 1, ...noQueue } });
    for (const login of ['anna', 'ben']) assert.equal((await place.command(['agent', 'add', login, login, 'agent'],
        `${password}\n`)).status, 0);
});
after(() => place.clear());

const get = (program, query, options) => place.run(program, 'GET', { query, ...options });
const post = (program, form, options) => place.run(program, 'POST', { form, ...options });
const well = (answer) => { assert.equal(answer.status, 200, answer.body + answer.stderr); return answer; };
const sqlite = (one, sql) => execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', path.join(one.state, 'rtcc.db'), sql],
    { encoding: 'utf8' }).trim();

async function room() {
    const conference = conferenceOf(well(await get('vcs_conf_schedule')).xml());
    const join = async (vanity, name) => well(await get('vcs_call', { vanity, call_callid: conference.id, name },
        json)).json().member;
    const customer = await join(conference.participant, 'Ann'), agent = await join(conference.leader, 'Anna');
    return { ...conference, customer: { conf: conference.id, token: customer.token, member: customer.id },
        agent: { conf: conference.id, token: agent.token, member: agent.id } };
}

/* What a program said, without that the form asked a queue that is not there. */
const saidBy = (answer) => answer.stderr.replace(/^form_submit\[\d+\]: warning: http:\/\/127\.0\.0\.1:1\/cgi_bin\/queue: .*\n/gm, '');

/* ── one after the other ── */

test('every program answers as CGI, ends with 0 and says nothing in its log', async () => {
    assert.ok(programs.length >= 16);
    for (const program of programs) {
        await Promise.all(['GET', 'POST', 'HEAD', 'PUT'].map(async (method) => {
            const answer = await place.run(program, method, json);
            assert.equal(answer.exit, 0, program);
            assert.equal(saidBy(answer), '', program);
            assert.ok([200, 400, 401, 405].includes(answer.status), `${method} ${program}: ${answer.status}`);
            assert.match(answer.headers.status, /^\d{3} [A-Z]/);
            const length = Number(answer.headers['content-length']);
            if (method === 'HEAD') assert.equal(answer.bytes.length, 0);
            else assert.equal(answer.bytes.length, length, program);
        }));
    }
});

test('a whole case, from the form to the transcript, with nothing but CGI', async () => {
    const server = await place.serve();
    place.write({ cgi_hold_s: 1, collaboration_url: `http://127.0.0.1:${server.port}`,
        queue_url: `http://127.0.0.1:${server.port}` });
    try {
        const page = well(await get('form_submit'));
        const reqid = /name="reqid" value="([^"]+)"/.exec(page.body)[1];
        const form = { name: 'Ann', phone: '6035551234', question: 'Where is it?', reqid };
        const customer = well(await post('form_submit', form, json)).json();
        assert.equal(customer.queue.position, 1);
        const sent = await post('form_submit', form, html);
        assert.equal(sent.status, 303);
        assert.match(sent.headers.location, new RegExp(`conf=${customer.conference}`));

        const { token: bearer } = well(await post('agent_sign', { login: 'anna', password })).json();
        well(await get('agent_poll', {}, { bearer }));
        well(await post('agent_act', { action: 'ready' }, { bearer }));
        const { offers: [offer] } = well(await get('agent_poll', {}, { bearer })).json();
        assert.equal(offer.conference, customer.conference);
        const staff = well(await post('agent_act', { action: 'accept', reservation: offer.reservation }, { bearer })).json();
        const say = async (token, text) => well(await post('conf_post', { conf: customer.conference, token, kind: 'message',
            text })).json().id;
        await say(staff.token, 'In Paris.');
        const member = { conf: customer.conference, token: customer.token };
        const data = Buffer.from(Array.from({ length: 200000 }, (_, i) => i % 251));
        const { file } = well(await place.run('file_put', 'POST', { multipart: { ...member, file: { name: 'a.bin', type: 'x/y',
            data } } })).json();
        const got = well(await get('file_get', { id: file, token: staff.token }));
        assert.ok(got.bytes.equals(data));
        const part = await get('file_get', { id: file, token: staff.token }, { env: { HTTP_RANGE: 'bytes=10-19' } });
        assert.deepEqual([part.status, part.bytes], [206, data.subarray(10, 20)]);
        const { events, state } = well(await get('conf_poll', member)).json();
        assert.equal(state, 'talking');
        assert.deepEqual(events.filter((one) => one.kind === 'message').map((one) => one.text), ['Where is it?', 'In Paris.']);
        const view = await get('conf_view', { conf: customer.conference }, { bearer: customer.token, ...html });
        assert.match(well(view).body, /In Paris\./);
        well(await post('agent_act', { action: 'end', conf: customer.conference }, { bearer }));
        assert.match(well(await get('transcript', { ...member, format: 'txt' })).body, /Anna|anna/);
        assert.match(well(await get('status')).body, /^ok/);
        well(await post('agent_act', { action: 'notready' }, { bearer }));
    } finally {
        await server.close();
        place.write({ cgi_hold_s: 1 });
    }
});

test('the patent\'s calls work by CGI: PATH_INFO carries the short way in', async () => {
    const { id, participant, leader } = await room();
    const asked = await place.run('vcs_call', 'GET', { pathInfo: `/${participant}`, ...html });
    assert.match(well(asked).body, /<form [^>]*action="\/call\/\d{7}"/);
    const joined = await place.run('vcs_call', 'POST', { pathInfo: `/${leader}`, form: { name: 'Bob' }, ...json });
    assert.deepEqual([joined.status, joined.json().conference, joined.json().member.role], [200, id, 'participant']);
    const list = well(await get('vcs_conf_delete', { delete_vanity: leader }));
    assert.ok(!list.body.includes(id));
    well(await get('queue', { action: 'list' }));
});

/* ── what a web server may hand over ── */

test('a query is never taken for arguments', async () => {
    for (const args of [['--help'], ['--version'], ['-x', 'y']]) {
        const answer = await place.run('vcs', 'GET', { rawQuery: args.join('+'), args });
        assert.equal(answer.status, 200);
        assert.match(answer.body, /<conferences/);
    }
});

test('a body that is shorter than was said, or no length at all, is 400; a larger one is 413', async () => {
    const form = { subject: 'x' };
    for (const contentLength of [100, 'x', '-5', '1e3']) {
        isError(await post('vcs_conf_schedule', form, { contentLength, ...json }), 'bad_parameter');
    }
    for (const contentLength of [200000, '99999999999999999999']) {
        isError(await post('vcs_conf_schedule', form, { contentLength, ...json }), 'too_large');
    }
    const answer = await post('vcs_conf_schedule', { subject: 'short', more: 'never read' }, { contentLength: 13 });
    assert.equal(textAt(well(answer).xml(), 'subject'), 'short', 'what stands behind it is not read');
});

test('a request without most of its variables is still answered', async () => {
    const env = { GATEWAY_INTERFACE: 'CGI/1.1', RTCC_CONF: place.conf, ...sanitizerOptions() };
    for (const program of programs) {
        await Promise.all([{}, { REQUEST_METHOD: 'GET' }, { REQUEST_METHOD: 'POST' }, { REQUEST_METHOD: '' }].map(async (more) => {
            const ended = await runToEnd(path.join(buildFolder, 'cgi-bin', program), [], { ...env, ...more });
            assert.equal(ended.status, 0, `${program} ${JSON.stringify(more)} ${ended.stderr}`);
            assert.match(ended.stdout.toString(), /^Status: [2-5]\d\d /);
        }));
    }
});

test('over https the cookies are Secure and __Host-', async () => {
    const { customer } = await room();
    for (const env of [{ HTTPS: 'on' }, { REQUEST_SCHEME: 'https' }]) {
        const signed = well(await post('agent_sign', { login: 'anna', password }, { env }));
        const seen = await get('conf_view', { conf: customer.conf, token: customer.token }, { env });
        for (const answer of [signed, seen]) {
            const [[name, { value, flags }]] = Object.entries(setCookies(answer));
            assert.match(name, /^__Host-rtcc_/);
            for (const flag of ['secure', 'httponly', 'path=/', 'samesite=lax']) assert.ok(flags.includes(flag), flag);
            assert.ok(!flags.some((flag) => flag.startsWith('domain')));
            const cookie = `${name}=${value}`;
            if (answer === signed) well(await get('agent_poll', { wait: 0 }, { env, cookie }));
            else well(await get('conf_poll', { conf: customer.conf, wait: 0 }, { env, cookie }));
        }
        const { token } = signed.json(), plain = { cookie: `rtcc_agent=${token}` };
        isError(await get('agent_poll', { wait: 0 }, { env, ...plain }), 'unauthorized');
    }
    const signed = well(await post('agent_sign', { login: 'anna', password }, { env: { HTTPS: 'off' } }));
    assert.match(Object.keys(setCookies(signed))[0], /^rtcc_/);
});

test('addresses: loopback is 127.0.0.0/8 and ::1, nothing else', async () => {
    for (const from of ['127.0.0.1', '127.255.255.254', '::1']) well(await get('vcs', {}, { from }));
    for (const from of ['10.0.0.1', '192.0.2.1', '::2', '2001:db8::1', '128.0.0.1', '1.127.0.0', '', '127.example']) {
        const answer = await get('vcs', {}, { from });
        if (from !== '127.example') isError(answer, 'unauthorized');
    }
});

test('an IPv6 network of 64 bits counts as one address with wrong codes', async () => {
    const wrong = (from) => get('vcs_call', { vanity: '0000001' }, { from, ...json });
    const left = 60000 - Date.now() % 60000;
    if (left < 5000) await sleep(left);
    for (let i = 1; i <= 5; i++) isError(await wrong(`2001:db8:1:2:${i}::${i}`), 'not_found');
    isError(await wrong('2001:db8:1:2:ffff::1'), 'too_many');
    isError(await wrong('2001:0db8:0001:0002::9'), 'too_many');
    isError(await wrong('2001:db8:1:3::1'), 'not_found');
});

/* ── waiting ── */

test('conf_poll waits for cgi_hold_s at most, and hears at once what another process wrote', async () => {
    const { customer, agent } = await room(), { after } = well(await get('conf_poll', customer)).json();
    for (const wait of [undefined, 25, 1]) {
        const answer = well(await get('conf_poll', { ...customer, after, wait }));
        assert.ok(answer.ms > 900 && answer.ms < 2500, `wait=${wait}: ${answer.ms} ms`);
        assert.deepEqual(answer.json().events, []);
    }
    assert.ok(well(await get('conf_poll', { ...customer, after, wait: 0 })).ms < 700);
    place.write({ cgi_hold_s: 10 });
    await isQuick('a message of another process', 400, async (i) => {
        const { after: from } = well(await get('conf_poll', { ...customer, wait: 0 })).json();
        const waiting = get('conf_poll', { ...customer, after: from }).then((answer) => [well(answer).json(), performance.now()]);
        await sleep(700);
        const { id } = well(await post('conf_post', { ...agent, kind: 'message', text: `heard ${i}` })).json(),
            began = performance.now();
        const [said, at] = await waiting;
        assert.deepEqual(said.events.map((one) => [one.id, one.text]), [[id, `heard ${i}`]]);
        return at - began;
    });
    place.write({ cgi_hold_s: 1 });
});

test('a poll for which there is no place is answered at once and told to stay away for a while', async () => {
    const { customer } = await room(), { after } = well(await get('conf_poll', customer)).json();
    const frame = async () => well(await get('conf_view', { ...customer, part: 'log', after })).body;
    place.write({ cgi_hold_s: 10, cgi_hold_max: 0 });
    const sent = well(await get('conf_poll', { ...customer, after })).json();
    assert.deepEqual([sent.events, sent.pause_s], [[], 5]);
    assert.match(await frame(), /http-equiv="refresh" content="5;url=/);
    assert.equal(well(await get('conf_poll', { ...customer, after, wait: 0 })).json().pause_s, undefined, 'who does not wait');
    place.write({ cgi_hold_s: 1, cgi_hold_max: 1 });
    assert.equal(well(await get('conf_poll', { ...customer, after })).json().pause_s, undefined, 'who has waited');
    assert.match(await frame(), /http-equiv="refresh" content="0;url=/);
    place.write({ cgi_hold_s: 1 });
});

test('a body without a length is read to its end, and refused where it is too large', async () => {
    const { customer } = await room(), env = { HTTP_TRANSFER_ENCODING: 'chunked' };
    const send = (text) => place.run('conf_post', 'POST', { env, type: 'application/x-www-form-urlencoded',
        body: new URLSearchParams({ ...customer, kind: 'message', text }).toString(), contentLength: '' });
    well(await send('all of it'));
    assert.equal(well(await get('conf_poll', customer)).json().events.at(-1).text, 'all of it');
    assert.equal((await send('x'.repeat(200000))).status, 413);
});

test('typing and the other polls are held the same way', async () => {
    const { customer, agent } = await room(), { after } = well(await get('conf_poll', customer)).json();
    place.write({ cgi_hold_s: 10 });
    const waiting = get('conf_poll', { ...customer, after });
    await sleep(700);
    well(await post('conf_post', { ...agent, kind: 'typing' }));
    assert.deepEqual(well(await waiting).json().events.map((one) => one.kind), ['typing']);
    place.write({ cgi_hold_s: 1 });
    const { token: bearer } = well(await post('agent_sign', { login: 'ben', password })).json();
    const first = well(await get('agent_poll', {}, { bearer })).json();
    const none = well(await get('agent_poll', { after: first.after }, { bearer }));
    assert.ok(none.ms > 900 && none.ms < 2500, `${none.ms} ms`);
    const frame = well(await get('conf_view', { ...customer, part: 'log', after }, html));
    assert.ok(frame.ms > 900 && frame.ms < 2500, `${frame.ms} ms`);
});

test('with the bell cut a waiting poll still hears, within a second or so', async () => {
    const deaf = await newPlace({ settings: { cgi_hold_s: 4 } });
    try {
        const conference = conferenceOf((await deaf.run('vcs_conf_schedule', 'GET')).xml());
        const call = await deaf.run('vcs_call', 'GET', { query: { vanity: conference.participant }, ...json });
        const member = { conf: conference.id, token: call.json().member.token };
        const { after } = (await deaf.run('conf_poll', 'GET', { query: member })).json();
        fs.rmSync(path.join(deaf.state, 'bell'), { force: true });
        fs.mkdirSync(path.join(deaf.state, 'bell')); // nobody can write or watch it as a file
        const waiting = deaf.run('conf_poll', 'GET', { query: { ...member, after } });
        await sleep(400);
        assert.equal((await deaf.run('conf_post', 'POST', { form: { ...member, kind: 'message', text: 'x' } })).status, 200);
        const heard = await waiting;
        assert.deepEqual(heard.json().events.map((one) => one.text), ['x']);
        assert.ok(heard.ms < 3000, `${heard.ms} ms`);
    } finally {
        deaf.clear();
    }
});

/* ── many at once ── */

test('forty processes at once on an empty place: the schema is made once, and nobody fails', async () => {
    const empty = await newPlace({ isEmpty: true, settings: noQueue });
    try {
        fs.mkdirSync(empty.state);
        const some = ['vcs', 'status', 'queue', 'conf_poll', 'agent_poll', 'conf_post', 'form_submit', 'file_get'];
        const inits = Array.from({ length: 4 }, () => empty.command(['init']));
        const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => empty.run(some[i % some.length], 'GET',
            { query: { action: 'list' }, ...json })));
        for (const answer of answers) {
            assert.equal(answer.exit, 0);
            assert.equal(saidBy(answer), '');
            assert.notEqual(answer.status, 500);
        }
        for (const made of await Promise.all(inits)) assert.equal(made.status, 0, made.stderr);
        assert.equal(sqlite(empty, 'PRAGMA integrity_check'), 'ok');
        assert.equal(sqlite(empty, 'PRAGMA journal_mode'), 'wal');
        assert.equal(sqlite(empty, 'SELECT count(*) FROM site'), '1');
        assert.equal(sqlite(empty, 'SELECT count(*) FROM api_key'), '1', 'one key for form_submit');
        const versions = fs.readdirSync(path.join(tree, 'sql/schema')).filter((name) => !name.startsWith('live')).length;
        assert.ok(Number(sqlite(empty, 'PRAGMA user_version')) >= 1 && versions >= 1);
    } finally {
        empty.clear();
    }
});

/* Whoever is told that the place is too busy (after 2 s) repeats what he asked, as a client does. */
async function insist(program, form) {
    for (let i = 0; i < 10; i++) {
        const answer = await post(program, form);
        if (answer.status !== 503) return well(answer);
        assert.match(answer.headers['retry-after'], /^\d+$/);
    }
    return assert.fail('busy ten times');
}

test('forty who schedule at once get forty conferences, forty who write lose nothing', async () => {
    const forty = Array.from({ length: 40 }, (_, i) => i);
    const made = await Promise.all(forty.map((i) => insist('vcs_conf_schedule', { reqid: `forty ${i}` })));
    assert.equal(new Set(made.map((one) => conferenceOf(one.xml()).id)).size, 40);
    const { customer } = await room();
    const ids = await Promise.all(forty.map(async (i) => (await insist('conf_post', { ...customer, kind: 'message', text: `${i}`,
        nonce: `${i}` })).json().id));
    const said = well(await get('conf_poll', customer)).json().events.filter((one) => one.kind === 'message');
    assert.deepEqual(said.map((one) => one.id), ids.sort((a, b) => a - b));
    assert.equal(new Set(said.map((one) => one.text)).size, 40);
});

/* ── a place that is not in order ── */

test('without rtcc init the programs say what is missing', async () => {
    const empty = await newPlace({ isEmpty: true });
    try {
        const gone = await empty.run('vcs_conf_schedule', 'GET', json);
        isError(gone, 'unavailable');
        assert.match(gone.stderr, new RegExp(empty.state), 'the log says where');
        isErrorPage(await empty.run('form_submit', 'POST', { form: { name: 'Ann', phone: '6035551234' }, ...html }), 503);
        fs.mkdirSync(empty.state);
        const bare = await empty.run('vcs_conf_schedule', 'GET', json);
        isError(bare, 'unavailable');
        const unwell = await empty.run('status', 'GET');
        assert.equal(unwell.status, 503);
        assert.match(unwell.body, /rtcc init/);
    } finally {
        empty.clear();
    }
});
