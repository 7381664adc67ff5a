/* vcs_call: joining by code, by token and in an agent's session, the list of legs, and /call/CODE, the short way in. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookiesOf, find, get, post } from '../lib/http.js';
import { buildFolder, startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, say, signIn, waitForOffer } from '../lib/people.js';
import { basic, hasMembers, html, isError, isErrorPage, join, json, onDuty, only, room, rtcc, schedule,
    textAt } from '../lib/wire.js';

let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const call = '/cgi_bin/vcs_call';
const newKey = async () => (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
const foreign = { headers: { Origin: 'http://customer.example' } };
const addressOf = (offer) => offer.join_url.slice(base.length);

/* ── a browser joins ── */

test('add answers the member, his role, his token and his window', async () => {
    const { id, participant, leader } = await schedule(base);
    for (const [code, role] of [[participant, 'participant'], [leader, 'leader']]) {
        const answer = await get(base, `${call}?action=add&&vanity=${code}&call_callid=${id}`);
        assert.equal(answer.status, 200);
        const root = answer.xml(), [member] = find(root, 'member');
        assert.equal(root.name, 'call');
        assert.deepEqual(root.attributes, { conference: id, state: 'joined' });
        hasMembers(member.attributes, 'id', 'role', 'token');
        assert.equal(member.attributes.role, role);
        assert.match(member.attributes.id, /^[1-9]\d*$/);
        assert.match(member.attributes.token, /^m_[\w-]+$/);
        assert.equal(textAt(root, 'window'), `${base}/cgi_bin/conf_view?conf=${id}&token=${member.attributes.token}`);
        assert.match(answer.body, /<member [^>]*\/>/);
    }
});

test('the JSON of add says the same', async () => {
    const { id, participant } = await schedule(base), query = { vanity: participant, call_callid: id, reqid: 'as json' };
    const one = (await get(base, call, query)).xml(), other = (await get(base, call, query, json)).json();
    const { member } = other;
    assert.deepEqual(only(other, 'conference', 'state', 'window'), { conference: id, state: 'joined', window: textAt(one,
        'window') });
    assert.deepEqual({ ...member, id: String(member.id) }, find(one, 'member')[0].attributes);
});

test('add is what is done when no action is named, and works by GET and by POST', async () => {
    const { id, participant } = await schedule(base), fields = { vanity: participant, call_callid: id };
    for (const answer of [await get(base, call, fields), await post(base, call, fields), await post(base, call, { ...fields,
        action: 'add' })]) {
        assert.equal(answer.xml().attributes.state, 'joined');
    }
});

test('a browser is sent to the window with 303', async () => {
    const { id, participant } = await schedule(base);
    const answer = await get(base, call, { vanity: participant, call_callid: id, reqid: 'b' }, html);
    assert.equal(answer.status, 303);
    const window = new URL(answer.headers.location, base);
    assert.equal(window.pathname, '/cgi_bin/conf_view');
    assert.equal(window.searchParams.get('conf'), id);
    assert.match(window.searchParams.get('token'), /^m_/);
    assert.equal((await get(base, window.pathname + window.search)).status, 303, 'which takes the token out of the address');
});

test('the code alone is enough, with the conference id both must fit', async () => {
    const one = await schedule(base), two = await schedule(base), from = '127.0.1.1';
    assert.equal((await get(base, call, { vanity: one.participant }, { from })).xml().attributes.conference, one.id);
    isError(await get(base, call, { vanity: one.participant, call_callid: two.id }, { from }), 'not_found', 'vanity');
    isError(await get(base, call, { vanity: one.participant, call_callid: 'x' }, { from }), 'not_found', 'vanity');
    isError(await get(base, call, { call_callid: one.id }, { from }), 'bad_parameter', 'vanity');
    isError(await get(base, call, {}, { from }), 'bad_parameter', 'vanity');
});

test("the name is shown, and may be missing or have 100 characters", async () => {
    const { id, participant } = await schedule(base), watcher = await join(base, participant, id, { name: 'Watcher' });
    for (const name of ['', '  Bob  ', '漢'.repeat(100), '<b>&"']) {
        await join(base, participant, id, { name });
        const events = await allEvents(instance, watcher);
        assert.equal(events.at(-1).kind, 'joined');
        assert.equal(events.at(-1).from.name, name.trim());
        assert.equal(events.at(-1).from.role, 'customer');
    }
    isError(await post(base, call, { vanity: participant, call_callid: id, name: 'x'.repeat(101) }), 'bad_parameter', 'name');
});

