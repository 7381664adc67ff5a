/* conf_poll: what a member is told, at once and while he waits; that nothing is lost and nothing doubled. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get, post, request } from '../lib/http.js';
import { sleep, startInstance } from '../lib/instance.js';
import { act, allEvents, ask, confPoll, say, sendFile, signIn } from '../lib/people.js';
import { hasMembers, isError, isQuick, join, json, room, schedule, talk } from '../lib/wire.js';

const url = '/cgi_bin/conf_poll', POSTERS = 20, EACH = 25;
let instance, base, moving;
before(async () => {
    instance = await startInstance();
    ({ base } = instance);
    moving = watchThePlaceMove();
    moving.catch(() => {}); // its own test says it
});
after(() => instance.stop());

const poll = (who, query = {}, options = {}) => get(base, url, { conf: who.conference, token: who.token, ...query }, options);
const put = (who, kind, fields = {}) => post(base, '/cgi_bin/conf_post', { conf: who.conference, token: who.token, kind,
    ...fields }, json);

/* A poll that waits from here on: resolves to its JSON with `at`, when it came. */
async function hold(who, query = {}) {
    const { after: from } = await confPoll(instance, who);
    const waiting = poll(who, { after: from, wait: 10, ...query }).then((answer) => ({ ...answer.json(),
        at: performance.now() }));
    await sleep(150);
    return { from, waiting, began: performance.now() };
}

/* ── the answer ── */

test('the answer has the fields of the contract', async () => {
    const customer = await ask(instance, { question: 'Why?' }), answer = await poll(customer);
    assert.equal(answer.status, 200);
    const said = answer.json();
    hasMembers(said, 'after', 'csrf', 'events', 'more', 'queue', 'state');
    assert.deepEqual([said.more, said.csrf, said.state], [false, '', 'waiting']);
    assert.ok(Number.isSafeInteger(said.queue.position) && said.queue.position > 0);
    assert.ok(said.queue.wait_s === null || Number.isSafeInteger(said.queue.wait_s));
    assert.ok(said.after >= said.events.at(-1).id);
    const message = said.events.find((one) => one.kind === 'message');
    hasMembers(message, 'at', 'from', 'id', 'kind', 'text');
    hasMembers(message.from, 'member', 'name', 'role');
    assert.ok(Number.isSafeInteger(message.from.member));
    const joined = said.events.find((one) => one.kind === 'joined'), queued = said.events.find((one) => one.kind === 'queue');
    assert.deepEqual([joined.from.name, joined.from.role], ['Ann', 'customer']);
    assert.deepEqual([queued.state, queued.from.role], ['queued', 'system']);
    await put(customer, 'leave');
});

test('state goes from waiting to talking to ended, and each is an event', async (t) => {
    const { agent, customer } = await talk(t, instance, 'anna');
    assert.equal((await confPoll(instance, customer)).state, 'talking');
    assert.equal((await confPoll(instance, customer)).queue, null, 'he does not wait any more');
    await act(instance, agent, 'end', { conf: customer.conference });
    const { state, queue, events } = await confPoll(instance, customer);
    assert.deepEqual([state, queue], ['ended', null]);
    assert.deepEqual(events.filter((one) => one.kind === 'state').map((one) => one.state), ['talking', 'ended']);
    assert.deepEqual(events.filter((one) => one.kind === 'queue').map((one) => one.state), ['queued', 'accepted', 'done']);
});

test('every kind of event has its own fields', async () => {
    const { customer, agent } = await room(base);
    const { event } = await sendFile(instance, customer, 'a.txt', 'text/plain', 'content');
    await put(agent, 'note', { text: 'a note' });
    await put(agent, 'signal', { to: customer.member, data: '{"sdp":"x"}' });
    await put(customer, 'rating', { stars: 4, text: 'good' });
    await put(agent, 'leave');
    const own = (list, kind) => { const { id, at, from, nonce, ...rest } = list.find((one) => one.kind === kind); return rest; };
    const theirs = await allEvents(instance, customer), all = await allEvents(instance, agent);
    assert.deepEqual(own(theirs, 'joined'), { kind: 'joined' });
    assert.deepEqual(own(theirs, 'left'), { kind: 'left' });
    const { file } = own(theirs, 'file');
    hasMembers(file, 'bytes', 'id', 'name', 'type', 'url');
    assert.deepEqual([file.name, file.type, file.bytes, file.url], ['a.txt', 'application/octet-stream', 7,
        `/cgi_bin/file_get?id=${file.id}`]);
    assert.equal(theirs.find((one) => one.kind === 'file').id, event);
    assert.deepEqual(own(theirs, 'signal'), { kind: 'signal', to: customer.member, data: '{"sdp":"x"}' });
    assert.deepEqual(own(theirs, 'rating'), { kind: 'rating', stars: 4, text: 'good' });
    assert.deepEqual(own(all, 'note'), { kind: 'note', text: 'a note' });
});

