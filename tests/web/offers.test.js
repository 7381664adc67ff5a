/* Offers: one at a time, in order, for a limited time, and never to somebody who is not there. The times are short here (2 s to
 * accept, gone after 2 s); that they are 20 s and 45 s by default is the table of settings, and agent_poll.test.js sees the 20.
 * */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { buildFolder, sleep, startInstance, until } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, confPoll, readyAgent, signIn, waitForOffer } from '../lib/people.js';
import { isError, json } from '../lib/wire.js';

const OFFER_S = 2, GONE_S = 2;
let instance, base;
before(async () => {
    instance = await startInstance({ settings: { offer_s: OFFER_S, gone_s: GONE_S, hold_s: 1, capacity: 2 } });
    ({ base } = instance);
});
after(() => instance.stop());

const leave = (customer) => post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
const list = async () => (await get(base, '/cgi_bin/queue', { action: 'list' })).json().invitations;
const trace = async ({ conference }) => (await get(base, '/cgi_bin/queue', { action: 'trace',
    conf: conference })).json().decisions;
const told = async (customer,
    login) => (await trace(customer)).filter((one) => one.candidate === login).map((one) => one.verdict);
const tryTo = (agent, action, fields) => post(base, '/cgi_bin/agent_act', { action, ...fields }, { bearer: agent.token,
    ...json });

/* Every test begins with an empty queue and nobody ready. */
beforeEach(async () => {
    for (const login of ['anna', 'ben', 'sam']) {
        const agent = await signIn(instance, login);
        await act(instance, agent, 'notready');
        for (const { conference } of (await agentPoll(instance, agent)).conferences) await act(instance, agent, 'end',
            { conf: conference });
    }
    for (const { invitation } of await list()) await post(base, '/cgi_bin/queue', { action: 'cancel', invitation });
});

/* Polls on behalf of an agent until stop() is called, as his page does. */
function keepHere(agent) {
    let isOver = false;
    const run = (async () => { while (!isOver) await agentPoll(instance, agent, 1e15, 1); })();
    return { stop: () => { isOver = true; return run; } };
}

test('an agent is offered one at a time, and no more than his capacity', async () => {
    const agent = await readyAgent(instance, 'anna'), customers = [];
    for (let i = 0; i < 4; i++) customers.push(await ask(instance));
    for (let i = 0; i < 2; i++) {
        const { offers } = await agentPoll(instance, agent);
        assert.deepEqual(offers.map((one) => one.conference), [customers[i].conference], 'the one who has waited longest');
        await accept(instance, agent, offers[0]);
    }
    const { offers, agent: told } = await agentPoll(instance, agent);
    assert.deepEqual([offers, told.busy, told.capacity], [[], 2, 2]);
    assert.deepEqual((await list()).map((one) => one.state), ['queued', 'queued']);
    await act(instance, agent, 'end', { conf: customers[0].conference });
    assert.equal((await waitForOffer(instance, agent)).conference, customers[2].conference, 'there is room again');
});

test('an offer that nobody answers goes to the next agent, and its customer keeps his place', async () => {
    const anna = await readyAgent(instance, 'anna'), first = await ask(instance), second = await ask(instance);
    await waitForOffer(instance, anna, first.conference);
    const began = Date.now(), [{ queued_at: queuedAt }] = await list();
    const ben = await readyAgent(instance, 'ben');
    assert.equal((await waitForOffer(instance, ben)).conference, second.conference);
    await act(instance, ben, 'decline', { reservation: (await waitForOffer(instance, ben)).reservation });
    const offer = await waitForOffer(instance, ben, first.conference), took = Date.now() - began;
    assert.ok(took > OFFER_S * 1000 - 400 && took < OFFER_S * 1000 + 2500, `${took} ms`);
    const [one, two] = await list();
    assert.deepEqual([one.conference, one.position, one.queued_at], [first.conference, 1, queuedAt]);
    assert.deepEqual([two.conference, two.position], [second.conference, 2]);
    assert.equal((await confPoll(instance, first)).queue.position, 1);
    assert.deepEqual((await told(first, 'anna')).slice(0, 2), ['offered', 'no_answer']);
    const { offers, agent } = await agentPoll(instance, anna);
    assert.deepEqual([offers, agent.state, agent.reason], [[], 'notready', 'no_answer'],
        'whoever does not answer is asked nothing more');
    await accept(instance, ben, offer);
});

