/* agent_act: what an agent does. How offers pass from one to the next is in offers.test.js. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, confPoll, signIn, waitForOffer } from '../lib/people.js';
import { html, isError, isErrorPage, json, onDuty, talk } from '../lib/wire.js';

const url = '/cgi_bin/agent_act';
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const tryTo = (agent, action, fields = {}, options = {}) => post(base, url, { action, ...fields }, { bearer: agent.token, ...json,
    ...options });

/* ── ready, notready, settings ── */

test('ready and notready answer the agent as he is then', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    assert.deepEqual((({ state, reason }) => [state, reason])((await act(instance, agent, 'notready',
        { reason: 'lunch' })).agent),
        ['notready', 'lunch']);
    assert.deepEqual((({ state, reason }) => [state, reason])((await act(instance, agent, 'ready')).agent), ['ready', null]);
    assert.equal((await act(instance, agent, 'ready')).agent.state, 'ready', 'twice is once');
    assert.equal((await act(instance, agent, 'notready')).agent.reason, null, 'a reason need not be given');
    isError(await tryTo(agent, 'notready', { reason: 'x'.repeat(1000) }), 'bad_parameter', 'reason');
});

test('settings keeps the phone that he prefers, and an empty one takes it back', async () => {
    const agent = await signIn(instance, 'anna');
    for (const [phone, kept] of [['+1 603 555 1234', '+16035551234'], ['6035550000', '+16035550000'], ['', null]]) {
        assert.equal((await act(instance, agent, 'settings', { phone })).agent.phone, kept);
        assert.equal((await agentPoll(instance, agent)).agent.phone, kept);
    }
    await act(instance, agent, 'settings', { phone: '+16035551234' });
    await act(instance, agent, 'settings');
    assert.equal((await agentPoll(instance, agent)).agent.phone, '+16035551234', 'what is not named stays');
    for (const phone of ['x', '12', '+0123456789']) isError(await tryTo(agent, 'settings', { phone }), 'bad_parameter', 'phone');
});

test('whoever is not ready is offered nothing, and an offer that he held goes back', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const offer = await waitForOffer(instance, agent, customer.conference);
    await act(instance, agent, 'notready');
    assert.deepEqual((await agentPoll(instance, agent)).offers, []);
    assert.equal((await confPoll(instance, customer)).queue.position, 1);
    isError(await tryTo(agent, 'accept', { reservation: offer.reservation }), 'conflict', 'reservation');
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
});

/* ── accept, decline ── */

test('accept answers the conference, the token, the window and the join_url, and again the same', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const offer = await waitForOffer(instance, agent, customer.conference);
    const answers = await Promise.all(Array.from({ length: 5 }, () => accept(instance, agent, offer)));
    const [{ conference, token, window, join_url: joinUrl }] = answers;
    assert.equal(conference, customer.conference);
    assert.equal(window, `${base}/cgi_bin/conf_view?conf=${conference}&token=${token}`);
    assert.equal(joinUrl, offer.join_url);
    for (const one of [...answers, await accept(instance, agent, offer)]) assert.deepEqual(one, answers[0]);
    const events = await allEvents(instance, customer);
    assert.equal(events.filter((one) => one.kind === 'joined' && one.from.role === 'agent').length, 1);
    assert.deepEqual(events.filter((one) => one.kind === 'queue').map((one) => one.state), ['queued', 'accepted']);
    assert.equal((await confPoll(instance, { conference, token })).state, 'talking');
    await act(instance, agent, 'end', { conf: conference });
    assert.deepEqual(await accept(instance, agent, offer), answers[0], 'and when it has ended, too');
    assert.equal((await confPoll(instance, customer)).state, 'ended', 'which it stays');
});