test('what a member may not see is never in his answer', async () => {
    const { customer, agent, id, participant } = await room(base), other = await join(base, participant, id, { name: 'Bob' });
    await put(agent, 'note', { text: 'secret note' });
    await put(customer, 'signal', { to: agent.member, data: 'secret signal' });
    await put(agent, 'signal', { to: customer.member, data: 'for Ann' });
    for (const [who, seen] of [[customer, ['for Ann']], [other, []], [agent, ['secret note', 'secret signal']]]) {
        const answer = await poll(who);
        for (const text of ['secret note', 'secret signal', 'for Ann']) assert.equal(answer.body.includes(text),
            seen.includes(text), text);
        assert.equal(answer.json().more, false);
    }
});

/* ── waiting ── */

test('there is something: at once; nothing: the wait, and then an answer with no events', async () => {
    const { customer } = await room(base), { after: from } = await confPoll(instance, customer);
    let began = performance.now();
    assert.ok((await poll(customer, { wait: 10 })).json().events.length > 0);
    assert.ok(performance.now() - began < 500);
    for (const [wait, least, most] of [[0, 0, 500], [1, 900, 2500]]) {
        began = performance.now();
        const said = (await poll(customer, { after: from, wait })).json();
        assert.deepEqual([said.events, said.after, said.more], [[], from, false]);
        const took = performance.now() - began;
        assert.ok(took >= least && took < most, `wait=${wait} took ${took} ms`);
    }
});

test('by default a poll waits long, for what comes after 0', async () => {
    const { customer } = await room(base), { after: from } = await confPoll(instance, customer);
    assert.ok((await poll(customer)).json().events.length > 0, 'after is 0 by default');
    const gaveUp = await poll(customer, { after: from }, { timeout: 3000 }).then(() => false, () => true);
    assert.ok(gaveUp, 'it still waited after 3 s');
});

test('wait is 0 to 25, after is a number', async () => {
    const { customer } = await room(base);
    for (const wait of [26, -1, 'x', '1.5']) isError(await poll(customer, { wait }, json), 'bad_parameter', 'wait');
    for (const from of [-1, 'x', '9007199254740992']) isError(await poll(customer, { after: from }, json), 'bad_parameter',
        'after');
    isError(await get(base, url, { token: customer.token }, json), 'bad_parameter', 'conf');
    isError(await request(base, 'POST', url, { form: { conf: customer.conference, token: customer.token } }), 'bad_method');
});

test('whatever happens reaches a waiting member within 200 ms', async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'anna');
    const deeds = { message: () => say(instance, staff, 'x'), file: () => sendFile(instance, staff, 'a', 'text/plain', 'x'),
        typing: () => put(staff, 'typing'), signal: () => put(staff, 'signal', { to: 0, data: 'x' }),
        rating: () => put(customer, 'rating', { stars: 5 }), state: () => act(instance, agent, 'end',
            { conf: customer.conference }) };
    const { events } = await confPoll(instance, customer), me = events.find((one) => one.kind === 'joined').from.member;
    deeds.signal = () => put(staff, 'signal', { to: me, data: 'x' });
    for (const [kind, deed] of Object.entries(deeds)) {
        await isQuick(kind, 200, async () => {
            const { waiting } = await hold(customer), began = performance.now();
            await deed();
            const said = await waiting;
            assert.ok(said.events.some((one) => one.kind === kind), kind);
            return said.at - began;
        }, kind === 'state' ? 1 : 3);
    }
});