test("a guest's reqid counts for his address only", async () => {
    const { id, participant } = await schedule(base), query = { vanity: participant, call_callid: id, reqid: 'guest' };
    const tokenAt = async (from) => (await get(base, call, query, { ...json, from,
        headers: { ...json.headers, ...foreign.headers } })).json().member.token;
    const one = await tokenAt('127.0.0.21'), again = await tokenAt('127.0.0.21'), other = await tokenAt('127.0.0.22');
    assert.equal(again, one);
    assert.notEqual(other, one, 'a guessed reqid opens nobody else\'s membership');
    assert.notEqual((await get(base, call, query, json)).json().member.token, one, 'nor does it for the account local');
});

test('reqid makes a repeat the same member, ten at once included', async () => {
    const { id, participant } = await schedule(base), form = { name: 'Ann', reqid: 'r'.repeat(64) };
    const members = await Promise.all(Array.from({ length: 10 }, () => join(base, participant, id, form)));
    assert.equal(new Set(members.map((one) => one.member)).size, 1);
    assert.equal(new Set(members.map((one) => one.token)).size, 1);
    const joined = (await allEvents(instance, members[0])).filter((one) => one.kind === 'joined');
    assert.equal(joined.length, 1);
    const other = await schedule(base);
    assert.notEqual((await join(base, other.participant, other.id, form)).member, members[0].member,
        'in another room it is another');
});

test("a request that carries a member's token gets the existing member", async () => {
    const { id, participant, customer, agent } = await room(base);
    const cookie = cookiesOf(await get(base, '/cgi_bin/conf_view', { conf: id, token: customer.token }));
    const before = (await allEvents(instance, agent)).length;
    const again = [await get(base, call, { vanity: participant, call_callid: id, token: customer.token }, json),
        await get(base, call, { call_callid: id }, { bearer: customer.token, ...json }),
        await get(base, call, { vanity: participant }, { bearer: customer.token, ...json }),
        await get(base, call, { vanity: participant, token: customer.token }, { ...foreign, ...json }),
        await get(base, call, { vanity: participant, call_callid: id }, { cookie, ...json }),
        await get(base, `/call/${participant}`, {}, { cookie, ...json })];
    for (const answer of again) assert.equal(answer.json().member.id, customer.member);
    assert.equal((await get(base, call, { call_callid: id, token: agent.token })).xml().children[0].attributes.role, 'leader');
    assert.equal((await allEvents(instance, agent)).length, before, 'nobody joined');
    const other = await room(base);
    for (const query of [{ vanity: participant, call_callid: id }, { vanity: participant }, { call_callid: id }]) {
        isError(await get(base, call, { ...query, token: other.customer.token }), 'unauthorized');
    }
});

test('joining a conference that has ended is 404 by code', async () => {
    const { id, participant, leader } = await schedule(base), from = '127.0.1.2';
    await get(base, '/cgi_bin/vcs_conf_delete', { delete_vanity: leader });
    isError(await get(base, call, { vanity: participant, call_callid: id }, { from }), 'not_found', 'vanity');
});

/* ── in an agent's session ── */

test('opened in the session of the agent to whom it was offered, the invitation accepts the offer', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const offer = await waitForOffer(instance, agent, customer.conference);
    assert.match(offer.join_url, /\/cgi_bin\/vcs_call\?action=add&&vanity=\d{7}&call_callid=\d{15}server$/);
    const answer = await get(base, addressOf(offer), {}, { cookie: agent.cookie, ...foreign, ...html });
    assert.equal(answer.status, 303);
    const { state } = (await get(base, '/cgi_bin/conf_poll', { conf: customer.conference, token: customer.token })).json();
    assert.equal(state, 'talking');
    const poll = await agentPoll(instance, agent);
    assert.deepEqual(poll.offers, []);
    assert.deepEqual(poll.conferences.map((one) => one.conference), [customer.conference]);
    const again = await get(base, addressOf(offer), {}, { bearer: agent.token });
    assert.equal(find(again.xml(), 'member')[0].attributes.role, 'leader');
    assert.equal(find(again.xml(), 'member')[0].attributes.token, poll.conferences[0].token, 'opened again: the same member');
    const kinds = (await allEvents(instance, customer)).filter((one) => one.kind === 'joined');
    assert.equal(kinds.length, 2);
});

