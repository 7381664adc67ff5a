/* Clients that are slow, half there, gone, or in each other's way; others are served meanwhile as if they were not.
 * Needs the whole machine. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { get, post, request } from '../lib/http.js';
import { buildFolder, sleep, startInstance, until } from '../lib/instance.js';
import { agentPoll, allEvents, ask, confPoll, say, sendFile, signIn } from '../lib/people.js';
import { rtcc, schedule } from '../lib/wire.js';
import { alone, deafReader, timesOf, wereServed } from './lib/served.js';
import { sized } from './lib/soak.js';

const HALF_OPEN = 10000, HALF_ADDRESSES = 5, AT_ONCE_MS = 1000;
const DEAF = 100, DEAF_MS = sized(3000, 60000), LARGE_BYTES = 2 << 20;
const GONE = 300, TIMES_GONE = sized(1, 10), CROSSINGS = sized(120, 3000), LOCKS = sized(5, 60);
let instance, customer;
before(async () => {
    instance = await startInstance({ crowd: true });
    customer = await ask(instance);
    for (let i = 0; i < 40; i++) await say(instance, customer, 'x'.repeat(8000)); // something to read slowly
});
after(() => instance.stop());

const timed = async (answering) => {
    const answer = await answering;
    assert.ok((answer.status ?? 200) === 200, `${answer.status} ${answer.body}`);
};
const round = [() => timed(say(instance, customer, 'meanwhile')), () => timed(confPoll(instance, customer, 1e15)),
    () => timed(get(instance.base, '/cgi_bin/form_submit')), () => timed(get(instance.base, '/'))];
const others = (isOver) => timesOf(round, isOver);

/* ── slow clients ── */

/* Of the thousand, nearly all at one moment: what the attack is, and not only what it is called. */
const SLOW = 1000, NEARLY = SLOW * 0.9;

/* How many of the instance's connections have something left that their client has not read; in the kernel's list the state 01 is
 * that of an open connection, and its queue stands behind it. */
function unread() {
    const port = instance.port.toString(16).toUpperCase().padStart(4, '0');
    return fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').filter((line) => line.includes(`0100007F:${port} `)
        && new RegExp(`:${port} \\w+:\\w+ 01 (?!00000000)`).test(line)).length;
}

/* How often the web server has answered that; it writes its log now and then. */
const answered = (request, status) => instance.log('access').split(`"${request} HTTP/1.1" ${status} `).length - 1;

/* args: the attack itself, so many seconds long at most; isTrue(seen): what is true of it, see attack(). */
const attacks = {
    /* The web server closes each after five seconds, so that none is left in the end. */
    'slow headers': { seconds: 15, args: (base) => ['-H', '-u', `${base}/cgi_bin/form_submit`],
        isTrue: ({ most, isOver }) => most >= NEARLY && isOver },
    /* They send something each second, and stay. */
    'slow bodies': { seconds: sized(5, 60), args: (base) => ['-B', '-u', `${base}/cgi_bin/conf_post`, '-s', '100000'],
        isTrue: ({ most, last }) => most >= NEARLY && last >= NEARLY },
    /* Two thousand ranges that are more than the file: each has the whole of it at once, and there is never anybody who waits. */
    'ranges of a file': { seconds: 15, args: (base) => ['-R', '-u', `${base}/style.css`],
        isTrue: async ({ most, isOver }) => most < SLOW / 10 && isOver
            && await until(() => answered('HEAD /style.css', 200) >= SLOW, 'all are answered') },
    /* They read a byte in five seconds, and stay. The transcripts, three for each, are made one after the other, and each
     * that is made waits in the kernel. */
    'slow reading': { seconds: sized(8, 60), args: (base) => ['-X', '-k', '3', '-w', '1', '-y', '1', '-n', '5', '-z', '1', '-u',
        `${base}/cgi_bin/transcript?conf=${customer.conference}&token=${customer.token}&format=txt`],
        isTrue: ({ most, last, waiting }) => most >= NEARLY && last >= NEARLY && waiting >= SLOW / 20 },
};

