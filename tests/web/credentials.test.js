/* Who may do what: trusted loopback, API keys, sessions, members' tokens, cookies and their csrf. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, find, get, post, request } from '../lib/http.js';
import { buildFolder, sleep, startInstance } from '../lib/instance.js';
import { act, agentPoll, ask, conversation, say, sendFile, signIn } from '../lib/people.js';
import { basic, compareTimes, emptyQueue, html, isError, isErrorPage, join, json, onDuty, room, rtcc, schedule, setCookies,
    talk } from '../lib/wire.js';

let instance, base, guarded;
before(async () => {
    const settings = { trusted_hosts: 'support.example, other.example' };
    [instance, guarded] = await Promise.all([startInstance({ settings }), startInstance({ settings: { trust_loopback: 'off',
        session_s: 2 } })]);
    ({ base } = instance);
});
after(() => Promise.all([instance.stop(), guarded.stop()]));

const url = (name) => `/cgi_bin/${name}`;
const command = (one, ...args) => rtcc(buildFolder, path.join(one.runDir, 'rtcc.conf'), args);
const newKey = async (one, about = 'a test') => (await command(one, 'key', 'add', about)).stdout.trim();
const ids = async (options) => find((await get(base, url('vcs'), {}, options)).xml(),
    'conference').map((one) => one.attributes.id);

/* ── trusted loopback ── */

const service = [['vcs', {}], ['vcs_conf_schedule', { reqid: 'loopback' }], ['queue', { action: 'list' }]];

test("the patent's URLs work literally with curl: vcs* and queue need no credential from this machine", async () => {
    const answer = await get(base, '/cgi_bin/vcs_conf_schedule?conf_type=reservationless&subject=new_conference');
    assert.equal(answer.status, 200);
    const id = answer.xml().attributes.id;
    const code = find(answer.xml(), 'access/vanity')[0].text;
    const call = await get(base, `/cgi_bin/vcs_call?action=add&&vanity=${code}&call_callid=${id}`);
    assert.equal(find(call.xml(), 'member')[0].attributes.role, 'leader');
    const list = await get(base, '/cgi_bin/vcs?all_vanities=true');
    assert.ok(find(list.xml(), 'conference').some((one) => one.attributes.id === id));
    const rest = await get(base, `/cgi_bin/vcs_conf_delete?delete_vanity=${code}`);
    assert.ok(!find(rest.xml(), 'conference').some((one) => one.attributes.id === id));
    assert.equal((await get(base, '/cgi_bin/queue?action=list')).status, 200);
});

test('every address of 127.0.0.0/8 is trusted', async () => {
    for (const [name, query] of service) assert.equal((await get(base, url(name), query, { from: '127.8.9.10' })).status, 200,
        name);
});

for (const header of ['Origin', 'Referer', 'Forwarded', 'X-Forwarded-For', 'Via']) {
    test(`a request with ${header} is not trusted, whatever it says`, async () => {
        for (const value of [base, 'http://evil.example/', '127.0.0.1', 'null', '']) {
            for (const [name, query] of service) {
                isError(await get(base, url(name), query, { headers: { [header]: value } }), 'unauthorized', null);
            }
        }
    });
}

test('a request with Sec-Fetch-Site is trusted only if that is none', async () => {
    for (const [name, query] of service) {
        for (const value of ['cross-site', 'same-site', 'same-origin', 'anything', '']) {
            isError(await get(base, url(name), query, { headers: { 'Sec-Fetch-Site': value } }), 'unauthorized');
        }
        assert.equal((await get(base, url(name), query, { headers: { 'Sec-Fetch-Site': 'none' } })).status, 200);
    }
});

test('the Host must be loopback or configured', async () => {
    const ask = (Host) => get(base, url('vcs'), {}, { headers: { Host } });
    for (const host of ['localhost', `localhost:${instance.port}`, '127.0.0.1', '127.9.9.9', 'LOCALHOST', '[::1]:80',
        'support.example', 'other.example:8080']) assert.equal((await ask(host)).status, 200, host);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '127.example', 'example',
        'support.example.evil']) {
        isError(await ask(host), 'unauthorized');
    }
});

