/* What is limited: wrong codes, forms, wrong passwords; and what is the same answer in the same time. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post, request } from '../lib/http.js';
import { buildFolder, startInstance } from '../lib/instance.js';
import { compareTimes, enoughOfWindow, html, isError, isErrorPage, json, rtcc, schedule, setCookies } from '../lib/wire.js';

let instance, base, strict;
before(async () => {
    [instance, strict] = await Promise.all([startInstance({ settings: { password_cost: 5 } }),
        startInstance({ settings: { limit_exempt: 'off' } })]);
    ({ base } = instance);
});
after(() => Promise.all([instance.stop(), strict.stop()]));

const url = (name) => `/cgi_bin/${name}`;
const byCode = (one, vanity, from, options = {}) => get(one.base, url('vcs_call'), { action: 'list', vanity }, { from,
    ...options });

/* A code that no live conference has. */
async function wrongCode(one, from = '127.3.0.1') {
    const { leader } = await schedule(one.base, {}, { from });
    await get(one.base, url('vcs_conf_delete'), { delete_vanity: leader }, { from });
    return leader;
}

/* ── codes ── */

test('the sixth wrong code in a minute from one address is 429, and so is a right one then', async () => {
    const { id, participant } = await schedule(base), wrong = await wrongCode(instance), from = '127.0.0.21';
    await enoughOfWindow(10);
    for (let i = 0; i < 5; i++) isError(await byCode(instance, wrong, from), 'not_found', 'vanity');
    const refused = await byCode(instance, participant, from);
    isError(refused, 'too_many');
    assert.ok(Number(refused.headers['retry-after']) <= 60);
    isError(await get(base, url('vcs_call'), { vanity: participant, call_callid: id }, { from }), 'too_many');
    isErrorPage(await get(base, `/call/${participant}`, {}, { from, ...html }), 429);
    isError(await get(base, url('vcs_call'), { vanity: participant }, { from, ...json }), 'too_many');
    assert.equal((await byCode(instance, participant, '127.0.0.22')).status, 200, 'another address is not concerned');
    const token = { action: 'list', call_callid: id, token: (await get(base, url('vcs_call'),
        { vanity: participant, call_callid: id }, json)).json().member.token };
    assert.equal((await get(base, url('vcs_call'), token, { from })).status, 200, 'nor is a token');
});

test('127.0.0.1 is not spared with wrong codes, and all ways in count together', async () => {
    const { id, participant } = await schedule(strict.base), wrong = await wrongCode(strict);
    await enoughOfWindow(10);
    const ways = [() => get(strict.base, `/call/${wrong}`, {}, json), () => byCode(strict, wrong),
        () => get(strict.base, url('vcs_call'), { vanity: participant, call_callid: '123456789012345server' }, json),
        () => post(strict.base, `/call/${wrong}`, { name: 'Ann' }, json), () => byCode(strict, '12345'), () => byCode(strict,
            'abcdefg')];
    const bodies = new Set();
    for (const way of ways.slice(0, 5)) {
        const answer = await way();
        bodies.add(isError(answer, 'not_found', 'vanity').reason);
    }
    assert.equal(bodies.size, 1, 'one answer, whatever was wrong');
    isError(await ways[5](), 'too_many');
    isError(await get(strict.base, url('vcs_call'), { vanity: participant, call_callid: id }), 'too_many');
    assert.equal((await get(strict.base, url('vcs'))).status, 200, 'vcs asks for no code');
});