/* Runs it: {said, most, last, isOver, waiting}: how many were connected at most and at last by its look of each second, whether
 * it was over because none was left, and how many answers waited at most for who reads them. */
async function attack({ args, seconds }) {
    const file = path.join(instance.runDir, 'attack'), waiting = [], look = setInterval(() => waiting.push(unread()), 1000);
    const { stdout } = await promisify(execFile)('slowhttptest', [...args(instance.base), '-c', String(SLOW), '-r', '500',
        '-l', String(seconds), '-i', '1', '-x', '8', '-p', '5', '-g', '-o', file], { maxBuffer: 1 << 26 })
        .finally(() => clearInterval(look));
    const said = stdout.replace(/\x1b\[[\d;]*m/g, '');
    const [head, ...rows] = fs.readFileSync(`${file}.csv`, 'utf8').trim().split('\n').map((row) => row.split(','));
    assert.equal(head[3], 'Connected');
    const connected = rows.map((row) => Number(row[3]));
    return { said, most: Math.max(...connected), last: connected.at(-1), isOver: /No open connections left/.test(said),
        waiting: Math.max(0, ...waiting) };
}

for (const [name, how] of Object.entries(attacks)) {
    test(`${name} on a thousand connections: others are served`, async (t) => {
        const before = await alone(round);
        let isOver = false;
        const run = attack(how).finally(() => { isOver = true; });
        const meanwhile = await others(() => isOver), { said, ...seen } = await run;
        t.diagnostic(JSON.stringify(seen));
        assert.match(said, /service available: +YES/, 'it could not shut anything down');
        assert.ok(await how.isTrue(seen), `it took place: ${JSON.stringify(seen)}`);
        wereServed(t, meanwhile, before);
    });
}

test('a hundred readers of a large file who do not read: others are served', async (t) => {
    const large = await sendFile(instance, customer, 'large.bin', 'application/octet-stream', Buffer.alloc(LARGE_BYTES, 'l'));
    const small = await sendFile(instance, customer, 'small.txt', 'text/plain', 'small');
    const fileOf = (one) => `/cgi_bin/file_get?id=${one.file}&token=${customer.token}`;
    const asking = [...round, () => timed(get(instance.base, fileOf(small)))], before = await alone(asking);
    const deaf = Array.from({ length: DEAF }, () => deafReader(instance, fileOf(large)));
    try {
        await until(() => unread() >= DEAF, 'they are answered, and do not read', 20000);
        const began = Date.now(), meanwhile = await timesOf(asking, () => Date.now() - began > DEAF_MS);
        assert.ok(unread() >= DEAF, 'they are still at it');
        wereServed(t, meanwhile, before);
    } finally {
        deaf.forEach((one) => one.destroy());
    }
});

/* Opens connections that send half a request and no more; gives the sockets when all are open. The web server closes each after five
 * seconds, so some more are opened than are wanted. */
async function halfOpen(count) {
    const sockets = [];
    for (let i = 0; i < count; i++) {
        const socket = net.connect({ port: instance.port, host: '127.0.0.1', localAddress: `127.0.0.${2 + i % HALF_ADDRESSES}` });
        socket.on('error', () => {});
        socket.write('POST /cgi_bin/form_submit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le');
        sockets.push(socket);
        if (i % 500 === 499) await until(() => sockets.slice(-500).every((one) => !one.connecting), 'they are open', 10000, 5);
    }
    return sockets;
}

test('ten thousand half-open connections: others are served', async (t) => {
    const before = await alone(round);
    let sockets = [];
    const open = () => sockets.reduce((count, one) => count + !one.destroyed, 0);
    for (let tries = 0; tries < 3 && open() < HALF_OPEN; tries++) {
        sockets.forEach((one) => one.destroy());
        const began = Date.now();
        sockets = await halfOpen(HALF_OPEN + 500);
        t.diagnostic(`${open()} open after ${Date.now() - began} ms`);
    }
    try {
        const meanwhile = await others((count) => count >= 1000 || open() < HALF_OPEN); // as long as they are all open
        assert.ok(open() >= HALF_OPEN || meanwhile.length >= 200, `${open()} are open, ${meanwhile.length} were asked`);
        sockets.forEach((one) => one.destroy());
        await sleep(500);
        wereServed(t, meanwhile, before);
    } finally {
        sockets.forEach((one) => one.destroy());
    }
});

/* ── those who are gone, and those who cross ── */

/* How many connections a program has: all its sockets but the one on which it listens. */
const connectionsOf = (one, program) => one.processes(program).flatMap(({ pid }) => fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try { return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'); } catch { return false; }
})).length - one.processes(program).length;

