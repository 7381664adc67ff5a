/* agent_poll: what an agent's page is told, at once and while it waits. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { buildFolder, sleep, startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, ask, confPoll, say, signIn, waitForOffer } from '../lib/people.js';
import { hasMembers, isError, isQuick, json, onDuty, rtcc, talk } from '../lib/wire.js';

const url = '/cgi_bin/agent_poll';
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
});
after(() => instance.stop());

const poll = (agent, query, options = {}) => get(base, url, query, { bearer: agent.token, ...options });

/* A poll that waits for what comes after `after`: {ended, said(): its JSON, ms(): from now until it came}. */
function held(agent, after, wait = 10) {
    const began = performance.now();
    return poll(agent, { after, wait }).then((answer) => ({ ...answer.json(), status: answer.status, at: performance.now(),
        ms: performance.now() - began }));
}

test('the answer has the fields of the contract, at once with after=0', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), began = Date.now();
    const answer = await poll(agent, {});
    assert.ok(Date.now() - began < 1000, 'after=0 does not wait');
    const said = answer.json();
    hasMembers(said, 'after', 'agent', 'conferences', 'csrf', 'events', 'more', 'offers');
    assert.ok(Number.isSafeInteger(said.after));
    assert.equal(said.more, false);
    assert.equal(said.csrf, agent.csrf);
    for (const name of ['offers', 'conferences', 'events']) assert.deepEqual(said[name], [], name);
    const { state, next, reason, capacity, busy, phone } = said.agent;
    assert.deepEqual({ state, next, reason, capacity, busy, phone }, { state: 'ready', next: null, reason: null, capacity: 4,
        busy: 0,
        phone: null });
});

test('an offer has the fields of the contract', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    const first = await ask(instance, { phone: '+16035557777' });
    await post(base, '/cgi_bin/conf_post', { conf: first.conference, token: first.token, kind: 'leave' });
    const customer = await ask(instance, { phone: '603 555 7777', question: 'Where is it?', topic: 'Orders' });
    const offer = await waitForOffer(instance, agent, customer.conference), now = Date.now();
    assert.ok(Number.isSafeInteger(offer.reservation));
    assert.match(offer.join_url,
        new RegExp(`^${base}/cgi_bin/vcs_call\\?action=add&&vanity=\\d{6}[13579]&call_callid=${offer.conference}$`));
    assert.ok(offer.expires_at > now + 15000 && offer.expires_at <= now + 20500, 'a moment in 20 seconds');
    assert.ok(offer.expires_s >= 18 && offer.expires_s <= 20, String(offer.expires_s));
    assert.deepEqual([offer.customer.name, offer.customer.phone], ['Ann', '+16035557777']);
    assert.deepEqual([offer.subject, offer.topic, offer.skill], ['Where is it?', 'Orders', '']);
    assert.ok(Number.isSafeInteger(offer.waited_s) && offer.waited_s < 5);
    assert.deepEqual(offer.gathered, {});
    assert.equal(offer.contacts, 1, 'he has asked once before');
    assert.deepEqual(offer.history.filter((one) => one.kind !== 'queue').map((one) => one.kind).sort(), ['joined', 'message']);
    const { id, at, from, text } = offer.history.find((one) => one.kind === 'message');
    assert.ok(Number.isSafeInteger(id) && Math.abs(at - now) < 60000);
    assert.deepEqual([from.role, from.name, text], ['customer', 'Ann', 'Where is it?']);
    await sleep(1100);
    const later = await waitForOffer(instance, agent, customer.conference);
    assert.ok(later.expires_s < offer.expires_s, 'it counts down');
    assert.ok(later.waited_s > 0, 'and up');
    assert.equal(later.reservation, offer.reservation);
    assert.equal(later.expires_at, offer.expires_at);
});