test('twenty messages, nine of ten within 200 ms, the median within 50', async () => {
    const { customer, agent } = await room(base), took = [];
    let { after: from } = await confPoll(instance, customer);
    for (let i = 0; i < 20; i++) {
        const waiting = poll(customer, { after: from, wait: 10 }).then((answer) => [answer.json(), performance.now()]);
        await sleep(20);
        const began = performance.now();
        await say(instance, agent, `${i}`);
        const [said, at] = await waiting;
        took.push(at - began);
        from = said.after;
    }
    took.sort((a, b) => a - b);
    assert.ok(took[18] < 200 && took[10] < 50, took.map((one) => one.toFixed(0)).join(' '));
});

test('all who wait in a conference are woken, and nobody elsewhere', async () => {
    const one = await room(base), other = await room(base);
    const waiting = await Promise.all(Array.from({ length: 10 }, () => hold(one.customer)));
    const elsewhere = await hold(other.customer, { wait: 1 });
    await say(instance, one.agent, 'for all of you');
    for (const { waiting: answer } of waiting) assert.equal((await answer).events[0].text, 'for all of you');
    assert.deepEqual((await elsewhere.waiting).events, []);
});

test('an event for others does not end a wait', async () => {
    const { customer, agent } = await room(base), { waiting, began, from } = await hold(customer, { wait: 1 });
    const { id } = (await put(agent, 'note', { text: 'not for you' })).json();
    const said = await waiting;
    assert.deepEqual(said.events, []);
    assert.ok(said.at - began > 700, 'it waited to its end');
    assert.ok(said.after >= id && id > from, 'after is the last id examined, seen or not');
});

test('an ended conference answers at once, whatever the cursor', async () => {
    const { customer } = await room(base);
    await put(customer, 'leave');
    const { after: from } = await confPoll(instance, customer), began = performance.now();
    for (const cursor of [from, from + 1000, 9007199254740991]) {
        const said = (await poll(customer, { after: cursor })).json();
        assert.deepEqual([said.state, said.events, said.after, said.more, said.queue], ['ended', [], from, false, null]);
    }
    assert.ok(performance.now() - began < 1000);
});

/* ── typing ── */

test('a poll by an agent\'s session hears nothing more when that session has ended; by the room\'s own token it goes on', async (t) => {
    const { agent, customer, staff } = await talk(t, instance, 'ben'), other = await signIn(instance, 'ben');
    const { after: from } = await confPoll(instance, customer);
    const by = (options, query) => get(base, url, { conf: customer.conference, after: from, wait: 10, ...query }, options);
    const waiting = [by({ cookie: agent.cookie }), by({ bearer: agent.token }), by({ cookie: other.cookie }), by({}, { token: staff.token })];
    await sleep(200);
    assert.equal((await post(base, '/cgi_bin/agent_sign', { action: 'out' }, { bearer: agent.token })).status, 200);
    await say(instance, customer, 'not for who is out');
    const [cookie, bearer, ...others] = await Promise.all(waiting);
    for (const out of [cookie, bearer]) {
        isError(out, 'unauthorized');
        assert.ok(!out.body.includes('not for who is out'));
    }
    for (const one of others) assert.deepEqual(one.json().events.map((event) => event.text), ['not for who is out']);
});

test('typing reaches open polls only, is not stored and carries no new id', async () => {
    const { customer, agent } = await room(base), { waiting, from } = await hold(agent), own = await hold(customer, { wait: 1 });
    const answer = await put(customer, 'typing');
    assert.deepEqual([answer.status, answer.json().id], [200, null]);
    const said = await waiting;
    assert.deepEqual(said.events.map((one) => [one.kind, one.from.name]), [['typing', 'Ann']]);
    assert.deepEqual([said.after, said.events[0].id <= from], [from, true]);
    assert.deepEqual((await own.waiting).events, [], 'who types is not told');
    assert.deepEqual((await confPoll(instance, agent, from)).events, [], 'who comes later is not told');
    assert.equal((await allEvents(instance, agent)).filter((one) => one.kind === 'typing').length, 0);
    assert.doesNotMatch((await get(base, '/cgi_bin/transcript', { conf: customer.conference, token: customer.token })).body,
        /typing/);
});

/* ── the cursor ── */