test("with trust_loopback off nothing is trusted, and the customer's form works all the same", async () => {
    for (const [name, query] of service) isError(await get(guarded.base, url(name), query), 'unauthorized');
    assert.match((await ask(guarded)).conference, /server$/);
});

test('the leader needs trust, the participant only the code', async () => {
    const { id, leader, participant } = await schedule(base);
    const foreign = { headers: { Origin: base } };
    assert.equal((await join(base, leader, id, {}, foreign)).role, 'participant', "the leader's code is no secret");
    assert.equal((await join(base, participant, id, {}, foreign)).role, 'participant');
    assert.equal((await join(base, participant, id)).role, 'participant');
    assert.equal((await join(base, leader, id)).role, 'leader');
    assert.equal((await join(base, leader, id, {}, { ...foreign, headers: { ...foreign.headers,
        Authorization: `Bearer ${await newKey(instance)}` } })).role, 'leader', 'an API key may lead');
});

/* ── API keys ── */

test('an API key opens vcs* and queue as bearer and as Basic, from anywhere', async () => {
    const key = await newKey(instance), [id, secret] = key.split('.');
    for (const options of [{ headers: { Authorization: `Bearer ${key}` } }, basic(id, secret), basic(id.slice(2), secret)]) {
        options.headers.Via = '1.1 proxy';
        for (const [name, query] of service) {
            assert.equal((await get(base, url(name), query, options)).status, 200, options.headers.Authorization);
            assert.equal((await post(base, url(name), query, options)).status, 200, 'no csrf is needed');
        }
    }
});

test("an agent's login and password open every program that takes Basic, and nothing else does", async () => {
    const { leader } = await schedule(base), { customer } = await room(base);
    const foreign = { Via: '1.1 proxy' }, right = { headers: { ...basic('ben', instance.password).headers, ...foreign } };
    for (const [name, query] of [...service, ['status', { format: 'metrics' }], ['vcs_call', { action: 'list', vanity: leader }],
        ['vcs_conf_delete', { delete_vanity: (await schedule(base, {}, right)).leader }]]) {
        const answer = await get(base, url(name), query, right);
        assert.equal(answer.status, 200, `${name}: ${answer.body}`);
    }
    isError(await get(base, url('agent_poll'), { wait: 0 }, right), 'unauthorized');
    isError(await get(base, url('conf_poll'), { conf: customer.conference, wait: 0 }, right), 'unauthorized');
});

test('a wrong, an unknown and a revoked API key are one answer', async () => {
    const key = await newKey(instance), [id, secret] = key.split('.');
    const keys = [`${id}.${secret}x`, `${id}.`, id, 'k_', 'k_nobody.secret', `k_.${secret}`];
    const answers = [];
    for (const one of keys) answers.push(await get(base, url('vcs'), {}, { bearer: one }));
    assert.equal((await get(base, url('vcs'), {}, { bearer: key })).status, 200);
    assert.equal((await command(instance, 'key', 'revoke', id)).status, 0);
    answers.push(await get(base, url('vcs'), {}, { bearer: key }));
    for (const one of answers) isError(one, 'unauthorized', null);
    assert.equal(new Set(answers.map((one) => one.body)).size, 1);
    isError(await get(base, url('vcs'), {}, basic(id, secret)), 'unauthorized');
});

test('a wrong credential is refused even where none would have been needed', async () => {
    const malformed = ['Basic !!!', 'Basic', 'Bogus x', 'Bearer x'].map((Authorization) => ({ headers: { Authorization } }));
    for (const options of [{ bearer: 'k_a.b' }, { bearer: 'a_nobody' }, basic('anna', 'wrong password'), basic('nobody', 'x'),
        ...malformed]) {
        for (const [name, query] of service) isError(await get(base, url(name), query, options), 'unauthorized');
    }
});

