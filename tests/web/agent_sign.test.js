/* agent_sign: signing in and out. What limits it is in limits.test.js, its cookie in credentials.test.js. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, get, post, request } from '../lib/http.js';
import { buildFolder, startInstance } from '../lib/instance.js';
import { act, agentPoll, signIn } from '../lib/people.js';
import { html, isError, isErrorPage, json, rtcc, setCookies } from '../lib/wire.js';

const url = '/cgi_bin/agent_sign';
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

test('login and password give the agent, his role, his token, his csrf and a cookie', async () => {
    for (const [login, role] of [['anna', 'agent'], ['ben', 'agent'], ['sam', 'supervisor'], ['admin', 'admin']]) {
        const answer = await post(base, url, { login, password: instance.password });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'application/json');
        const said = answer.json();
        assert.deepEqual([said.agent, said.role], [login, role]);
        assert.match(said.token, /^a_[\w-]{40,}$/);
        assert.match(said.csrf, /^[\w-]{20,}$/);
        assert.equal(Object.values(setCookies(answer))[0].value, said.token);
        assert.equal((await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie: cookiesOf(answer) })).status, 200);
    }
});

test('every signing in is a session of its own', async () => {
    const one = await signIn(instance, 'anna'), two = await signIn(instance, 'anna');
    assert.notEqual(one.token, two.token);
    assert.notEqual(one.csrf, two.csrf);
    assert.equal((await agentPoll(instance, one)).agent.login, 'anna');
    assert.equal((await agentPoll(instance, two)).agent.login, 'anna');
});

test('totp is taken from those who have none set up', async () => {
    const form = { login: 'anna', password: instance.password, totp: '123456' };
    assert.equal((await post(base, url, form)).status, 200);
    isError(await post(base, url, { ...form, totp: '123456789' }), 'bad_parameter', 'totp');
});

test('a wrong password, an unknown login and a password with other letters are 401 without a cookie', async () => {
    const wrong = [['ben', 'x'], ['ben', `${instance.password} `], ['ben', instance.password.toUpperCase()], ['BEN',
        instance.password],
        ['nobody', instance.password]];
    const bodies = new Set();
    for (const [login, password] of wrong) {
        const answer = await post(base, url, { login, password }, json);
        isError(answer, 'unauthorized', null);
        assert.deepEqual(setCookies(answer), {});
        bodies.add(answer.body);
    }
    assert.equal(bodies.size, 1);
    const page = await post(base, url, { login: 'sam', password: 'x' }, html);
    isErrorPage(page, 401);
    assert.match(page.body, /<a [^>]*href="\/agent\.html">Go back to signing in<\/a>/);
    assert.doesNotMatch(page.body, /conversation/);
    assert.equal((await signIn(instance, 'ben')).agent, 'ben');
});

test('login and password are needed, and are limited', async () => {
    isError(await post(base, url, { password: 'x' }), 'bad_parameter', 'login');
    isError(await post(base, url, { login: 'anna' }), 'bad_parameter', 'password');
    isError(await post(base, url, { login: 'anna', password: '' }), 'bad_parameter', 'password');
    isError(await post(base, url, {}), 'bad_parameter', 'login');
    isError(await post(base, url, { action: 'up', login: 'anna', password: instance.password }), 'bad_parameter', 'action');
    isError(await get(base, url, { login: 'anna', password: instance.password }), 'bad_method');
});

test('a password may have any character, and its edges count', async () => {
    const conf = path.join(instance.runDir, 'rtcc.conf');
    for (const [i, password] of [' pass & word=%41+ ', 'größer \u{1f600} 漢字', '<"\'&> 12345678'].entries()) {
        assert.equal((await rtcc(buildFolder, conf, ['agent', 'add', `odd${i}`, 'Odd', 'agent'], `${password}\n`)).status, 0);
        assert.equal((await post(base, url, { login: `odd${i}`, password })).status, 200, password);
        if (password.trim() !== password) isError(await post(base, url, { login: `odd${i}`, password: password.trim() }),
            'unauthorized');
    }
});

test('a password of 64 characters is good, and one of 200, each to its last character', async () => {
    const conf = path.join(instance.runDir, 'rtcc.conf');
    for (const [i, password] of ['a sentence '.repeat(6).slice(0, 64), 'ü'.repeat(64), 'x'.repeat(200)].entries()) {
        assert.equal((await rtcc(buildFolder, conf, ['agent', 'add', `long${i}`, 'Long', 'agent'], `${password}\n`)).status, 0);
        assert.equal((await post(base, url, { login: `long${i}`, password })).status, 200);
        isError(await post(base, url, { login: `long${i}`, password: `${password.slice(0, -1)}y` }), 'unauthorized');
        isError(await post(base, url, { login: `long${i}`, password: password.slice(0, -1) }), 'unauthorized');
    }
});

test('the page hides a password that is written, and lets it be filled in and pasted', async () => {
    const { body } = await get(base, '/agent.html'), [field] = /<input[^>]*name="password"[^>]*>/.exec(body);
    assert.match(field, / type="password" autocomplete="current-password"/);
    assert.doesNotMatch(body, /onpaste|onkeydown/);
});

test('a browser is sent to the agent\'s page with 303, signed in', async () => {
    const answer = await post(base, url, { login: 'anna', password: instance.password }, html);
    assert.equal(answer.status, 303);
    assert.equal(new URL(answer.headers.location, base).pathname, '/agent.html');
    const cookie = cookiesOf(answer);
    const { csrf } = (await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie })).json();
    const out = await post(base, url, { action: 'out', csrf }, { cookie, ...html });
    assert.equal(out.status, 303);
    assert.equal(new URL(out.headers.location, base).pathname, '/agent.html');
    isError(await get(base, '/cgi_bin/agent_poll', { wait: 0 }, { cookie }), 'unauthorized');
});

test('action=out ends the session and takes the cookie back; without a session it is 401', async () => {
    const agent = await signIn(instance, 'anna');
    const out = await post(base, url, { action: 'out' }, { bearer: agent.token });
    assert.equal(out.status, 200);
    assert.equal(out.json().agent, 'anna');
    isError(await post(base, url, { action: 'out' }, { bearer: agent.token, ...json }), 'unauthorized');
    isError(await post(base, url, { action: 'out' }), 'unauthorized');
    const cookies = await post(base, url, { action: 'out', csrf: 'x' }, { cookie: agent.cookie });
    isError(cookies, 'unauthorized');
});

test('whoever signs out of his last session is not ready any more', async () => {
    const conf = path.join(instance.runDir, 'rtcc.conf');
    await rtcc(buildFolder, conf, ['agent', 'add', 'carl', 'Carl', 'agent'], `${instance.password}\n`);
    const one = await signIn(instance, 'carl'), two = await signIn(instance, 'carl');
    await act(instance, one, 'ready');
    await post(base, url, { action: 'out' }, { bearer: one.token });
    assert.equal((await agentPoll(instance, two)).agent.state, 'ready', 'he is still here in another window');
    await post(base, url, { action: 'out' }, { bearer: two.token });
    const three = await signIn(instance, 'carl'), { agent } = await agentPoll(instance, three);
    assert.deepEqual([agent.state, agent.reason], ['notready', 'signed_out']);
});

test('ten sign in at once', async () => {
    const form = { login: 'anna', password: instance.password };
    const answers = await Promise.all(Array.from({ length: 10 }, () => request(base, 'POST', url, { form })));
    assert.deepEqual(answers.map((one) => one.status), Array(10).fill(200));
    assert.equal(new Set(answers.map((one) => one.json().token)).size, 10);
});
