/* Opening hours and what the form says about this hour: asked of the queuing server, which may stand elsewhere or not answer.
 * Takes long. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { inThreeDays } from '../lib/hours.js';
import { get, post } from '../lib/http.js';
import { freePort, startInstance, until } from '../lib/instance.js';
import { accept, act, allEvents, ask, confPoll, readyAgent, waitForOffer } from '../lib/people.js';
import { html, join, json, schedule, setCookies } from '../lib/wire.js';

const url = '/cgi_bin/form_submit', week = inThreeDays();
let closed, asking, behind, said, asked;

/* The queuing server as the form sees it: answers `said`, or nothing. */
const queue = http.createServer((request, answer) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
        asked.push({ body, key: request.headers.authorization });
        if (said !== null) answer.writeHead(200, { 'Content-Type': 'application/xml' }).end(said);
    });
});

before(async () => {
    behind = await freePort();
    asked = [];
    await new Promise((done) => queue.listen(behind, '127.0.0.1', done));
    [closed, asking] = await Promise.all([startInstance({ settings: week.settings }),
        startInstance({ settings: { queue_url: `http://127.0.0.1:${behind}` } })]);
});
after(async () => {
    queue.closeAllConnections();
    queue.close();
    await Promise.all([closed.stop(), asking.stop()]);
});

const standingOf = (page) => /<p class="standing"><span class="pill (\w+)">● (\w+)<\/span> <span>([^<]*)<\/span>/.exec(page.body)
    .slice(1).join('|');
const says = (waiting, wait, agents, free) => `<queue><waiting>${waiting}</waiting><wait_s>${wait}</wait_s>
    <agents>${agents}</agents><free>${free}</free></queue>`;

/* ── open ── */

test('the form says how long it may take, as the queuing server has it', async () => {
    const rows = [[says(0, 0, 2, 1), 'ok|Open|Somebody is free now.'], [says(0, '', 2, 0), 'ok|Open|You are the next.'],
        [says(1, '', 2, 0), 'ok|Open|One person waits before you.'], [says(5, '', 2, 0), 'warn|Busy|5 people wait before you.'],
        [says(5, 30, 2, 0), 'ok|Open|About a minute to wait.'], [says(5, 61, 2, 0), 'ok|Open|About 2 minutes to wait.'],
        [says(9, 720, 2, 0), 'warn|Busy|About 12 minutes to wait.'],
        [says(3, 60, 0, 0), 'warn|Busy|Nobody is free at the moment; the first who comes answers you.']];
    for (const [answer, text] of rows) {
        said = answer;
        await until(async () => standingOf(await get(asking.base, url)) === text, text, 30000, 500);
    }
});

test('it asks with its key, and seldom, however many look at the form', async () => {
    said = says(0, 0, 1, 1);
    asked.length = 0;
    const began = Date.now();
    await until(async () => (await get(asking.base, url)) && asked.length, 'what was kept from before is over', 30000, 500);
    for (let i = 0; i < 60; i++) await get(asking.base, url);
    const stretches = Math.floor((Date.now() - began) / 5000) + 2;
    assert.ok(asked.length <= 4 * stretches, `60 forms, ${asked.length} questions`);
    for (const { body, key } of asked) {
        assert.equal(body, 'action=standing');
        assert.match(key, /^Bearer k_/);
    }
});

test('when the queuing server says nothing, or nonsense, the form is there without the wait', async () => {
    for (const answer of ['<queue/>', 'oops', null]) {
        said = answer;
        await until(async () => standingOf(await get(asking.base, url)) === 'ok|Open|', `after ${answer}`, 40000, 500);
    }
});

/* ── closed ── */

test('outside of the opening hours the form is one to leave a message, and says when somebody is here again', async () => {
    const { body } = await get(closed.base, url);
    assert.match(body, /<h1>Leave us a message<\/h1>/);
    assert.match(body, /We are closed until 09:00 on \w+day, \d+ \w+\./);
    assert.equal(standingOf({ body }), `warn|Closed|Opening hours: ${week.hours} (UTC)`);
    assert.match(body, /id="start">Leave the message</);
    const faulty = await post(closed.base, url, { name: 'Ann', phone: 'x' }, html);
    assert.equal(faulty.status, 400);
    assert.match(faulty.body, /<h1>Leave us a message<\/h1>/, 'and so it is when it comes back');
});

test('what is left is kept in its conference, which says when somebody is here; the first agent is offered it', async () => {
    const sent = await post(closed.base, url, { name: 'Ann', phone: '+16035551234', question: 'My bill, please.' }, json);
    assert.equal(sent.status, 200, sent.body);
    const customer = sent.json();
    assert.deepEqual([customer.queue.position, customer.queue.opens_at], [1, week.opensAt]);
    const { state, queue: place } = await confPoll(closed, customer);
    assert.deepEqual([state, place.position, place.wait_s, place.opens_at], ['waiting', 1, null, week.opensAt]);
    assert.match(place.opens_text, /^\w{3} 09:00$/);
    const room = await get(closed.base, new URL(customer.window).pathname + new URL(customer.window).search, {}, html);
    const [{ flags }] = Object.values(setCookies(room));
    assert.ok(flags.includes('max-age=1209600'), 'he comes back another day');
    const agent = await readyAgent(closed, 'anna'), offer = await waitForOffer(closed, agent, customer.conference);
    assert.equal(offer.history.find((one) => one.kind === 'message').text, 'My bill, please.');
    await accept(closed, agent, offer);
    const now = await confPoll(closed, customer);
    assert.deepEqual([now.state, now.queue], ['talking', null]);
    await act(closed, agent, 'end', { conf: customer.conference });
    assert.equal((await allEvents(closed, customer)).at(-1).state, 'ended');
});

test('the link back and the words of closing are for the customer alone', async () => {
    const customer = await ask(closed), page = async (who) => (await get(closed.base, '/cgi_bin/conf_view',
        { conf: who.conference, token: who.token, part: 'log' })).body;
    assert.match(await page(customer), /Closed until \w{3} 09:00/);
    const cookie = Object.entries(setCookies(await get(closed.base, '/cgi_bin/conf_view', { conf: customer.conference,
        token: customer.token }))).map(([name, { value }]) => `${name}=${value}`).join();
    const window = (await get(closed.base, '/cgi_bin/conf_view', { conf: customer.conference }, { cookie })).body;
    assert.ok(window.includes(`id="way-back" value="${customer.window.replace('&', '&amp;')}"`));
    const { id, leader } = await schedule(closed.base), agent = await join(closed.base, leader, id, { name: 'Anna' });
    assert.doesNotMatch((await get(closed.base, '/cgi_bin/conf_view', { conf: id, token: agent.token, part: 'log' })).body, /[Cc]losed/);
});

test('while it is open opens_at is null', async () => {
    said = says(0, 0, 0, 0);
    const { id, leader, participant } = await schedule(asking.base);
    const customer = await join(asking.base, participant, id);
    await post(asking.base, '/cgi_bin/queue', { action: 'put', conf: id, url: `${asking.base}/call/${leader}` });
    const { queue: place } = await confPoll(asking, customer);
    assert.deepEqual([place.opens_at, place.opens_text], [null, null]);
});