test('every account sees and ends what it scheduled itself, and nothing else', async (t) => {
    const key = { bearer: await newKey(instance) }, other = { bearer: await newKey(instance) };
    const agent = basic('sam', instance.password);
    const made = {};
    for (const [name, options] of Object.entries({ key, other, agent, local: {} })) made[name] = await schedule(base, {},
        options);
    for (const [name, options] of Object.entries({ key, other, agent })) assert.deepEqual(await ids(options), [made[name].id],
        name);
    const local = await ids();
    assert.ok(local.includes(made.local.id) && !local.includes(made.key.id) && !local.includes(made.agent.id));
    for (const code of [made.other.leader, made.agent.leader, made.local.participant]) {
        isError(await get(base, url('vcs_conf_delete'), { delete_vanity: code }, key), 'not_found');
        isError(await get(base, url('vcs_conf_schedule'), { mod_vanity: code, subject: 'mine now' }, key), 'not_found');
    }
    assert.deepEqual(await ids(other), [made.other.id]);
    const { customer } = await talk(t, instance, 'ben');
    for (const options of [{}, key, agent]) assert.ok(!(await ids(options)).includes(customer.conference),
        "customers' rooms are not listed");
    await post(base, url('conf_post'), { conf: customer.conference, token: customer.token, kind: 'leave' });
});

test("another's code, an ended conference's and one of nobody are one answer", async () => {
    const key = { bearer: await newKey(instance) }, another = await schedule(base);
    const ended = await schedule(base, {}, key), from = '127.0.0.62';
    await get(base, url('vcs_conf_delete'), { delete_vanity: ended.leader }, key);
    const asked = { vcs_conf_delete: (code) => get(base, url('vcs_conf_delete'), { delete_vanity: code }, key),
        vcs_conf_schedule: (code) => get(base, url('vcs_conf_schedule'), { mod_vanity: code, subject: 'mine' }, key) };
    for (const [name, ask] of Object.entries(asked)) {
        const answers = [];
        for (const code of [another.leader, another.participant, ended.leader, ended.participant]) answers.push(await ask(code));
        isError(answers[0], 'not_found', name === 'vcs_conf_delete' ? 'delete_vanity' : 'mod_vanity');
        assert.equal(new Set(answers.map((answer) => answer.body)).size, 1, name);
    }
    const calls = [await get(base, url('vcs_call'), { vanity: another.leader, call_callid: ended.id }, { from }),
        await get(base, url('vcs_call'), { vanity: ended.leader }, { from }),
        await get(base, `/call/${ended.leader}`, {}, { from })];
    assert.equal(new Set(calls.map((answer) => answer.body)).size, 1, 'so it is where one joins');
});

/* ── agents ── */

test("an agent's programs take his session as bearer or cookie and nothing else", async () => {
    const agent = await signIn(instance, 'anna'), key = await newKey(instance), { customer } = await room(base);
    for (const options of [{ bearer: agent.token }, { cookie: agent.cookie }]) {
        assert.equal((await get(base, url('agent_poll'), { wait: 0 }, options)).status, 200);
    }
    const act = (options) => post(base, url('agent_act'), { action: 'ready', token: agent.token }, { ...json, ...options });
    for (const options of [{}, { bearer: key }, { bearer: customer.token }, { bearer: `${agent.token}x` }, { bearer: 'a_' },
        basic('anna', instance.password), { cookie: agent.cookie.replace(/.$/, '~') }]) {
        isError(await act(options), 'unauthorized', null);
        isError(await get(base, url('agent_poll'), { wait: 0 }, options), 'unauthorized', null);
    }
});

test('signing out ends this session and no other, and a session ends by itself', async () => {
    const one = await signIn(instance, 'anna'), two = await signIn(instance, 'anna');
    const out = await post(base, url('agent_sign'), { action: 'out' }, { bearer: one.token });
    assert.equal(out.status, 200);
    isError(await get(base, url('agent_poll'), {}, { bearer: one.token }), 'unauthorized');
    await agentPoll(instance, two);
    const short = await signIn(guarded, 'anna');
    await agentPoll(guarded, short);
    await sleep(2100);
    const expired = await get(guarded.base, url('agent_poll'), {}, { bearer: short.token });
    const unknown = await get(guarded.base, url('agent_poll'), {}, { bearer: 'a_unknown' });
    isError(expired, 'unauthorized');
    assert.equal(expired.body, unknown.body, 'expired and unknown are one answer');
});

