/* Customers who make the most of what they may: long conversations, many who wait in them, all at once. Others are served meanwhile
 * as if they were not. Needs the whole machine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { sleep, startInstance, until } from '../lib/instance.js';
import { agentPoll, allEvents, ask, confPoll, say, signIn } from '../lib/people.js';
import { join } from '../lib/wire.js';
import { alone, timesOf, wereServed } from './lib/served.js';

const LONG = 400, MANY = 6000, WAITING = 150, SIGNALS = 8000, LISTENING = 250, TRANSCRIPTS = 100, MOST_MB = 200;
const POLLING = 64, DESKS = 4, PAUSE_MS = 100;
let instance, customer, greedy, room, silent;
before(async () => {
    instance = await startInstance({ crowd: true });
    [customer, greedy] = [await ask(instance), await ask(instance)];
    room = { conf: greedy.conference, token: greedy.token };
});
after(() => instance?.stop());

const timed = async (answering) => {
    const answer = await answering;
    assert.ok((answer.status ?? 200) === 200, `${answer.status} ${answer.body}`);
};
const round = [() => timed(say(instance, customer, 'meanwhile')), () => timed(confPoll(instance, customer, 1e15)),
    () => timed(get(instance.base, '/cgi_bin/form_submit')), () => timed(get(instance.base, '/cgi_bin/transcript',
        { conf: customer.conference, token: customer.token, format: 'txt' })),
    () => timed(get(instance.base, '/cgi_bin/conf_view', { conf: customer.conference, token: customer.token, part: 'log' }))];

/* `count` times the same, a few of them at once. */
async function often(count, call, atOnce = 8) {
    let left = count;
    await Promise.all(Array.from({ length: atOnce }, async () => { while (left-- > 0) await call(left); }));
}

/* {status, bytes} of an answer, of which nothing is kept: who measures in this process is not to wait for it. */
const lookedAt = (path, options) => new Promise((done, failed) => {
    http.get(`${instance.base}${path}`, options, (answer) => {
        let bytes = 0;
        answer.on('data', (data) => { bytes += data.length; }).on('end', () => done({ status: answer.statusCode, bytes }));
    }).on('error', failed);
});

/* Requests on connections of their own, which wait; the answers, when all are over. */
function waiters(count, path) {
    const agent = new http.Agent({ maxSockets: Infinity });
    return Promise.all(Array.from({ length: count }, () => lookedAt(path, { agent })));
}

const peakMb = (program) => Math.max(...instance.processes(program).map(({ pid }) =>
    Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024));

/* What others see while `attack` goes on, and for 2 s. Who asks one after the other meets a standstill once, as one slow answer among
 * hundreds: none may take `most` ms. */
async function served(t, attack, most, calls = round) {
    const before = await alone(calls), began = Date.now();
    let isOver = false;
    const running = attack().finally(() => { isOver = true; });
    const meanwhile = await timesOf(calls, (count) => isOver && count >= 200 && Date.now() - began > 2000);
    wereServed(t, meanwhile, before);
    assert.ok(Math.max(...meanwhile) < most, `the slowest took ${Math.max(...meanwhile)} ms`);
    return running;
}

test('two who want the longest conversation all the time', async (t) => {
    const writer = await ask(instance), text = '<'.repeat(7990); // grows fourfold in a page
    for (let i = 0; i < LONG; i++) await say(instance, writer, `${text} ${i}`);
    let bytes = 0;
    const query = new URLSearchParams({ conf: writer.conference, part: 'page', format: 'html', after: 0, wait: 0 });
    const headers = { Authorization: `Bearer ${writer.token}` };
    await served(t, async () => {
        const began = Date.now();
        await Promise.all(['transcript', 'conf_view'].map(async (program) => {
            while (Date.now() - began < 4000) {
                const answer = await lookedAt(`/cgi_bin/${program}?${query}`, { headers });
                assert.equal(answer.status, 200);
                bytes += answer.bytes;
            }
        }));
    }, 1000);
    t.diagnostic(`${(bytes / 2 ** 20).toFixed(0)} MB were asked for`);
    assert.ok(bytes > 50 << 20, `${bytes} bytes`);
});

