/* queue: invitations are put, listed, cancelled, and every routing decision is told. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { find, get, post } from '../lib/http.js';
import { buildFolder, startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, ask, confPoll, signIn, waitForOffer } from '../lib/people.js';
import { basic, emptyQueue, hasMembers, html, isError, join, json, onDuty, only, room, rtcc, schedule, textAt,
    xml } from '../lib/wire.js';

const url = '/cgi_bin/queue';
let instance, base;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
    for (const args of [['topic', 'set', 'Billing', 'billing', '3'], ['topic', 'set', 'Fire', '', '1'],
        ['agent', 'skill', 'ben', 'billing', '5']]) assert.equal((await command(args)).status, 0);
});
after(() => instance.stop());

const command = (args) => rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), args);
const list = async (options) => (await get(base, url, { action: 'list' }, options)).json().invitations;

const urlOf = ({ id, leader }) => `${base}/cgi_bin/vcs_call?action=add&&vanity=${leader}&call_callid=${id}`;

/* Puts the invitation of a conference: {conference, customer, invitation, position, wait_s}. */
async function put(fields = {}, options = {}) {
    const { id, participant, leader } = await schedule(base);
    const customer = await join(base, participant, id, { name: 'Ann' });
    const invitation = urlOf({ id, leader });
    const answer = await post(base, url, { action: 'put', url: invitation, conf: id, ...fields }, options);
    assert.equal(answer.status, 200, answer.body);
    return { conference: id, customer, url: invitation, ...answer.json() };
}

const cancel = (invitation, options) => post(base, url, { action: 'cancel', invitation }, options);
const cancelAll = () => emptyQueue(instance);

test('put answers the invitation, its position, and wait_s', async () => {
    const one = await put(), two = await put();
    for (const answer of [one, two]) {
        assert.ok(Number.isSafeInteger(answer.invitation) && answer.invitation > 0);
        assert.equal(answer.wait_s, null);
    }
    assert.deepEqual([one.position, two.position], [1, 2]);
    const { queue } = await confPoll(instance, two.customer);
    assert.equal(queue.position, 2);
    await cancelAll();
});

test('the XML of put and of list says the same', async () => {
    const { invitation, conference } = await put({ topic: 'Billing' });
    const root = (await get(base, url, { action: 'list' }, xml)).xml();
    assert.equal(root.name, 'queue');
    const [one] = find(root, 'invitations');
    const [asJson] = await list();
    for (const [name, value] of Object.entries(asJson)) assert.equal(textAt(one, name), String(value), name);
    assert.deepEqual([asJson.invitation, asJson.conference], [invitation, conference]);
    await cancelAll();
    const { id, leader } = await schedule(base);
    const answer = (await post(base, url, { action: 'put', conf: id, url: urlOf({ id, leader }) }, xml)).xml();
    assert.deepEqual(answer.children.map((child) => child.name), ['invitation', 'position', 'wait_s']);
    await cancelAll();
});

test('put takes every field to its limit, and the offer gives them back', async (t) => {
    const fields = { subject: 'ß'.repeat(255), topic: 't'.repeat(100), name: '漢'.repeat(100), phone: '+123456789012345',
        email: `${'e'.repeat(248)}@x.org`, language: 'de-AT', page: 'https://shop.example/a?b=c&d=e', reqid: 'q'.repeat(64) };
    const agent = await onDuty(t, instance, 'anna');
    const { conference, url: invitation } = await put(fields);
    const offer = await waitForOffer(instance, agent, conference);
    const { name, phone, email, language, page } = fields;
    assert.deepEqual(only(offer.customer, 'name', 'phone', 'email', 'language', 'page'), { name, phone, email, language, page });
    assert.deepEqual([offer.subject, offer.topic, offer.join_url], [fields.subject, fields.topic, invitation]);
    await cancelAll();
});