test('who is disabled is out at once: held polls end, tokens open nothing, and his customer waits again', async (t) => {
    await emptyQueue(instance);
    const { agent, customer, staff } = await conversation(instance, 'ben');
    t.after(() => command(instance, 'agent', 'enable', 'ben'));
    const room = { conf: staff.conference, token: staff.token }, desk = { bearer: agent.token, ...json };
    const { after } = (await get(base, url('conf_poll'), { ...room, wait: 0 }, json)).json();
    const started = performance.now();
    const held = [get(base, url('conf_poll'), { ...room, after, wait: 20 }, json), get(base, url('agent_poll'), { after: 1e15, wait: 20 }, desk),
        get(base, url('conf_poll'), { conf: staff.conference, after, wait: 20 }, desk),
        get(base, url('conf_view'), { ...room, part: 'log', after }, html)];
    await sleep(500);
    assert.equal((await command(instance, 'agent', 'disable', 'ben')).status, 0);
    const answers = await Promise.all(held);
    assert.ok(performance.now() - started < 5000, 'none waits for its time');
    assert.deepEqual(answers.map((answer) => answer.status), [401, 401, 401, 401]);
    for (const [name, more] of [['conf_poll', { wait: 0 }], ['transcript', {}], ['conf_view', {}]])
        assert.equal((await get(base, url(name), { ...room, ...more }, json)).status, 401, name);
    isError(await post(base, url('conf_post'), { ...room, kind: 'message', text: 'I am still here', nonce: 'disabled' }, json), 'unauthorized');
    isError(await get(base, url('conf_poll'), { conf: staff.conference, wait: 0 }, desk), 'unauthorized');
    const now = (await get(base, url('conf_poll'), { conf: customer.conference, token: customer.token, wait: 0 }, json)).json();
    assert.equal(now.state, 'waiting');
    assert.ok((await get(base, url('queue'), { action: 'list' })).json().invitations.some((one) => one.conference === customer.conference));
});

test('the log tells who signed in, who was refused and who signed out, from where, and never a secret', async () => {
    const before = instance.log('rtcc').length, password = 'wrong-but-secret-4711';
    const refused = (login) => post(base, url('agent_sign'), { login, password }, json);
    const one = await signIn(instance, 'anna');
    isError(await refused('ben'), 'unauthorized');
    isError(await refused('my-own-pass-0815'), 'unauthorized');
    assert.equal((await post(base, url('agent_sign'), { action: 'out' }, { bearer: one.token })).status, 200);
    const lines = instance.log('rtcc').slice(before).split('\n').filter((line) => / agent \S+ (was|signed) /.test(line));
    assert.deepEqual(lines.map((line) => line.replace(/^agent_sign\[\d+\]: /, '')), [
        'info: agent anna signed in from 127.0.0.1',
        'warning: agent ben was not let in from 127.0.0.1: unauthorized',
        'warning: agent (unknown) was not let in from 127.0.0.1: unauthorized',
        'info: agent anna signed out from 127.0.0.1',
    ]);
    for (const secret of [password, 'my-own-pass-0815', one.token, instance.password]) assert.ok(!instance.log('rtcc').includes(secret));
});

/* ── cookies ── */

test("the session's cookie is HttpOnly, Path=/, SameSite=Lax, for this host alone and named after the instance", async () => {
    const form = { login: 'anna', password: instance.password };
    const cookies = setCookies(await post(base, url('agent_sign'), form, json));
    assert.deepEqual(Object.keys(cookies), [`rtcc${instance.port}_agent`]);
    const { value, flags } = cookies[`rtcc${instance.port}_agent`];
    assert.match(value, /^a_[\w-]{40,}$/);
    assert.deepEqual(flags.filter((flag) => !flag.startsWith('max-age=')).sort(), ['httponly', 'path=/', 'samesite=lax']);
});

test("the member's cookie has the same flags and names its conference", async () => {
    const { customer } = await room(base);
    const answer = await get(base, url('conf_view'), { conf: customer.conference, token: customer.token });
    const cookies = setCookies(answer), [[name, { value, flags }]] = Object.entries(cookies);
    assert.equal(Object.keys(cookies).length, 1);
    assert.match(name, new RegExp(`^rtcc${instance.port}_.*${customer.conference.slice(0, 15)}`));
    assert.equal(value, customer.token);
    assert.deepEqual(flags.filter((flag) => !flag.startsWith('max-age=')).sort(), ['httponly', 'path=/', 'samesite=lax']);
});

