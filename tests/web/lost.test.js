/* Once is enough: it waits most of the time. An agent who vanishes from a talk: his customer, who is there, waits again, and
 * nobody else's place is touched. The times are short here (gone after 2 s, lost after 4 s); that they are 45 s and 90 s by default
 * is the table of settings, and test_talk_lost.c has what can happen in between. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { holdDatabase, plant, sleep, startInstance, until } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, confPoll, readyAgent, say, sendFile, signIn, waitForOffer } from '../lib/people.js';
import { html, isError, json } from '../lib/wire.js';

const GONE_S = 2, LOST_MS = 2 * GONE_S * 1000;
let instance, base;
before(async () => {
    instance = await startInstance({ settings: { gone_s: GONE_S, hold_s: 1, capacity: 10 } });
    ({ base } = instance);
});
after(() => instance.stop());

const trace = async ({ conference }) => (await get(base, '/cgi_bin/queue', { action: 'trace', conf: conference })).json().decisions;
const roomOf = async (agent, { conference }) => (await agentPoll(instance, agent)).conferences.find((one) => one.conference === conference);

/* Polls on behalf of somebody until stop() is called, as a page does. */
function keepHere(poll) {
    let isOver = false;
    const run = (async () => { while (!isOver) await poll(); })();
    return { stop: () => { isOver = true; return run; } };
}
const atDesk = (agent) => keepHere(() => agentPoll(instance, agent, 1e15, 1));
const inRoom = (member) => keepHere(() => confPoll(instance, member, 1e15, 1).then(() => sleep(200)));
const isIn = (state, customer, ms) => until(async () => (await confPoll(instance, customer)).state === state, ms);

async function begin(login) {
    const agent = await readyAgent(instance, login), customer = await ask(instance, { name: `Of ${login}` });
    const offer = await waitForOffer(instance, agent, customer.conference), staff = await accept(instance, agent, offer);
    await say(instance, staff, 'Hello.');
    return { agent, customer, staff };
}
const finish = async ({ customer }) => {
    await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token, kind: 'leave' });
    for (const login of ['anna', 'ben', 'sam']) await act(instance, await signIn(instance, login), 'notready');
};

test('a customer whose agent vanished waits again in his old place, and the next agent sees all that was said', async () => {
    const talk = await begin('anna'), page = inRoom(talk.customer);
    await sleep(LOST_MS / 2);
    assert.equal((await confPoll(instance, talk.customer)).state, 'talking', 'a short absence is nobody\'s business');
    const other = await ask(instance, { name: 'Later' });
    await isIn('waiting', talk.customer, LOST_MS * 2);
    const { queue } = await confPoll(instance, talk.customer);
    assert.equal(queue.position, 1, 'before who came later');
    assert.deepEqual((await allEvents(instance, talk.customer)).slice(-3).map((one) => [one.kind, one.state ?? one.from.role]),
        [['left', 'agent'], ['state', 'waiting'], ['queue', 'queued']]);
    assert.equal((await trace(talk.customer)).at(-1).verdict, 'gone');
    const ben = await readyAgent(instance, 'ben'), offer = await waitForOffer(instance, ben, talk.customer.conference);
    assert.ok(offer.history.some((one) => one.text === 'Hello.'));
    const staff = await accept(instance, ben, offer);
    await isIn('talking', talk.customer);
    assert.equal(await roomOf(talk.agent, talk.customer), undefined, 'who comes back too late does not come between');
    isError(await post(base, '/cgi_bin/conf_post', { conf: talk.customer.conference, token: talk.staff.token, kind: 'message', text: 'x' },
        json), 'conflict', 'conf');
    await say(instance, staff, 'I go on.');
    await page.stop();
    await finish(talk);
    await finish({ customer: other });
});

const ways = {
    'his window polls': ({ staff }) => confPoll(instance, staff),
    'he writes': ({ staff }) => say(instance, staff, 'Sorry, I was cut off.'),
    'he sends a file': ({ staff }) => sendFile(instance, staff, 'a.txt', 'text/plain', 'x'),
    'he opens the window': ({ staff }) => get(base, '/cgi_bin/conf_view', { conf: staff.conference, part: 'page' },
        { bearer: staff.token, ...html }),
    'he opens the window by its token alone': ({ staff: { conference, token } }) =>
        get(base, '/cgi_bin/conf_view', { conf: conference, token }, html),
    'he follows the link': ({ staff }) => get(base, '/cgi_bin/vcs_call', { call_callid: staff.conference, token: staff.token }, json),
    'he notes something': ({ agent, staff }) => act(instance, agent, 'note', { conf: staff.conference, text: 'Cut off.' }),
    'his desk polls': ({ agent }) => agentPoll(instance, agent),
};

test('an agent who comes back to a customer whom nobody has taken has him again, whatever he comes back with', async () => {
    const talks = [];
    for (const way of Object.keys(ways)) talks.push({ way, ...await begin('anna') });
    const pages = talks.map((talk) => inRoom(talk.customer));
    for (const talk of talks) await isIn('waiting', talk.customer, LOST_MS * 2);
    for (const talk of talks) {
        assert.equal((await confPoll(instance, talk.customer)).state, 'waiting', 'to the others he has not come back yet');
        await ways[talk.way](talk);
        assert.equal((await confPoll(instance, talk.customer)).state, 'talking', talk.way);
        assert.ok((await allEvents(instance, talk.customer)).some((one) => one.kind === 'joined' && one.from.member === talk.staff.member));
    }
    const { conferences } = await agentPoll(instance, talks[0].agent);
    assert.deepEqual(conferences.map((one) => one.conference).sort(), talks.map((one) => one.staff.conference).sort(), 'his desk is as before');
    for (const page of pages) await page.stop();
    for (const talk of talks) await finish(talk);
});