test('a program with an API key may be wrong more often', async () => {
    const key = (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
    const wrong = await wrongCode(instance);
    for (let i = 0; i < 12; i++) isError(await byCode(instance, wrong, '127.0.0.23', { bearer: key }), 'not_found');
    const { participant } = await schedule(base);
    assert.equal((await byCode(instance, participant, '127.0.0.23')).status, 200);
});

test('a code that stands takes as long as one that does not, with a wrong conference beside it', async () => {
    const key = (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
    const { participant } = await schedule(base), wrong = await wrongCode(instance);
    const ask = (vanity) => get(base, url('vcs_call'), { vanity, call_callid: '123456789012345server' }, { bearer: key });
    const [known, unknown] = await compareTimes(40, () => ask(participant), () => ask(wrong));
    assert.ok(Math.abs(known - unknown) < 1 + known / 4, `${known} ms and ${unknown} ms`);
});

test('over a hundred wrong codes a minute only addresses with an earlier success are heard', async () => {
    const { participant } = await schedule(strict.base, {}, { from: '127.3.0.1' }), wrong = await wrongCode(strict);
    assert.equal((await byCode(strict, participant, '127.4.0.1')).status, 200, 'this address has had a success');
    await enoughOfWindow(20);
    let count = 0;
    for (let answer; (answer = await byCode(strict, wrong, `127.5.${count % 25}.1`)).status !== 429; count++) isError(answer,
        'not_found');
    assert.ok(count > 90 && count <= 100, `${count}, with the few of the tests before`);
    isError(await byCode(strict, participant, '127.6.0.1'), 'too_many');
    isError(await byCode(strict, wrong, '127.6.0.2'), 'too_many');
    assert.equal((await byCode(strict, participant, '127.4.0.1')).status, 200);
    isError(await byCode(strict, wrong, '127.4.0.1'), 'not_found');
});

test('above 10,000 live conferences a code alone is refused, with the conference id it is good', async () => {
    const { id, participant } = await schedule(base);
    const sqlite = (sql) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(instance.runDir, 'state/rtcc.db'), sql]);
    sqlite(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10100)
        INSERT OR IGNORE INTO conference (site, id, type, subject, owner, account, digest, code, state, start_at, created_at)
        SELECT 1, i, 'reservationless', '', '', 'many', '', 2 * i, 'waiting', 0, 0 FROM n`);
    const from = '127.0.0.25';
    for (let i = 0; i < 7; i++) isError(await byCode(instance, participant, from), 'not_found', 'vanity'); // none of them is a guess
    isError(await get(base, `/call/${participant}`, {}, { from, ...json }), 'not_found', 'vanity');
    const both = { action: 'list', vanity: participant, call_callid: id };
    assert.equal((await get(base, url('vcs_call'), both, { from })).status, 200);
    sqlite("DELETE FROM conference WHERE account = 'many'");
    assert.equal((await byCode(instance, participant, from)).status, 200);
});

/* ── forms ── */

const form = { name: '', phone: '' }; // faulty on purpose: counted like any other, and nobody has to answer it

test('form_submit takes 30 forms a minute from an address, then answers 429; looking at the form is free', async () => {
    await enoughOfWindow(15);
    for (const [one, from] of [[strict, '127.0.0.1'], [instance, '127.0.0.31']]) {
        for (let i = 0; i < 30; i++) isError(await post(one.base, url('form_submit'), form, { from, ...json }), 'bad_parameter',
            'name');
        const refused = await post(one.base, url('form_submit'), form, { from, ...json });
        isError(refused, 'too_many', null);
        assert.ok(Number(refused.headers['retry-after']) <= 60);
        const entries = { name: 'Ann', phone: '6035551234', question: 'Why <me>?', reqid: 'stays' };
        const page = await post(one.base, url('form_submit'), entries, { from, ...html });
        assert.equal(page.status, 429);
        assert.ok(Number(page.headers['retry-after']) <= 60);
        for (const kept of ['value="Ann"', 'value="6035551234"', 'Why &lt;me&gt;?', 'value="stays"']) {
            assert.ok(page.body.includes(kept), kept);
        }
        assert.ok(page.body.includes(`<p>${refused.json().error.reason}</p>`), 'the reason on top');
        assert.equal((await get(one.base, url('form_submit'), {}, { from })).status, 200);
        isError(await post(one.base, url('form_submit'), form, { from: '127.0.0.32', ...json }), 'bad_parameter');
    }
});

test('limits by address do not count 127.0.0.1', async () => {
    for (let i = 0; i < 40; i++) isError(await post(base, url('form_submit'), form, json), 'bad_parameter', 'name');
});

/* ── passwords ── */

const sign = (one, login, password, options = json) => post(one.base, url('agent_sign'), { login, password }, options);

test('thirty wrong passwords a minute from one address, whatever the logins are, then 429 for that address alone', async () => {
    await enoughOfWindow(25);
    const from = '127.8.0.1', statuses = [];
    for (let i = 0; i < 34; i++) statuses.push((await sign(instance, `invented${i}`, 'wrong', { from, ...json })).status);
    assert.deepEqual(statuses, [...Array(30).fill(401), ...Array(4).fill(429)]);
    const refused = await sign(instance, 'anna', instance.password, { from, ...json });
    assert.match(isError(refused, 'too_many', null).reason, /from your address/);
    assert.ok(Number(refused.headers['retry-after']) <= 60);
    assert.equal((await sign(instance, 'anna', instance.password, { from: '127.8.0.2', ...json })).status, 200);
    for (let i = 0; i < 31; i++) isError(await sign(instance, `more${i}`, 'wrong'), 'unauthorized'); // 127.0.0.1 is spared
});

test('five wrong passwords close an account for a quarter of an hour, whoever tries from wherever', async () => {
    await enoughOfWindow(30, 900);
    for (const login of ['ben', 'nobody-of-this-name']) {
        for (let i = 0; i < 5; i++) {
            const answer = await sign(strict, login, `wrong ${i}`, { from: `127.7.0.${i}`, ...json });
            isError(answer, 'unauthorized', null);
            assert.deepEqual(setCookies(answer), {});
        }
        const refused = await sign(strict, login, strict.password, { from: '127.7.0.9', ...json });
        isError(refused, 'too_many');
        assert.ok(Number(refused.headers['retry-after']) <= 900);
        const Authorization = `Basic ${Buffer.from(`${login}:${strict.password}`).toString('base64')}`;
        isError(await get(strict.base, url('vcs'), {}, { headers: { Authorization } }), 'too_many');
    }
    assert.equal((await sign(strict, 'anna', strict.password)).status, 200, 'others are not concerned');
});

test('a right password makes the wrong ones before it forgotten', async () => {
    for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 4; i++) isError(await sign(strict, 'sam', `wrong ${i}`), 'unauthorized');
        assert.equal((await sign(strict, 'sam', strict.password)).status, 200);
    }
});

test('of 400 wrong passwords at once for one account five are looked at, and then the right one is refused', async () => {
    const login = 'many', conf = path.join(instance.runDir, 'rtcc.conf');
    assert.equal((await rtcc(buildFolder, conf, ['agent', 'add', login, 'Many', 'agent'], `${instance.password}\n`)).status, 0);
    for (const whom of [login, 'nobody-either']) {
        const counts = {};
        let left = 400;
        const lane = async () => {
            while (left-- > 0) {
                const { status, body } = await sign(instance, whom, `wrong ${left}`);
                assert.ok([401, 429].includes(status), `${whom}: ${status} ${body}`);
                counts[status] = (counts[status] ?? 0) + 1;
            }
        };
        await Promise.all(Array.from({ length: 16 }, lane));
        assert.deepEqual(counts, { 401: 5, 429: 395 }, whom);
        isError(await sign(instance, whom, instance.password), 'too_many');
    }
});

test('an unknown login and a wrong password are one answer and take as long', async () => {
    const known = await sign(instance, 'anna', 'wrong'), unknown = await sign(instance, 'nobody', 'wrong');
    assert.equal(known.body, unknown.body);
    const logins = ['anna', 'ben', 'sam', 'admin'];
    for (let i = 0; i < 8; i++) await sign(instance, `warm${i}`, 'wrong'); // each process makes its comparison hash once
    const [one, other] = await compareTimes(12, (i) => sign(instance, logins[i % 4], 'wrong'), (i) => sign(instance,
        `nobody${i}`, 'wrong'));
    assert.ok(one > 5, `a password is dear to check (${one} ms)`);
    assert.ok(other > one * 0.6 && other < one * 1.7, `${one} ms and ${other} ms`);
});

test('a head or a page of an error says the same as its JSON', async () => {
    const login = 'somebody';
    for (let i = 0; i < 5; i++) await sign(strict, login, 'wrong');
    const reason = isError(await sign(strict, login, 'wrong'), 'too_many').reason;
    assert.equal(isErrorPage(await sign(strict, login, 'wrong', html), 429), reason);
    const head = await request(base, 'HEAD', url('vcs_call'), { query: { vanity: 'x' }, from: '127.0.0.77' });
    assert.equal(head.status, 404);
});