test('a conference that he is in is listed, and its events come with its id', async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'anna', { question: 'One?' });
    const other = await ask(instance, { question: 'Two?' });
    const second = await accept(instance, agent, await waitForOffer(instance, agent, other.conference));
    const said = await agentPoll(instance, agent);
    assert.deepEqual(said.conferences.map((one) => one.conference), [customer.conference, other.conference]);
    assert.deepEqual(said.conferences.map((one) => one.token), [staff.token, second.token]);
    assert.equal(said.agent.busy, 2);
    for (const [room, text] of [[customer, 'One?'], [other, 'Two?']]) {
        const mine = said.events.filter((one) => one.conference === room.conference);
        assert.deepEqual(mine.filter((one) => one.kind === 'message').map((one) => one.text), [text]);
        const { events } = await confPoll(instance, { conference: room.conference,
            token: said.conferences.find((one) => one.conference === room.conference).token });
        assert.deepEqual(mine.map(({ conference, ...rest }) => rest), events, 'the same as in the room');
    }
    const ids = said.events.map((one) => one.id);
    assert.deepEqual(ids, [...ids].sort((a, b) => a - b), 'in one order');
    await act(instance, agent, 'end', { conf: other.conference });
});

test('a waiting poll hears an offer, what is said, and his own state, each within 200 ms', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    /* How long the waiting poll takes to hear of a deed; `look` sees what it was told. */
    const hears = async (deed, look) => {
        const waiting = held(agent, (await agentPoll(instance, agent)).after);
        await sleep(200);
        const done = await deed(), began = performance.now(), said = await waiting;
        await look(said, done);
        return said.at - began;
    };
    let customer, staff;
    await isQuick('an offer', 200, () => hears(() => ask(instance), async (said, asked) => {
        if (customer) await act(instance, agent, 'end', { conf: customer.conference });
        customer = asked;
        assert.equal(said.offers[0].conference, customer.conference);
        staff = await accept(instance, agent, said.offers[0]);
    }));
    for (const who of [customer, staff]) {
        await isQuick('a message', 200, () => hears(() => say(instance, who, 'hello'), (said) => {
            assert.deepEqual(said.events.map((one) => [one.kind, one.text, one.conference]), [['message', 'hello',
                customer.conference]]);
        }));
    }
    await isQuick('his state', 200, (i) => hears(() => act(instance, agent, 'notready', { reason: `lunch ${i}` }), (said) => {
        assert.equal(said.agent.state, 'notready');
    }));
});

test('a waiting poll hears what the customer writes while it rings', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), customer = await ask(instance);
    await waitForOffer(instance, agent, customer.conference);
    await isQuick('a message', 200, async (i) => {
        const waiting = held(agent, (await agentPoll(instance, agent)).after);
        await sleep(200);
        await say(instance, customer, `still there? ${i}`);
        const began = performance.now(), said = await waiting;
        assert.equal(said.offers[0].history.at(-1).text, `still there? ${i}`);
        assert.deepEqual(said.events, [], 'he is not in the room');
        return said.at - began;
    });
});

test('the customer who leaves takes the offer with him, and a waiting poll hears it', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    await isQuick('the offer is gone', 200, async () => {
        const customer = await ask(instance);
        await waitForOffer(instance, agent, customer.conference);
        const waiting = held(agent, (await agentPoll(instance, agent)).after);
        await sleep(200);
        await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
        const began = performance.now(), said = await waiting;
        assert.deepEqual(said.offers, []);
        return said.at - began;
    });
});

test('the end of a conference is told, with why', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), { after } = await agentPoll(instance, agent);
    const waiting = held(agent, after);
    await sleep(200);
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
    const said = await waiting;
    assert.deepEqual(said.conferences, []);
    assert.equal(said.agent.busy, 0);
    assert.ok(said.events.some((one) => one.kind === 'state' && one.state === 'ended' && one.conference === customer.conference));
});

test('where nothing has ever happened a poll is held as anywhere', async () => {
    const fresh = await startInstance();
    try {
        const agent = await signIn(fresh, 'anna'), { after } = await agentPoll(fresh, agent), began = performance.now();
        assert.ok(after > 0, 'behind 0 everything is told at once');
        await agentPoll(fresh, agent, after, 2);
        assert.ok(performance.now() - began > 1500);
    } finally {
        await fresh.stop();
    }
});