test('two instances on one host do not sign each other out', async () => {
    const here = await signIn(instance, 'anna'), there = await signIn(guarded, 'anna');
    const cookie = `${here.cookie}; ${there.cookie}`;
    assert.equal((await get(base, url('agent_poll'), { wait: 0 }, { cookie })).status, 200);
    assert.equal((await get(guarded.base, url('agent_poll'), { wait: 0 }, { cookie })).status, 200);
    const out = await post(base, url('agent_sign'), { action: 'out', csrf: here.csrf }, { cookie });
    assert.equal(out.status, 200);
    const gone = setCookies(out)[`rtcc${instance.port}_agent`];
    assert.equal(gone.value, '');
    assert.ok(gone.flags.includes('max-age=0'));
    assert.equal((await get(guarded.base, url('agent_poll'), { wait: 0 }, { cookie })).status, 200);
});

/* Every POST that an agent's cookie can authorise: [program, form]. */
const sessionPosts = (conf, code, token) => [['agent_act', { action: 'ready' }], ['agent_act', { action: 'end', conf }],
    ['conf_post', { conf, kind: 'message', text: 'forged' }], ['vcs', {}], ['vcs_conf_schedule', { subject: 'forged' }],
    ['vcs_conf_delete', { delete_vanity: code }], ['queue', { action: 'list' }], ['vcs_call', { vanity: code,
        call_callid: conf }],
    ['agent_sign', { action: 'out' }], ['file_put', { conf, file: { name: 'a', type: 'text/plain', data: 'x' } }]]
    .map(([name, form]) => [name, token === undefined ? form : { ...form, csrf: token }]);

const send = (name, form, options) => request(base, 'POST', url(name), { ...(form.file ? { multipart: form } : { form }),
    ...options });