const waits = {
    async conf_poll(one) {
        const member = await ask(one), { after } = await confPoll(one, member);
        return (options) => confPoll(one, member, after, 25, options);
    },
    async conf_view(one) { // the frame of a page without JavaScript
        const member = await ask(one), { after } = await confPoll(one, member);
        const query = { conf: member.conference, token: member.token, part: 'log', after };
        return (options) => get(one.base, '/cgi_bin/conf_view', query, options);
    },
    async agent_poll(one) {
        const agent = await signIn(one, 'anna'), { after } = await agentPoll(one, agent);
        return (options) => agentPoll(one, agent, after, 25, options);
    },
};

/* Parks polls, lets their clients vanish, and gives the ms until the program has forgotten all of them: it has no more connections
 * than before they came. Those that nginx kept before, one or two from the calls until then, may be among those that wait. */
async function vanish(one, program, poll, count) {
    const before = connectionsOf(one, program), gone = new AbortController();
    assert.ok(before <= 4, `${before} are kept`);
    setMaxListeners(0, gone.signal);
    const polls = Array.from({ length: count }, () => poll({ signal: gone.signal }).catch(() => {}));
    await until(() => connectionsOf(one, program) >= count, 'they wait', 10000, 20);
    await sleep(300); // the last of them as well
    gone.abort();
    const began = performance.now();
    await Promise.all(polls);
    await until(() => connectionsOf(one, program) <= before, 'they are forgotten', 20000, 10);
    return performance.now() - began;
}

for (const program of Object.keys(waits)) {
    test(`behind nginx a client of ${program} that vanishes frees its waiter at once, each of ${GONE}`, async (t) => {
        for (let times = 0; times < TIMES_GONE; times++) {
            const took = await vanish(instance, program, await waits[program](instance), GONE);
            t.diagnostic(`${took.toFixed(0)} ms`);
            assert.ok(took < AT_ONCE_MS, `${took} ms: their polls would have ended after 25 s`);
        }
    });
}

/* Apache reads nothing of its clients while a program has the request, so it notices when the program answers: at the end of the
 * hold, which began before they vanished; a second more is what a busy machine has for it. */
test('behind Apache a client that vanishes frees its waiter within the hold, each of 20', async (t) => {
    const HOLD_S = 4, apache = await startInstance({ web: 'apache', crowd: true, settings: { hold_s: HOLD_S } });
    try {
        const polls = {};
        for (const program of Object.keys(waits)) polls[program] = await waits[program](apache);
        const all = await Promise.allSettled(Object.keys(waits).map((program) => vanish(apache, program, polls[program], 20)));
        Object.keys(waits).forEach((program, i) => {
            if (all[i].reason) throw all[i].reason;
            t.diagnostic(`${program}: ${all[i].value.toFixed(0)} ms`);
            assert.ok(all[i].value < (HOLD_S + 1) * 1000, `${program}: ${all[i].value} ms`);
        });
        assert.equal((await get(apache.base, '/cgi_bin/form_submit')).status, 200);
    } finally {
        await apache.stop();
    }
});