test('a poll that waits ends with its session, and is told nothing more; the one of another session goes on', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), other = await signIn(instance, 'anna');
    const { after } = await agentPoll(instance, agent), waiting = [held(agent, after), held(other, after)];
    await sleep(200);
    const began = performance.now();
    assert.equal((await post(base, '/cgi_bin/agent_sign', { action: 'out' }, { bearer: agent.token })).status, 200);
    const [ended, goesOn] = await Promise.all(waiting);
    assert.equal(ended.status, 401);
    assert.equal(ended.error.code, 'unauthorized');
    assert.ok(ended.at - began < 3000, `${ended.at - began} ms`);
    assert.equal(goesOn.status, 200);
    assert.deepEqual(goesOn.conferences.map((one) => one.conference), [customer.conference]);

    const last = held(other, (await agentPoll(instance, other)).after);
    await sleep(200);
    await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['agent', 'password', 'anna'], `${instance.password}\n`);
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'message', text: 'a secret' });
    const told = await last;
    assert.equal(told.status, 401);
    assert.ok(!JSON.stringify(told).includes('a secret'));
});

test('typing of his customers reaches a waiting poll and carries no new id', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna'), { after } = await agentPoll(instance, agent);
    const waiting = held(agent, after);
    await sleep(200);
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'typing' });
    const said = await waiting;
    assert.deepEqual(said.events.map((one) => [one.kind, one.conference, one.from.role]), [['typing', customer.conference,
        'customer']]);
    assert.equal(said.after, after);
    assert.ok(said.events[0].id <= after);
});

test('a poll without news ends after its wait', async (t) => {
    const agent = await onDuty(t, instance, 'ben'), { after } = await agentPoll(instance, agent);
    const none = await held(agent, after, 1);
    assert.ok(none.ms > 900 && none.ms < 2500, `${none.ms} ms`);
    assert.deepEqual([none.events, none.after], [[], after]);
    assert.ok((await held(agent, after, 0)).ms < 500, 'wait=0 does not wait');
    isError(await poll(agent, { wait: 26 }, json), 'bad_parameter', 'wait');
    isError(await poll(agent, { after: -1 }, json), 'bad_parameter', 'after');
    assert.equal((await poll(agent, { after: 9007199254740991, wait: 0 })).json().after, after,
        'a cursor from beyond the end is the end');
});

test('nothing of conferences that he is not in is told', async (t) => {
    const { customer } = await talk(t, instance, 'anna'), ben = await onDuty(t, instance, 'ben');
    await say(instance, customer, 'for Anna only');
    const said = await agentPoll(instance, ben);
    assert.deepEqual([said.events, said.conferences, said.offers], [[], [], []]);
});

test('more than 500 events come in parts, each once and in order', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna');
    const { after } = await agentPoll(instance, agent);
    for (let i = 0; i < 22; i++) {
        await Promise.all(Array.from({ length: 25 }, (_, n) => say(instance, customer, `${i * 25 + n}`)));
    }
    const parts = [];
    for (let from = after, more = true; more;) {
        const said = await agentPoll(instance, agent, from);
        parts.push(said.events.length);
        assert.ok(said.events.length <= 500 && said.after > from);
        ({ after: from, more } = said);
    }
    assert.deepEqual(parts, [500, 50]);
});

test('several waiting polls of one agent all hear', async () => {
    const one = await signIn(instance, 'anna'), two = await signIn(instance, 'anna');
    const { after } = await agentPoll(instance, one);
    const waiting = [held(one, after), held(one, after), held(two, after)];
    await sleep(300);
    await act(instance, one, 'notready', { reason: 'three windows' });
    for (const said of await Promise.all(waiting)) assert.equal(said.agent.reason, 'three windows');
});