test("every POST by a session's cookie needs its csrf; without it or with another's it is 403 and does nothing", async (t) => {
    const { agent, staff } = await talk(t, instance, 'anna'), other = await signIn(instance, 'anna');
    const made = await schedule(base, {}, { bearer: agent.token });
    const before = (await agentPoll(instance, agent)).conferences.length;
    for (const csrf of [undefined, '', 'x', other.csrf, `${agent.csrf}x`]) {
        for (const [name, form] of sessionPosts(staff.conference, made.leader, csrf)) {
            for (const headers of [{}, { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' }]) {
                isError(await send(name, form, { cookie: agent.cookie, headers, ...json }), 'forbidden', 'csrf');
            }
        }
    }
    const { events, csrf } = (await get(base, url('conf_poll'), { conf: staff.conference, token: staff.token })).json();
    assert.equal(events.some((one) => one.text === 'forged' || one.kind === 'file'), false);
    assert.equal(csrf, '', 'a token needs none');
    assert.equal((await agentPoll(instance, agent)).conferences.length, before, 'nothing ended');
    assert.deepEqual(await ids({ bearer: agent.token }), [made.id], 'nothing was scheduled or deleted');
    isErrorPage(await send('agent_act', { action: 'ready' }, { cookie: agent.cookie, ...html }), 403);
});

test("with the csrf that the polls repeat every POST by a session's cookie works", async (t) => {
    const { agent, staff } = await talk(t, instance, 'anna');
    const { csrf } = (await get(base, url('agent_poll'), { wait: 0 }, { cookie: agent.cookie })).json();
    assert.equal(csrf, agent.csrf);
    const { leader } = await schedule(base, {}, { bearer: agent.token });
    for (const [name, form] of sessionPosts(staff.conference, leader, csrf)
        .sort(([a, one], [b, two]) => (a === 'agent_sign') - (b === 'agent_sign')
            || (one.action === 'end') - (two.action === 'end'))) {
        if (name === 'vcs_call') continue; // its conference and its code are two here
        const answer = await send(name, form, { cookie: agent.cookie, ...json });
        assert.equal(answer.status, 200, `${name} ${JSON.stringify(form)} ${answer.body}`);
    }
});

test("a member's POST by cookie needs the csrf that his poll repeats; by token it needs none", async () => {
    const { customer } = await room(base), other = (await room(base)).customer;
    const view = await get(base, url('conf_view'), { conf: customer.conference, token: customer.token });
    const cookie = cookiesOf(view), conf = customer.conference;
    const theirs = cookiesOf(await get(base, url('conf_view'), { conf: other.conference, token: other.token }));
    const { csrf } = (await get(base, url('conf_poll'), { conf, wait: 0 }, { cookie })).json();
    const foreign = (await get(base, url('conf_poll'), { conf: other.conference, wait: 0 }, { cookie: theirs })).json().csrf;
    const forms = [['conf_post', { conf, kind: 'message', text: 'x' }], ['conf_post', { conf, kind: 'leave' }],
        ['file_put', { conf, file: { name: 'a', type: 'text/plain', data: 'x' } }], ['vcs_call', { call_callid: conf }]];
    assert.ok(csrf.length > 10 && csrf !== foreign);
    for (const wrong of [undefined, '', foreign, `${csrf}x`]) {
        for (const [name, form] of forms) {
            isError(await send(name, { ...form, ...(wrong === undefined ? {} : { csrf: wrong }) }, { cookie, ...json }),
                'forbidden', 'csrf');
        }
    }
    const kinds = (await get(base, url('conf_poll'), { conf, wait: 0 }, { cookie })).json().events.map((one) => one.kind);
    assert.deepEqual(kinds, ['joined', 'joined', 'state'], 'nothing was done');
    for (const [name, form] of [forms[0], forms[2], forms[3], forms[1]]) {
        assert.equal((await send(name, { ...form, csrf }, { cookie, ...json })).status, 200, name);
    }
    assert.equal((await send('conf_post', { ...forms[0][1], conf: other.conference, token: other.token }, {})).status, 200);
});

test('what only reads needs no csrf', async () => {
    const { customer } = await room(base), agent = await signIn(instance, 'anna');
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf: customer.conference, token: customer.token }));
    const { file } = await sendFile(instance, customer, 'a.txt', 'text/plain', 'x');
    for (const [name, query] of [['conf_view', { conf: customer.conference }], ['conf_poll', { conf: customer.conference,
        wait: 0 }],
        ['transcript', { conf: customer.conference }], ['file_get', { id: file }]]) {
        const answer = await get(base, url(name), query, { cookie });
        assert.equal(answer.status, 200, name);
    }
    assert.equal((await get(base, url('vcs'), {}, { cookie: agent.cookie, headers: { Origin: base } })).status, 200);
});

test("the conference's pages carry the csrf in their forms when a cookie authorises them", async () => {
    const { customer } = await room(base), conf = customer.conference;
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf, token: customer.token }));
    const page = (await get(base, url('conf_view'), { conf, part: 'page' }, { cookie })).body;
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)[1];
    const answer = await post(base, url('conf_post'), { conf, kind: 'message', text: 'x', csrf }, { cookie });
    assert.equal(answer.status, 200, answer.body);
});

/* ── members ── */

/* What a member may call, so that the token can travel each way: [method, program, fields]. */
const memberCalls = ({ conference: conf }) => [['GET', 'conf_poll', { conf, wait: 0 }], ['GET', 'conf_view', { conf,
    part: 'page' }],
    ['GET', 'transcript', { conf }], ['POST', 'conf_post', { conf, kind: 'message', text: 'x' }],
    ['POST', 'vcs_call', { call_callid: conf }]];
const call = (method, name, fields, options) => request(base, method, url(name),
    { [method === 'GET' ? 'query' : 'form']: fields, ...json, ...options });