test('an offer that ran out cannot be accepted: 409 while nobody has him, already_taken when another has', async () => {
    const anna = await readyAgent(instance, 'anna'), customer = await ask(instance);
    const { reservation } = await waitForOffer(instance, anna, customer.conference);
    await until(async () => (await list())[0].state === 'queued', 'it ran out', 6000);
    isError(await tryTo(anna, 'accept', { reservation }), 'conflict', 'reservation');
    isError(await tryTo(anna, 'decline', { reservation }), 'conflict', 'reservation');
    const ben = await readyAgent(instance, 'ben');
    await accept(instance, ben, await waitForOffer(instance, ben, customer.conference));
    isError(await tryTo(anna, 'accept', { reservation }), 'already_taken');
    assert.equal((await allEvents(instance, customer)).filter((one) => one.kind === 'joined').length, 2);
});

test('the late and the next agent accept at the same moment: never both', async () => {
    for (let round = 0; round < 2; round++) {
        const anna = await readyAgent(instance, 'anna'), customer = await ask(instance);
        const late = await waitForOffer(instance, anna, customer.conference);
        const ben = await readyAgent(instance, 'ben');
        const offer = await waitForOffer(instance, ben, customer.conference);
        const byUrl = get(base, late.join_url.slice(base.length), {}, { bearer: anna.token, ...json });
        const answers = await Promise.all([tryTo(anna, 'accept', { reservation: late.reservation }),
            tryTo(ben, 'accept', { reservation: offer.reservation }), byUrl]);
        assert.deepEqual(answers.map((one) => one.status), [409, 200, 409]);
        const joined = (await allEvents(instance,
            customer)).filter((one) => one.kind === 'joined' && one.from.role !== 'customer');
        assert.deepEqual(joined.map((one) => one.from.name), ['Ben']);
        await act(instance, ben, 'end', { conf: customer.conference });
    }
});

test('a declined offer goes to the next agent at once, and not back to the same for a while', async () => {
    const anna = await readyAgent(instance, 'anna'), customer = await ask(instance);
    const { reservation } = await waitForOffer(instance, anna, customer.conference);
    const ben = await readyAgent(instance, 'ben');
    assert.deepEqual((await agentPoll(instance, ben)).offers, [], 'it is with Anna');
    const { after } = await agentPoll(instance, ben), began = Date.now(), waiting = agentPoll(instance, ben, after, 1);
    await act(instance, anna, 'decline', { reservation });
    assert.equal((await waiting).offers[0].conference, customer.conference);
    assert.ok(Date.now() - began < 1000);
    assert.deepEqual((await agentPoll(instance, anna)).offers, []);
    assert.deepEqual(await told(customer, 'anna'), ['offered', 'declined', 'passed_over']);
    await accept(instance, ben, await waitForOffer(instance, ben, customer.conference));
});

test('the one who has been idle longest is asked first', async () => {
    const anna = await readyAgent(instance, 'anna'), ben = await readyAgent(instance, 'ben');
    const order = [];
    for (let i = 0; i < 4; i++) {
        const customer = await ask(instance);
        const agent = (await agentPoll(instance, anna)).offers.length ? anna : ben;
        await accept(instance, agent, await waitForOffer(instance, agent, customer.conference));
        order.push(agent.agent);
        await act(instance, agent, 'end', { conf: customer.conference });
    }
    assert.deepEqual(order.slice(2), order.slice(0, 2));
    assert.notEqual(order[0], order[1]);
});

test('lower priorities go first, and within one the order of coming', async () => {
    const run = (args) => execFileSync(path.join(buildFolder, 'sbin/rtcc'), args,
        { env: { ...process.env, RTCC_CONF: path.join(instance.runDir, 'rtcc.conf') } });
    run(['topic', 'set', 'Fire', '', '1']);
    run(['topic', 'set', 'Later', '', '9']);
    const customers = [];
    for (const topic of ['Later', '', 'Fire', '', 'Fire']) customers.push(await ask(instance, { topic }));
    const places = await Promise.all(customers.map(async (one) => (await confPoll(instance, one)).queue.position));
    assert.deepEqual(places, [5, 3, 1, 4, 2]);
    const agent = await readyAgent(instance, 'anna'), served = [];
    for (let i = 0; i < customers.length; i++) {
        const offer = await waitForOffer(instance, agent);
        served.push(customers.findIndex((one) => one.conference === offer.conference));
        await accept(instance, agent, offer);
        await act(instance, agent, 'end', { conf: offer.conference });
    }
    assert.deepEqual(served, [2, 4, 1, 3, 0]);
});