test('at most 500 events come at once, then more; every one of them once', async () => {
    const { customer, agent } = await room(base);
    for (let i = 0; i < 42; i++) await Promise.all(Array.from({ length: 25 }, (_, n) => say(instance, agent, `${i * 25 + n}`)));
    const sizes = [], ids = [];
    for (let from = 0, more = true; more;) {
        const said = (await poll(customer, { after: from, wait: 10 })).json();
        sizes.push(said.events.length);
        ids.push(...said.events.map((one) => one.id));
        if (said.more) assert.equal(said.after, said.events.at(-1).id);
        ({ after: from, more } = said);
    }
    assert.deepEqual(sizes, [500, 500, 53]);
    assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
});

/* Polls on and on until `count` messages were heard: the ids in the order of hearing. */
async function listen(who, count) {
    const heard = [];
    for (let from = 0; heard.length < count;) {
        const said = (await poll(who, { after: from, wait: 5 })).json();
        assert.ok(said.after >= from);
        heard.push(...said.events.filter((one) => one.kind === 'message').map((one) => [one.id, one.text]));
        from = said.after;
    }
    return heard;
}

test('under twenty who write at once nothing is lost and nothing doubled, for anybody', async () => {
    const { id, participant, customer, agent } = await room(base);
    const writers = await Promise.all(Array.from({ length: POSTERS }, (_, i) => join(base, participant, id, { name: `W${i}` })));
    const listeners = [customer, agent, writers[0]].map((who) => listen(who, POSTERS * EACH));
    const written = await Promise.all(writers.map(async (writer, w) => {
        const ids = [];
        for (let i = 0; i < EACH; i++) ids.push([(await say(instance, writer, `${w}.${i}`)).id, `${w}.${i}`]);
        return ids;
    }));
    const all = written.flat().sort(([a], [b]) => a - b);
    for (const heard of await Promise.all(listeners)) assert.deepEqual(heard, all);
    for (const ids of written) assert.deepEqual(ids.map(([one]) => one), ids.map(([one]) => one).sort((a, b) => a - b));
});

test('under twenty who write at once in rooms of their own an agent-less listener misses nothing either', async () => {
    const rooms = await Promise.all(Array.from({ length: POSTERS }, () => room(base)));
    const listeners = rooms.map((one) => listen(one.customer, EACH));
    await Promise.all(rooms.map(async (one, r) => {
        for (let i = 0; i < EACH; i++) await say(instance, one.agent, `${r}.${i}`);
    }));
    for (const [r, heard] of (await Promise.all(listeners)).entries()) {
        assert.deepEqual(heard.map(([, text]) => text), Array.from({ length: EACH }, (_, i) => `${r}.${i}`));
    }
});

/* ── the place in the queue ── */

/* Nobody serves here: three customers wait, the first goes, and the third's poll is watched. */
async function watchThePlaceMove() {
    const slow = await startInstance();
    try {
        const [first, second, third] = [await ask(slow), await ask(slow), await ask(slow)];
        const { after: from, queue } = await confPoll(slow, third), began = performance.now();
        const waiting = confPoll(slow, third, from, 25).then((said) => ({ said, ms: performance.now() - began }));
        await sleep(1000);
        const place = await confPoll(slow, third, from, 0);
        await post(slow.base, '/cgi_bin/conf_post', { conf: first.conference, token: first.token, kind: 'leave' });
        const moved = await confPoll(slow, third, from, 0);
        const { said, ms } = await waiting;
        const { after: next } = await confPoll(slow, second), worse = confPoll(slow, second, next, 3);
        await schedule(slow.base).then(({ id, leader }) => post(slow.base, '/cgi_bin/queue', { action: 'put', conf: id,
            url: `${slow.base}/call/${leader}`, priority: 1 }));
        const quiet = await worse;
        return { places: [queue, place.queue, moved.queue, said.queue].map((one) => one.position), events: said.events, ms,
            quiet };
    } finally {
        await slow.stop();
    }
}

test('a better place alone ends a wait, 15 s after the last; a worse one does not; asking tells it at once', async () => {
    const { places, events, ms, quiet } = await moving;
    assert.deepEqual(places, [3, 3, 2, 2]);
    assert.deepEqual(events, []);
    assert.ok(ms > 14000 && ms < 18000, `${ms} ms`);
    assert.equal(quiet.queue.position, 2, 'somebody more urgent came');
    assert.deepEqual(quiet.events, []);
});