test("a member's token is taken as parameter, as bearer and as cookie", async () => {
    const { customer } = await room(base), { token, conference } = customer;
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf: conference, token }));
    const { csrf } = (await get(base, url('conf_poll'), { conf: conference, wait: 0 }, { cookie })).json();
    for (const [method, name, fields] of memberCalls(customer)) {
        const byToken = await call(method, name, { ...fields, token });
        assert.ok([200, 303].includes(byToken.status), `${name} by parameter: ${byToken.status} ${byToken.body}`);
        const byBearer = await call(method, name, fields, { bearer: token });
        assert.equal(byBearer.status, 200, `${name} by bearer: ${byBearer.body}`);
        const byCookie = await call(method, name, { ...fields, csrf }, { cookie });
        assert.equal(byCookie.status, 200, `${name} by cookie: ${byCookie.body}`);
        if (name === 'vcs_call') {
            for (const answer of [byToken, byBearer, byCookie]) assert.equal(answer.json().member.id, customer.member);
        }
    }
});

test('the parameter comes before the header, the header before the cookie; an empty parameter is none', async () => {
    const { customer } = await room(base), other = (await room(base)).customer, { token, conference } = customer;
    const cookie = cookiesOf(await get(base, url('conf_view'), { conf: conference, token }));
    for (const [method, name, fields] of memberCalls(customer)) {
        for (const wrong of [other.token, 'm_1_x', 'nonsense']) {
            isError(await call(method, name, { ...fields, token: wrong }, { bearer: token, cookie }), 'unauthorized');
        }
        isError(await call(method, name, fields, { bearer: other.token, cookie }), 'unauthorized');
        assert.equal((await call(method, name, { ...fields, token: '' }, { bearer: token })).status, 200, name);
    }
});

test('unknown, expired and wrong tokens and conferences are one answer', async () => {
    const { customer, agent, id } = await room(base), other = await room(base);
    const tokens = [other.customer.token, 'm_', 'm_1_', `m_${customer.member}_`, customer.token.replace(/.$/, '~'),
        customer.token.replace(/^m_\d+/, `m_${agent.member}`), `m_99999999999999999999_${customer.token.slice(-20)}`, 'a_x', 'x'];
    for (const [method, name] of memberCalls(customer)) {
        if (name === 'vcs_call') continue;
        const answers = [];
        for (const token of tokens) answers.push(await call(method, name, { conf: id, kind: 'leave', wait: 0, token }));
        for (const conf of ['000000000000000server', 'x', `${id}x`, id.slice(0, 15), '\u{1f600}']) {
            answers.push(await call(method, name, { conf, kind: 'leave', wait: 0, token: customer.token }));
        }
        answers.push(await call(method, name, { conf: id, kind: 'leave', wait: 0 }));
        for (const answer of answers) isError(answer, 'unauthorized', null);
        assert.equal(new Set(answers.map((one) => one.body)).size, 1, name);
    }
    assert.equal((await get(base, url('conf_poll'), { conf: id, token: customer.token, wait: 0 })).json().state, 'talking');
});

test('a wrong token takes as long for a conference that stands as for one that does not', async () => {
    const { id } = await room(base), token = `m_1_${'x'.repeat(22)}`;
    const ask = (conf) => get(base, url('conf_poll'), { conf, token });
    const [known, unknown] = await compareTimes(60, () => ask(id), () => ask('123456789012345server'));
    assert.ok(Math.abs(known - unknown) < 1 + known / 4, `${known} ms and ${unknown} ms`);
});

test("an agent's session opens the rooms that he has joined, and no others", async (t) => {
    const { agent, staff } = await talk(t, instance, 'ben'), other = await room(base);
    const poll = (conf, options) => get(base, url('conf_poll'), { conf, wait: 0 }, options);
    for (const options of [{ bearer: agent.token }, { cookie: agent.cookie }]) {
        assert.equal((await poll(staff.conference, options)).json().state, 'talking');
        isError(await poll(other.id, options), 'unauthorized');
    }
    const anna = await onDuty(t, instance, 'anna');
    isError(await poll(staff.conference, { bearer: anna.token }), 'unauthorized');
    await act(instance, agent, 'end', { conf: staff.conference });
});

test('a token is derived, not stored: a repeated request gets the same one', async () => {
    const { id, participant } = await schedule(base), form = { name: 'Ann', reqid: 'once' };
    const one = await join(base, participant, id, form), two = await join(base, participant, id, form);
    assert.equal(one.token, two.token);
    const three = await join(base, participant, id, { name: 'Ann' });
    assert.notEqual(three.token, one.token);
    await say(instance, one, 'still works');
});