test('put needs a conference that lives and a url that is one', async () => {
    const { id, leader } = await schedule(base), ok = { action: 'put', conf: id, url: urlOf({ id, leader }) };
    isError(await post(base, url, { ...ok, conf: '' }), 'bad_parameter', 'conf');
    isError(await post(base, url, { ...ok, url: '' }), 'bad_parameter', 'url');
    for (const wrong of ['javascript:alert(1)', 'ftp://x/', '//x.example/', '/cgi_bin/vcs_call', 'data:text/html,x']) {
        isError(await post(base, url, { ...ok, url: wrong }), 'bad_parameter', 'url');
    }
    isError(await post(base, url, { ...ok, phone: 'nonsense' }), 'bad_parameter', 'phone');
    for (const email of ['nonsense', 'a@b@c', '@x.org', 'a b@x.org']) {
        isError(await post(base, url, { ...ok, email }), 'bad_parameter', 'email');
    }
    for (const priority of [0, 11, 'x']) isError(await post(base, url, { ...ok, priority }), 'bad_parameter', 'priority');
    isError(await post(base, url, { ...ok, conf: '123456789012345server' }), 'not_found');
    await get(base, '/cgi_bin/vcs_conf_delete', { delete_vanity: leader });
    isError(await post(base, url, ok), 'conflict', 'conf');
    assert.deepEqual(await list(), [], 'nothing was put');
});

test('the url of an invitation leads into its own conference and nowhere else', async () => {
    const one = await schedule(base), other = await schedule(base), right = urlOf(one), host = new URL(base).host;
    const ask = (address) => post(base, url, { action: 'put', conf: one.id, url: address });
    for (const wrong of ['http://x.example/', right.replace(host, 'evil.example'), right.replace(host, `${host}@evil.example`),
        right.replace(host, `127.0.0.1:x@evil.example`), right.replace('vcs_call', 'vcs_conf_delete'), right.replace(one.id, other.id),
        right.replace(one.leader, other.leader), right.replace('action=add', 'action=drop'), `${base}/call/${other.leader}`,
        `${base}/call/${one.leader}/../x`, `${base}/cgi_bin/vcs_call?vanity=${one.leader}`, `${base}/x?next=${right}`]) {
        isError(await ask(wrong), 'bad_parameter', 'url');
    }
    assert.deepEqual(await list(), [], 'nothing was put');
    for (const good of [right, right.replace(one.leader, one.participant), right.replace('cgi_bin', 'cgi-bin'),
        `${base}/call/${one.leader}`, right.replace('add&&', 'add&')]) assert.equal((await ask(good)).status, 200, good);
    await cancelAll();
});

test('the customer whose invitation is cancelled is told so, with and without scripts', async () => {
    const customer = await ask(instance), { invitations } = (await get(base, url, { action: 'list' })).json();
    const { invitation } = invitations.find((one) => one.conference === customer.conference);
    const { after } = await confPoll(instance, customer);
    assert.equal((await cancel(invitation)).status, 200);
    const { events, queue, state } = await confPoll(instance, customer, after);
    assert.deepEqual([events.map((one) => [one.kind, one.state]), queue, state], [[['queue', 'cancelled']], null, 'waiting']);
    for (const part of [undefined, 'page']) {
        const { body } = await get(base, '/cgi_bin/conf_view', { conf: customer.conference, part }, { bearer: customer.token, ...html });
        assert.match(body, /Nobody is on the way any more/);
    }
});

test("a browser's form is sent on to the conference, and after cancelling to the list", async () => {
    const made = await schedule(base), form = { action: 'put', conf: made.id, url: urlOf(made), reqid: 'by a browser' };
    const sent = await post(base, url, form, html), [{ invitation }] = await list();
    assert.deepEqual([sent.status, sent.headers.location], [303, `/call/${made.participant}`]);
    const cancelled = await cancel(invitation, html);
    assert.deepEqual([cancelled.status, cancelled.headers.location], [303, '/cgi_bin/queue?action=list']);
    assert.deepEqual(await list(html), []);
});