test('an agent whose polls stopped is offered nothing, though he is ready', async () => {
    const anna = await readyAgent(instance, 'anna');
    await sleep(GONE_S * 1000 + 1200);
    const customer = await ask(instance);
    assert.deepEqual((await list()).map((one) => one.state), ['queued']);
    assert.match((await trace(customer)).find((one) => one.candidate === 'anna').reason, /gone/);
    const { offers, agent } = await agentPoll(instance, anna);
    assert.equal(agent.state, 'ready');
    assert.equal(offers[0]?.conference ?? (await waitForOffer(instance, anna)).conference, customer.conference,
        'his next poll brings it');
});

test('when the polls of the agent who holds an offer stop, the customer has his place back', async () => {
    const slow = await startInstance({ settings: { offer_s: 60, gone_s: 2, hold_s: 1 } });
    try {
        const anna = await readyAgent(slow, 'anna'), customer = await ask(slow), other = await ask(slow);
        await waitForOffer(slow, anna, customer.conference);
        const queue = async () => (await get(slow.base, '/cgi_bin/queue', { action: 'list' })).json().invitations;
        await until(async () => (await queue())[0].state === 'queued', 'the offer is taken back', 5000);
        assert.deepEqual((await queue()).map((one) => one.conference), [customer.conference, other.conference]);
        const ben = await readyAgent(slow, 'ben');
        assert.equal((await waitForOffer(slow, ben)).conference, customer.conference);
    } finally {
        await slow.stop();
    }
});

test('a held poll is a heartbeat: who waits in one is not gone', async () => {
    const anna = await readyAgent(instance, 'anna'), here = keepHere(anna);
    await sleep(GONE_S * 1000 + 1200);
    const customer = await ask(instance);
    assert.deepEqual((await list()).map((one) => one.state), ['offered']);
    await here.stop();
    await leave(customer);
});

test('the customer who leaves takes his offer with him, and the agent gets the next', async () => {
    const anna = await readyAgent(instance, 'anna'), first = await ask(instance), second = await ask(instance);
    await waitForOffer(instance, anna, first.conference);
    await leave(first);
    assert.deepEqual((await agentPoll(instance, anna)).offers.map((one) => one.conference), [second.conference]);
    assert.deepEqual((await list()).map((one) => one.conference), [second.conference]);
});

test('when the agent leaves a customer who is still there, the customer has his place back', async () => {
    const anna = await readyAgent(instance, 'anna'), first = await ask(instance), offer = await waitForOffer(instance, anna);
    const staff = await accept(instance, anna, offer);
    await act(instance, anna, 'notready');
    const second = await ask(instance);
    await leave(staff);
    const { state, queue } = await confPoll(instance, first);
    assert.deepEqual([state, queue.position], ['waiting', 1]);
    assert.equal((await confPoll(instance, second)).queue.position, 2);
    const ben = await readyAgent(instance, 'ben'), again = await waitForOffer(instance, ben);
    assert.equal(again.conference, first.conference);
    await accept(instance, ben, again);
    assert.equal((await confPoll(instance, first)).state, 'talking');
    isError(await tryTo(anna, 'accept', { reservation: offer.reservation }), 'already_taken');
});

test('forty customers and three agents: everybody is served once, nobody by two', async () => {
    const customers = [], served = new Map();
    for (let i = 0; i < 8; i++) customers.push(...await Promise.all(Array.from({ length: 5 }, () => ask(instance))));
    const agents = await Promise.all(['anna', 'ben', 'sam'].map((login) => readyAgent(instance, login))); // their time to accept begins
    await Promise.all(agents.map(async (agent) => {
        for (let idle = 0; idle < 5 && served.size < customers.length;) {
            const { offers: [offer] } = await agentPoll(instance, agent);
            if (!offer) {
                idle++;
                await sleep(100);
                continue;
            }
            idle = 0;
            const answer = await tryTo(agent, 'accept', { reservation: offer.reservation });
            assert.equal(answer.status, 200, answer.body);
            assert.ok(!served.has(offer.conference), 'served twice');
            served.set(offer.conference, agent.agent);
            await act(instance, agent, 'end', { conf: offer.conference });
        }
    }));
    assert.deepEqual([...served.keys()].sort(), customers.map((one) => one.conference).sort());
    assert.deepEqual(await list(), []);
});