test('a customer who opens his room anew again and again, without cookies, is there', async () => {
    const talk = await begin('anna'), { conference, token } = talk.customer;
    const page = keepHere(() => get(base, '/cgi_bin/conf_view', { conf: conference, part: 'page', token }).then(() => sleep(200)));
    await until(async () => (await get(base, '/cgi_bin/queue', { action: 'list' })).json().invitations
        .some((one) => one.conference === conference && one.state === 'queued'), 'he waits again', LOST_MS * 3);
    await page.stop();
    await finish(talk);
});

test('an agent who comes back while somebody holds the database reads at once, and is there with his next poll', async () => {
    const talk = await begin('anna');
    await sleep(GONE_S * 1500);
    const next = await ask(instance, { name: 'Next' });
    const letGo = await holdDatabase(path.join(instance.runDir, 'state'));
    let first;
    try {
        first = await agentPoll(instance, talk.agent, 1e15, 1);
    } finally {
        await letGo();
    }
    assert.deepEqual(first.conferences.map((one) => one.conference), [talk.customer.conference]);
    assert.equal(first.pause_s, 1, 'and asks again soon, not at once');
    await waitForOffer(instance, talk.agent, next.conference);
    await finish(talk);
    await finish({ customer: next });
});

test('one who was lost does not miss what was said then', async () => {
    const talk = await begin('anna'), { after: seen } = await agentPoll(instance, talk.agent), page = inRoom(talk.customer);
    await isIn('waiting', talk.customer, LOST_MS * 2);
    await page.stop();
    await say(instance, talk.customer, 'Are you there?');
    const polled = () => get(base, '/cgi_bin/agent_poll', { after: seen, wait: 0 }, { bearer: talk.agent.token, ...json });
    const letGo = await holdDatabase(path.join(instance.runDir, 'state'));
    try {
        isError(await polled(), 'unavailable');
    } finally {
        await letGo();
    }
    const back = await until(() => polled().then((one) => one.status === 200 && one.json()), 'she is back');
    assert.ok(back.events.some((one) => one.text === 'Are you there?'), JSON.stringify(back));
    await finish(talk);
});

test('a note is kept where it cannot be kept that he was heard of, and not where there is no conference to be found', async () => {
    const talk = await begin('anna'), { conference: conf } = talk.staff;
    const note = () => post(base, '/cgi_bin/agent_act', { action: 'note', conf, text: 'A note.' }, { bearer: talk.agent.token, ...json });
    const hide = (table, database) => plant(instance, `ALTER TABLE ${table} RENAME TO hidden`, database);
    const show = (table, database) => plant(instance, `ALTER TABLE hidden RENAME TO ${table}`, database);
    hide('heard', 'live.db');
    const kept = await note();
    show('heard', 'live.db');
    assert.equal(kept.status, 200, kept.body);
    hide('conference', 'rtcc.db');
    const refused = await note();
    show('conference', 'rtcc.db');
    isError(refused, 'unavailable');
    assert.equal((await allEvents(instance, talk.staff)).filter((one) => one.kind === 'note').length, 1);
    await finish(talk);
});

test('whoever is at his desk, or in the room, or at least asks for something there, is not missed', async () => {
    const talk = await begin('anna'), second = await begin('ben'), third = await begin('sam'), all = [talk, second, third];
    const here = [atDesk(talk.agent), inRoom(second.staff), keepHere(() => say(instance, third.staff, 'still here').then(() => sleep(1000))),
        ...all.map((one) => inRoom(one.customer))];
    await sleep(LOST_MS * 2);
    for (const { customer } of all) assert.equal((await confPoll(instance, customer)).state, 'talking');
    for (const one of here) await one.stop();
    for (const one of all) await finish(one);
});

test('a window that waits while its agent is lost is not told that it is over, and he is back with its next poll', async () => {
    const talk = await begin('anna'), { after: seen } = await confPoll(instance, talk.staff);
    const waits = confPoll(instance, talk.staff, seen, 1);
    await sleep(200);
    plant(instance, `UPDATE member SET left_at = ${Date.now()}, lost = (SELECT last_id + 1 FROM site)
        WHERE id = ${(await roomOf(talk.agent, talk.customer)).member}`);
    await say(instance, talk.customer, 'Are you there?');
    const { state, events } = await waits;
    assert.equal(events.at(-1).text, 'Are you there?');
    assert.equal(state, 'talking');
    assert.equal((await confPoll(instance, talk.staff)).events.at(-1).kind, 'joined');
    await finish(talk);
});

test('a customer who is not there either is offered to nobody; when he comes back he waits a moment, then again', async () => {
    const talk = await begin('anna');
    await sleep(LOST_MS * 1.5);
    const ben = await readyAgent(instance, 'ben');
    assert.deepEqual((await agentPoll(instance, ben)).offers, []);
    assert.equal((await confPoll(instance, talk.customer)).state, 'talking');
    const here = atDesk(ben), page = inRoom(talk.customer);
    assert.equal((await waitForOffer(instance, ben, talk.customer.conference)).customer.name, 'Of anna');
    await here.stop();
    await page.stop();
    await finish(talk);
});