test('accept by another agent is 409 already_taken, before and after', async (t) => {
    const anna = await onDuty(t, instance, 'anna'), customer = await ask(instance), ben = await signIn(instance, 'ben');
    const { reservation } = await waitForOffer(instance, anna, customer.conference);
    isError(await tryTo(ben, 'accept', { reservation }), 'already_taken');
    await accept(instance, anna, { reservation });
    isError(await tryTo(ben, 'accept', { reservation }), 'already_taken');
    assert.deepEqual((await agentPoll(instance, ben)).conferences, []);
});

test('two agents accept at the same moment: one wins, the other gets 409 already_taken', async (t) => {
    const anna = await onDuty(t, instance, 'anna'), ben = await signIn(instance, 'ben');
    for (let round = 0; round < 10; round++) {
        const customer = await ask(instance), offer = await waitForOffer(instance, anna, customer.conference);
        const byUrl = (agent) => get(base, offer.join_url.slice(base.length), {}, { bearer: agent.token, ...json });
        const byPost = (agent) => tryTo(agent, 'accept', { reservation: offer.reservation });
        const [first, second] = round % 2 ? [byUrl, byPost] : [byPost, byUrl];
        const [one, other, third] = await Promise.all([first(ben), byPost(anna), second(ben)]);
        assert.equal(other.status, 200, other.body);
        isError(one, 'already_taken');
        isError(third, 'already_taken');
        const joined = (await allEvents(instance,
            customer)).filter((event) => event.kind === 'joined' && event.from.role !== 'customer');
        assert.deepEqual(joined.map((event) => event.from.name), ['Anna']);
        await act(instance, anna, 'end', { conf: customer.conference });
    }
});

test('accept and decline need an offer that there is', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    for (const action of ['accept', 'decline']) {
        isError(await tryTo(agent, action), 'bad_parameter', 'reservation');
        isError(await tryTo(agent, action, { reservation: 'x' }), 'bad_parameter', 'reservation');
        isError(await tryTo(agent, action, { reservation: 0 }), 'bad_parameter', 'reservation');
        isError(await tryTo(agent, action, { reservation: 9007199254740991 }), 'not_found', 'reservation');
    }
});

test('decline gives the customer his place back; again it is the same, and accepting then is 409', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const { reservation } = await waitForOffer(instance, agent, customer.conference);
    for (let i = 0; i < 2; i++) assert.equal((await act(instance, agent, 'decline', { reservation })).reservation, reservation);
    assert.deepEqual((await agentPoll(instance, agent)).offers, []);
    assert.equal((await confPoll(instance, customer)).queue.position, 1);
    isError(await tryTo(agent, 'accept', { reservation }), 'conflict', 'reservation');
    assert.equal((await agentPoll(instance, agent)).agent.state, 'ready', 'he stays ready');
    const ben = await signIn(instance, 'ben');
    assert.ok([404, 409].includes((await tryTo(ben, 'decline', { reservation })).status), "nobody declines for another");
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
    assert.deepEqual((await allEvents(instance, customer)).filter((one) => one.kind === 'queue').map((one) => one.state),
        ['queued', 'abandoned'], 'the customer is not told who let him wait');
});

test('an offer whose customer has left cannot be accepted', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    const { reservation } = await waitForOffer(instance, agent, customer.conference);
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
    isError(await tryTo(agent, 'accept', { reservation }), 'conflict', 'reservation');
    assert.equal((await confPoll(instance, customer)).state, 'ended');
});

/* ── note, end ── */