test('the same reqid answers the same invitation, with other values 409, for each caller by itself', async () => {
    const key = (await command(['key', 'add', 'x'])).stdout.trim(), { id, leader } = await schedule(base);
    const form = { action: 'put', conf: id, url: urlOf({ id, leader }), name: 'Ann', topic: 'x', reqid: 'same' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(base, url, form)));
    assert.equal(new Set(answers.map((one) => one.json().invitation)).size, 1);
    assert.equal((await list()).length, 1);
    for (const change of [{ name: 'Bob' }, { topic: 'y' }, { subject: 'z' }, { priority: 2 }, { phone: '+16035551234' }]) {
        isError(await post(base, url, { ...form, ...change }), 'conflict', 'reqid');
    }
    const other = await post(base, url, { ...form, name: 'Bob' }, { bearer: key });
    assert.notEqual(other.json().invitation, answers[0].json().invitation);
    await cancelAll();
});

test('list has each invitation with the fields of the contract, in the order of priority and time', async () => {
    const made = [await put({ topic: 'other' }), await put({ topic: 'Billing' }), await put({ topic: 'Fire' }),
        await put({ topic: 'Billing', priority: 4 }), await put({ priority: 1 }), await put({ skill: 'french' })];
    const listed = await list(), order = [2, 4, 1, 3, 0, 5];
    assert.deepEqual(listed.map((one) => one.invitation), order.map((i) => made[i].invitation));
    assert.deepEqual(listed.map((one) => one.position), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(listed.map((one) => one.priority), [1, 1, 3, 4, 5, 5]);
    assert.deepEqual(listed.map((one) => one.skill), ['', '', 'billing', 'billing', '', 'french']);
    assert.deepEqual(listed.map((one) => one.conference), order.map((i) => made[i].conference));
    for (const one of listed) {
        assert.equal(one.state, 'queued');
        assert.ok(Math.abs(one.queued_at - Date.now()) < 60000);
        hasMembers(one, 'conference', 'invitation', 'position', 'priority', 'queued_at', 'skill', 'state', 'topic');
    }
    for (const [i, customer] of made.map((one) => one.customer).entries()) {
        assert.equal((await confPoll(instance, customer)).queue.position, order.indexOf(i) + 1, 'each is told the same place');
    }
    await cancelAll();
});

test('an invitation is in the list while it is offered and not when it was accepted', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), one = await put(), offer = await waitForOffer(instance, agent,
        one.conference);
    assert.deepEqual((await list()).map((item) => [item.invitation, item.state, item.position]), [[one.invitation, 'offered',
        1]]);
    await accept(instance, agent, offer);
    assert.deepEqual(await list(), []);
});

test('cancel takes an invitation out, once, and not when an agent has accepted it', async (t) => {
    const agent = await onDuty(t, instance, 'anna');
    const { invitation, conference, customer } = await put();
    await waitForOffer(instance, agent, conference);
    const answer = await cancel(invitation);
    assert.equal(answer.status, 200);
    assert.equal(answer.json().invitation, invitation);
    assert.deepEqual((await agentPoll(instance, agent)).offers, [], 'the offer is gone with it');
    assert.equal((await confPoll(instance, customer)).queue, null);
    assert.equal((await cancel(invitation)).status, 200, 'cancelled twice is cancelled');
    isError(await post(base, url, { action: 'cancel' }), 'bad_parameter', 'invitation');
    isError(await cancel(9007199254740991), 'not_found', 'invitation');
    const taken = await put();
    await accept(instance, agent, await waitForOffer(instance, agent, taken.conference));
    isError(await cancel(taken.invitation), 'conflict', 'invitation');
});