test('polls and posts that cross, in every order, never hang a page', async () => {
    const member = await ask(instance, { question: '' });
    let { after } = await confPoll(instance, member);
    const heard = [];
    for (let i = 0; i < CROSSINGS; i++) { // the poll first, the post first, or both at once
        const text = `crossing ${i}`, lead = (i % 5 - 2) * 2;
        const poll = sleep(Math.max(0, -lead)).then(() => confPoll(instance, member, after, 10, { timeout: 9000 }));
        const sent = sleep(Math.max(0, lead)).then(() => say(instance, member, text));
        const page = await poll; // answered long before its wait is over
        heard.push(...page.events.map((one) => one.text));
        ({ after } = page);
        await sent;
    }
    assert.deepEqual(heard, Array.from({ length: CROSSINGS }, (_, i) => `crossing ${i}`), 'each once, in order');

    const { id } = await say(instance, member, 'the answer to the post came before the event');
    const ahead = confPoll(instance, member, id, 10, { timeout: 9000 });
    await sleep(200);
    const next = await say(instance, member, 'next');
    assert.deepEqual((await ahead).events.map((one) => one.id), [next.id], 'a page that took the id from its own post goes on');
    assert.equal((await allEvents(instance, member)).filter((one) => one.kind === 'message').length, CROSSINGS + 2);
});

/* ── a busy database ── */

/* Holds the write lock of the database, again and again, for so long each time. */
function hog(ms, times) {
    const child = spawn('sqlite3', ['-cmd', '.timeout 10000', path.join(instance.runDir, 'state/rtcc.db')], { stdio: 'pipe' });
    const run = (async () => {
        for (let i = 0; i < times; i++) {
            child.stdin.write('BEGIN IMMEDIATE;\n');
            await sleep(ms);
            child.stdin.write('ROLLBACK;\n');
            await sleep(ms / 3);
        }
        child.stdin.end();
        await new Promise((done) => child.once('close', done));
    })();
    return run;
}

test('no post is refused for a busy database', async (t) => {
    const { base, password } = instance, json = { accept: 'application/json' }, agent = await signIn(instance, 'anna');
    const member = { conf: customer.conference, token: customer.token }, room = await schedule(base), fresh = () => randomUUID();
    const kinds = {
        message: () => post(base, '/cgi_bin/conf_post', { ...member, kind: 'message', text: 'busy', nonce: fresh() }, json),
        file: () => request(base, 'POST', '/cgi_bin/file_put', { multipart: { ...member, nonce: fresh(),
            file: { name: 'busy.txt', type: 'text/plain', data: 'busy' } }, ...json }),
        'an agent': () => post(base, '/cgi_bin/agent_act', { action: 'notready' }, { bearer: agent.token, ...json }),
        'signing in': () => post(base, '/cgi_bin/agent_sign', { login: 'ben', password }, json),
        room: () => post(base, '/cgi_bin/vcs_conf_schedule', { conf_type: 'reservationless', subject: 'busy' }, json),
        joining: () => post(base, '/cgi_bin/vcs_call', { action: 'add', vanity: room.participant, call_callid: room.id, name: 'Ann',
            reqid: fresh() }, json),
    };
    const counts = {};
    let isOver = false, slowest = 0;
    const lanes = Array.from({ length: 24 }, async (_, i) => {
        for (const [kind, send] = Object.entries(kinds)[i % 6]; !isOver; counts[kind] = (counts[kind] ?? 0) + 1) {
            const began = performance.now(), answer = await send();
            assert.equal(answer.status, 200, `${kind}: ${answer.body}`);
            slowest = Math.max(slowest, performance.now() - began);
        }
    });
    const forms = (async () => { while (!isOver) await ask(instance); })();
    const copy = path.join(instance.runDir, 'copy.db');
    try {
        await hog(700, LOCKS);
        const made = await rtcc(buildFolder, path.join(instance.runDir, 'rtcc.conf'), ['backup', copy]);
        assert.equal(made.status, 0, made.stderr);
    } finally {
        isOver = true;
        await Promise.all([...lanes, forms]);
    }
    t.diagnostic(`${JSON.stringify(counts)}, the slowest ${slowest.toFixed(0)} ms`);
    for (const kind of Object.keys(kinds)) assert.ok(counts[kind] > 20, kind);
});