test('another agent gets 409 already_taken, before and after it was accepted', async (t) => {
    const anna = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const offer = await waitForOffer(instance, anna, customer.conference), ben = await signIn(instance, 'ben');
    const open = (agent, options = {}) => get(base, addressOf(offer), {}, { bearer: agent.token, ...options });
    isError(await open(ben), 'already_taken');
    await accept(instance, anna, offer);
    isError(await open(ben), 'already_taken');
    isErrorPage(await get(base, addressOf(offer), {}, { cookie: ben.cookie, ...html }), 409);
    assert.equal((await open(anna)).status, 200);
    assert.deepEqual((await agentPoll(instance, ben)).conferences, []);
});

test('a supervisor comes in as leader where he was offered nothing', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance), sam = await signIn(instance, 'sam');
    const offer = await waitForOffer(instance, agent, customer.conference);
    const answer = await get(base, addressOf(offer), {}, { bearer: sam.token }), member = find(answer.xml(),
        'member')[0].attributes;
    assert.equal(member.role, 'leader');
    const byBasic = await get(base, addressOf(offer), {}, basic('sam', instance.password));
    assert.equal(find(byBasic.xml(), 'member')[0].attributes.id, member.id, 'by session or by Basic he is the same');
    assert.equal((await allEvents(instance, customer)).filter((one) => one.kind === 'joined').at(-1).from.role, 'supervisor');
    await act(instance, sam, 'end', { conf: customer.conference });
});

test('an API key leads with the code of the leader and takes part with the other', async () => {
    const bearer = await newKey();
    const { id, leader, participant } = await schedule(base);
    const options = { bearer, ...foreign };
    assert.equal((await join(base, leader, id, {}, options)).role, 'leader');
    assert.equal((await join(base, participant, id, {}, options)).role, 'participant');
});

/* ── list, and what comes with the telephones ── */

test('who joined with an API key under a reqid gets the same answer after the end; nobody else does', async () => {
    const keyed = async () => (await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['key', 'add', 'x'])).stdout.trim();
    const bearer = await keyed(), { id, participant } = await schedule(base);
    const query = { vanity: participant, call_callid: id, reqid: 'then', text: 'hello' };
    const before = await post(base, call, query, { bearer });
    await get(base, '/cgi_bin/vcs_conf_delete', { delete_vanity: participant });
    const again = await post(base, call, query, { bearer });
    assert.deepEqual([again.status, again.body], [200, before.body]);
    isError(await post(base, call, { ...query, reqid: 'now' }, { bearer }), 'not_found', 'vanity');
    isError(await post(base, call, query, { bearer: await keyed() }), 'not_found', 'vanity');
    isError(await post(base, call, query), 'not_found', 'vanity');
});

test('list answers all legs, to the leader and to a participant', async () => {
    const { id, participant, leader, customer, agent } = await room(base);
    const wanted = [[String(customer.member), 'participant', 'Ann'], [String(agent.member), 'leader', 'Anna']];
    for (const query of [{ vanity: leader, call_callid: id }, { vanity: participant, call_callid: id },
        { call_callid: id, token: customer.token }, { call_callid: id, token: agent.token }]) {
        const root = (await get(base, call, { action: 'list', ...query })).xml();
        assert.equal(root.attributes.conference, id);
        const calls = find(root, 'call');
        assert.deepEqual(calls.map((one) => one.attributes.state), ['joined', 'joined']);
        assert.deepEqual(calls.map((one) => { const m = find(one, 'member')[0].attributes; return [m.id, m.role, m.name]; }),
            wanted);
        assert.ok(calls.every((one) => find(one, 'member')[0].attributes.token === undefined), "nobody gets another's token");
    }
    await post(base, '/cgi_bin/conf_post', { conf: id, token: agent.token, kind: 'leave' });
    const states = find((await get(base, call, { action: 'list', call_callid: id, token: customer.token })).xml(), 'call')
        .map((one) => one.attributes.state);
    assert.deepEqual(states, ['joined', 'ended']);
});

test('without telephones, add with a phone is 503 with a plain sentence and adds nobody', async () => {
    const { id, participant, customer } = await room(base), before = (await allEvents(instance, customer)).length;
    const fields = { action: 'add', vanity: participant, call_callid: id, phone: '+16035551234' };
    for (const options of [{}, json]) {
        const answer = await post(base, call, fields, options);
        assert.match(isError(answer, 'unavailable').reason, /[Tt]elephone/);
    }
    isErrorPage(await post(base, call, fields, html), 503);
    assert.equal((await allEvents(instance, customer)).length, before);
});