test('standing tells how many wait, how long one more would, and who is there', async (t) => {
    const standing = async (options) => (await get(base, url, { action: 'standing' }, options)).json();
    await cancelAll();
    assert.deepEqual(only(await standing(), 'waiting', 'agents', 'free'), { waiting: 0, agents: 0, free: 0 });
    await put();
    await put();
    assert.deepEqual(only(await standing(), 'waiting', 'agents', 'free'), { waiting: 2, agents: 0, free: 0 });
    const asXml = (await post(base, url, { action: 'standing' }, xml)).xml();
    assert.deepEqual(asXml.children.map((child) => child.name), ['waiting', 'wait_s', 'agents', 'free']);
    await cancelAll();
    const agent = await onDuty(t, instance, 'anna');
    assert.deepEqual(await standing(), { waiting: 0, wait_s: 0, agents: 1, free: 1 });
    const { conference } = await put();
    await waitForOffer(instance, agent, conference);
    assert.deepEqual(only(await standing(), 'waiting', 'agents', 'free'), { waiting: 1, agents: 1, free: 0 }, 'he holds an offer');
    await cancelAll();
});

test('put and cancel are POST only, with Allow; another action is 400', async () => {
    for (const action of ['put', 'cancel']) {
        const answer = await get(base, url, { action, conf: 'x', url: 'http://x/', invitation: 1 });
        isError(answer, 'bad_method');
        assert.equal(answer.headers.allow, 'POST');
    }
    for (const action of ['list', 'trace']) assert.notEqual((await post(base, url, { action, conf: 'x' })).status, 405);
    for (const action of ['', 'PUT', 'drop']) isError(await post(base, url, { action }), 'bad_parameter', 'action');
    isError(await get(base, url), 'bad_parameter', 'action');
});

test('trace tells every routing decision: candidate, verdict, reason', async (t) => {
    const agent = await onDuty(t, instance, 'anna'), { conference } = await put();
    const offer = await waitForOffer(instance, agent, conference);
    await act(instance, agent, 'decline', { reservation: offer.reservation });
    const trace = (await get(base, url, { action: 'trace', conf: conference })).json().decisions;
    for (const one of trace) {
        assert.ok(one.candidate && one.verdict && one.reason && Number.isSafeInteger(one.at), JSON.stringify(one));
    }
    assert.deepEqual(trace.filter((one) => one.candidate === 'anna').map((one) => one.verdict).slice(0, 2), ['offered',
        'declined']);
    for (const login of ['ben', 'sam', 'admin']) {
        assert.match(trace.find((one) => one.candidate === login && one.verdict === 'passed_over').reason,
            /not ready|gone|notready|\w+/);
    }
    isError(await get(base, url, { action: 'trace' }), 'bad_parameter', 'conf');
    isError(await get(base, url, { action: 'trace', conf: 'x' }), 'not_found');
    await cancelAll();
});

test("a topic's skill decides who is asked", async (t) => {
    const anna = await onDuty(t, instance, 'anna'), ben = await onDuty(t, instance, 'ben');
    const { conference } = await put({ topic: 'Billing' }), offer = await waitForOffer(instance, ben, conference);
    assert.equal(offer.skill, 'billing');
    assert.deepEqual((await agentPoll(instance, anna)).offers, []);
    const trace = (await get(base, url, { action: 'trace', conf: conference })).json().decisions;
    assert.match(trace.find((one) => one.candidate === 'anna').reason, /skill/);
    await cancelAll();
});

test('an API key, staff and trusted loopback may; nobody else', async () => {
    const key = (await command(['key', 'add', 'x'])).stdout.trim(), agent = await signIn(instance, 'anna');
    const { customer } = await room(base), foreign = { headers: { Via: '1.1 x' } };
    for (const options of [{ bearer: key, ...foreign }, { bearer: agent.token, ...foreign }, { cookie: agent.cookie,
        ...foreign }, {},
        basic('anna', instance.password)]) assert.equal((await get(base, url, { action: 'list' }, options)).status, 200);
    for (const options of [foreign, { bearer: customer.token, ...foreign }, { bearer: 'k_x.y' }]) {
        for (const action of ['list', 'trace', 'standing', 'put', 'cancel']) {
            isError(await post(base, url, { action, conf: customer.conference }, { ...options, ...json }), 'unauthorized');
        }
    }
});