test("a note is for the staff: it is in the agent's answers and never in the customer's", async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'anna'), before = (await confPoll(instance, customer)).after;
    const { id } = await act(instance, agent, 'note', { conf: customer.conference, text: 'speaks\nFrench', nonce: 'n1' });
    assert.equal((await act(instance, agent, 'note', { conf: customer.conference, text: 'speaks\nFrench', nonce: 'n1' })).id, id);
    assert.equal((await act(instance, agent, 'note', { conf: customer.conference, text: 'other', nonce: 'n1' })).id, id);
    const seen = (await confPoll(instance, staff)).events.filter((one) => one.kind === 'note');
    assert.deepEqual(seen.map((one) => [one.id, one.text, one.from.name]), [[id, 'speaks\nFrench', 'Anna']]);
    assert.ok((await agentPoll(instance, agent)).events.some((one) => one.id === id && one.kind === 'note'));
    const theirs = await confPoll(instance, customer, before);
    assert.deepEqual(theirs.events, []);
    assert.ok(theirs.after >= id, 'his cursor passes it');
    for (const format of ['html', 'txt', 'json']) {
        const query = { conf: customer.conference, token: customer.token, format };
        assert.doesNotMatch((await get(base, '/cgi_bin/transcript', query)).body, /speaks/);
    }
    for (const part of ['', 'page', 'log']) {
        const query = { conf: customer.conference, part, token: customer.token };
        const page = await get(base, '/cgi_bin/conf_view', part === '' ? { conf: query.conf } : query,
            { bearer: customer.token });
        assert.doesNotMatch(page.body, /speaks/);
    }
});

test('a note has up to 8,000 characters, and is needed', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), conf = customer.conference;
    await act(instance, agent, 'note', { conf, text: '\u{1f600}'.repeat(8000) });
    isError(await tryTo(agent, 'note', { conf, text: 'x'.repeat(8001) }), 'bad_parameter', 'text');
    isError(await tryTo(agent, 'note', { conf }), 'bad_parameter', 'text');
    isError(await tryTo(agent, 'note', { text: 'x' }), 'bad_parameter', 'conf');
});

test('end ends the conference for all, once', async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'anna'), { after } = await confPoll(instance, customer);
    const waiting = confPoll(instance, customer, after, 10);
    const told = await act(instance, agent, 'end', { conf: customer.conference });
    assert.deepEqual([told.conference, told.state], [customer.conference, 'ended']);
    const said = await waiting;
    assert.equal(said.state, 'ended');
    assert.deepEqual(said.events.filter((one) => one.kind === 'state').map((one) => [one.state, one.from.name]), [['ended', 'Anna']]);
    assert.equal((await act(instance, agent, 'end', { conf: customer.conference })).state, 'ended', 'twice is once');
    assert.equal((await allEvents(instance, staff)).filter((one) => one.kind === 'state' && one.state === 'ended').length, 1);
    isError(await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'message',
        text: 'x' }),
        'conflict', 'conf');
    assert.deepEqual((await agentPoll(instance, agent)).conferences, []);
});

test('note and end are for those who are in the conference', async (t) => {
    const { customer } = await talk(t, instance, 'anna'), ben = await signIn(instance, 'ben');
    for (const [action, fields] of [['note', { text: 'x' }], ['end', {}]]) {
        isError(await tryTo(ben, action, { ...fields, conf: customer.conference }), 'forbidden', 'conf');
        for (const conf of ['x', '123456789012345server']) {
            assert.ok([403, 404].includes((await tryTo(ben, action, { ...fields, conf })).status), conf);
        }
        isError(await tryTo(ben, action, fields), 'bad_parameter', 'conf');
    }
    assert.equal((await confPoll(instance, customer)).state, 'talking');
});

/* ── all of them ── */

test('any other action is 400 and a browser is sent back to the agent\'s page', async (t) => {
    const agent = await onDuty(t, instance, 'ben');
    for (const action of ['', 'READY', 'sleep', 'accept ready']) isError(await tryTo(agent, action), 'bad_parameter', 'action');
    isError(await post(base, url, {}, { bearer: agent.token }), 'bad_parameter', 'action');
    for (const [action, fields] of [['ready', {}], ['settings', { phone: '' }], ['notready', { reason: 'x' }]]) {
        const answer = await post(base, url, { action, csrf: agent.csrf, ...fields }, { cookie: agent.cookie, ...html });
        assert.equal(answer.status, 303, answer.body);
        assert.equal(new URL(answer.headers.location, base).pathname, '/agent.html');
    }
    isErrorPage(await post(base, url, { action: 'accept', csrf: agent.csrf }, { cookie: agent.cookie, ...html }), 400);
});