test('a hundred and fifty pages without scripts wait in a room of six thousand messages, and another comes', async (t) => {
    await often(MANY, () => say(instance, greedy, '<'));
    const last = (await allEvents(instance, greedy)).at(-1).id;
    const query = new URLSearchParams({ ...room, part: 'log', after: last });
    await served(t, async () => {
        const waiting = waiters(WAITING, `/cgi_bin/conf_view?${query}`);
        await sleep(1000);
        await say(instance, greedy, 'Now.');
        const answers = await waiting;
        assert.ok(answers.every((one) => one.status === 200 && one.bytes > 100000), 'each has the long page');
    }, 1000);
});

test('a hundred of its transcripts at once: nor do they take the memory', async (t) => {
    const query = new URLSearchParams({ ...room, format: 'html' });
    await served(t, async () => {
        const answers = await waiters(TRANSCRIPTS, `/cgi_bin/transcript?${query}`);
        assert.ok(answers.every((one) => one.status === 200 && one.bytes > 200000), 'each has a long part');
    }, 4000); // who wants one, too, comes after them
    t.diagnostic(`${peakMb('transcript').toFixed(0)} MB at most`);
    assert.ok(peakMb('transcript') < MOST_MB, `${peakMb('transcript')} MB`);
});

test('thousands of signals to somebody else are passed over once, and not at each of them by all who wait', async (t) => {
    const one = await ask(instance), { after: behind } = await confPoll(instance, one);
    const { invitations } = (await get(instance.base, '/cgi_bin/queue', { action: 'list' })).json();
    assert.ok(invitations.length > 0);
    const events = await allEvents(instance, one), me = events.find((event) => event.kind === 'joined').from.member;
    const guest = await join(instance.base, (await codeOf(one)), one.conference, { name: 'Guest' });
    const signal = () => post(instance.base, '/cgi_bin/conf_post', { conf: one.conference, token: one.token, kind: 'signal', to: me,
        data: 'x' }).then((answer) => assert.equal(answer.status, 200));
    const seen = (await confPoll(instance, guest, behind)).after;
    await often(SIGNALS, signal);
    silent = { conf: guest.conference, token: guest.token, after: seen };
    const query = new URLSearchParams({ ...silent, wait: 20 });
    await served(t, async () => {
        let isOver = false;
        const waiting = waiters(LISTENING, `/cgi_bin/conf_poll?${query}`).finally(() => { isOver = true; });
        await sleep(1500);
        assert.ok(!isOver, 'nothing of it is for him');
        for (let i = 0; i < 10; i++) await signal();
        await say(instance, one, 'That is all.');
        const answers = await waiting;
        assert.ok(answers.every(({ status }) => status === 200));
    }, 500);
});

/* `count` who ask the same again and again for 4 s, a moment after each answer; gives how often all of them did. */
async function again(count, path, options) {
    const began = Date.now(), agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    let asked = 0;
    await Promise.all(Array.from({ length: count }, async () => {
        for (; Date.now() - began < 4000; asked++) {
            assert.equal((await lookedAt(path, { ...options, agent })).status, 200);
            await sleep(PAUSE_MS);
        }
    }));
    agent.destroy();
    return asked;
}

test('the same signals are behind the cursor of sixty-four polls that are answered with next to nothing, again and again', async (t) => {
    const query = new URLSearchParams({ ...silent, wait: 0 });
    const asked = await served(t, () => again(POLLING, `/cgi_bin/conf_poll?${query}`), 500);
    assert.ok(asked >= 4 * POLLING, `${asked} were answered`);
    t.diagnostic(`${asked} were answered`);
});

test('a desk is loaded four times over with a conversation of six thousand messages', async (t) => {
    const [desk, other] = [await signIn(instance, 'sam'), await signIn(instance, 'ben')]; // a supervisor comes into any talk
    const headers = { Authorization: `Bearer ${desk.token}` };
    await join(instance.base, await codeOf(greedy), greedy.conference, {}, { bearer: desk.token });
    assert.ok((await agentPoll(instance, desk)).more);
    const asked = await served(t, () => again(DESKS, '/cgi_bin/agent_poll?after=0&wait=0', { headers }), 500,
        [...round, () => timed(agentPoll(instance, other))]);
    assert.ok(asked >= 2 * DESKS, `${asked} were answered`);
    t.diagnostic(`${asked} were answered`);
});

/* The participants' code of a conference, as its customer's window shows it. */
async function codeOf({ conference, token }) {
    const page = await get(instance.base, '/cgi_bin/conf_view', { conf: conference }, { bearer: token });
    return until(() => /\/call\/(\d{7})/.exec(page.body)?.[1], 'the way in for others');
}