test('only who leads the conference may record it, and is told that there are no telephones', async () => {
    const { id, leader, participant, customer, agent } = await room(base), key = { bearer: await newKey() };
    const anna = await signIn(instance, 'anna'), sam = await signIn(instance, 'sam');
    const by = (query, options) => post(base, call, { action: 'record', call_callid: id, ...query }, options);
    for (const [query, options] of [[{ token: customer.token }], [{ vanity: participant }], [{ vanity: leader }, foreign],
        [{ vanity: leader }, { bearer: anna.token }], [{ vanity: participant }, key]]) {
        isError(await by(query, options), 'forbidden', 'action');
    }
    for (const [query, options] of [[{ token: agent.token }], [{ vanity: leader }], [{ vanity: leader }, key],
        [{ vanity: leader }, { bearer: sam.token }]]) isError(await by(query, options), 'unavailable');
});

test('drop, mute and unmute name a leg; there is none; another action is 400', async () => {
    const { id, leader, agent } = await room(base), fields = { vanity: leader, call_callid: id };
    for (const action of ['drop', 'mute', 'unmute']) {
        isError(await post(base, call, { ...fields, action }), 'bad_parameter', 'id');
        isError(await post(base, call, { ...fields, action, id: 12345 }), 'not_found', 'id');
    }
    for (const action of ['record', 'stop_record']) isError(await post(base, call, { ...fields, action }), 'unavailable');
    isError(await post(base, call, { ...fields, action: 'nonsense' }), 'bad_parameter', 'action');
    isError(await post(base, call, { call_callid: id, token: agent.token, action: 'nonsense' }), 'bad_parameter', 'action');
});

/* ── /call/CODE ── */

test('/call/CODE asks for the name and joins as participant', async () => {
    const { id, participant, leader } = await schedule(base), watcher = await join(base, participant, id);
    for (const code of [participant, leader]) {
        const page = await get(base, `/call/${code}`, {}, html);
        assert.equal(page.status, 200);
        assert.match(page.headers['content-type'], /^text\/html/);
        assert.match(page.body, /<form [^>]*method="post" action="\/call\/\d{7}"/);
        const reqid = /name="reqid" value="([^"]+)"/.exec(page.body)[1];
        const form = { name: `by ${code}`, reqid };
        const sent = await post(base, `/call/${code}`, form, html), again = await post(base, `/call/${code}`, form, html);
        assert.equal(sent.status, 303);
        assert.equal(again.headers.location, sent.headers.location, 'sent twice: the same member');
        const token = new URL(sent.headers.location, base).searchParams.get('token');
        await say(instance, { conference: id, token }, 'hello');
        const said = (await allEvents(instance, watcher)).at(-1);
        assert.deepEqual([said.from.role, said.from.name], ['customer', `by ${code}`]);
    }
});

test('/call/CODE without a name says so beside the field', async () => {
    const { participant } = await schedule(base);
    for (const name of ['', '   ']) {
        const page = await post(base, `/call/${participant}`, { name }, html);
        assert.equal(page.status, 400);
        assert.match(page.body, /Enter your name/);
        assert.match(page.body, /aria-invalid="true"/);
    }
});

test("/call/CODE is for the agent's session what the invitation is", async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const offer = await waitForOffer(instance, agent, customer.conference), code = /vanity=(\d{7})/.exec(offer.join_url)[1];
    const ben = await signIn(instance, 'ben');
    isErrorPage(await get(base, `/call/${code}`, {}, { cookie: ben.cookie, ...html }), 409);
    const answer = await get(base, `/call/${code}`, {}, { cookie: agent.cookie, ...html });
    assert.equal(answer.status, 303);
    const member = await get(base, `/call/${code}`, {}, { bearer: agent.token, ...json });
    assert.equal(member.json().member.role, 'leader');
    await act(instance, agent, 'end', { conf: customer.conference });
});

test('a wrong code at /call is one sentence in the form that was asked for', async () => {
    const { leader } = await schedule(base);
    await get(base, '/cgi_bin/vcs_conf_delete', { delete_vanity: leader });
    isErrorPage(await get(base, `/call/${leader}`, {}, { from: '127.0.1.3', ...html }), 404);
    isError(await get(base, `/call/${leader}`, {}, { from: '127.0.1.3', ...json }), 'not_found', 'vanity');
    for (const path of ['/call/', '/call/x', '/call/12345678', '/call/0000001/x']) {
        assert.equal((await get(base, path, {}, { from: '127.0.1.4', ...json })).status, 404, path);
    }
});
