/* The disk is full, read-only, breaks off writes, or the database is locked by somebody: whoever asks is told so in time, with what to
 * do; nothing is half kept; and all is well by itself when the disk is.
 *
 * During each fault the same people go on doing what they do, each with the ids that a client has, and send again what was refused
 * when it is over: then everything must be there once. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post, request } from '../lib/http.js';
import { buildFolder, holdDatabase, sleep, startInstance, until } from '../lib/instance.js';
import { ask, conversation, readyAgent, sendFile, waitForOffer } from '../lib/people.js';
import { html, json } from '../lib/wire.js';
import { Disk } from './disk.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';

const phone = '+1 603 555 0100', IN_TIME_MS = 5000, BROKEN_MS = sized(5000, 60000);
const [seed] = seeds(1); // which writes the disk breaks off
const settings = { phone_number: phone, capacity: 100, offer_s: 600, gone_s: 600 };

/* ── an instance, asked about directly ── */

/* through: the command that leads into the mounts of the instance, [] for our own. */
function rows({ file, through }, sql) {
    const [command, ...args] = [...through, 'sqlite3', '-json', '-readonly', file, sql];
    return JSON.parse(execFileSync(command, args, { encoding: 'utf8' }) || '[]');
}

/* Nothing is half there: no row without those it belongs to, no file without a row. The rooms of forms that are kept until they are
 * finished come to their customers and invitations then. */
function isWhole(where) {
    const { state } = where, wrong = rows(where, `
        SELECT 'damaged' AS what WHERE (SELECT * FROM pragma_integrity_check) <> 'ok'
        UNION ALL SELECT 'points to nothing' FROM pragma_foreign_key_check
        UNION ALL SELECT 'a room that no form knows' FROM conference c WHERE c.account LIKE 'key:%'
            AND NOT EXISTS (SELECT 1 FROM request q WHERE q.reqid = c.reqid)
        UNION ALL SELECT 'a finished form without its customer' FROM request q WHERE q.is_done = 1
            AND NOT EXISTS (SELECT 1 FROM conference c JOIN member m ON m.conf = c.id AND m.role = 'customer' WHERE c.reqid = q.reqid)
        UNION ALL SELECT 'a finished form without its invitation' FROM request q WHERE q.is_done = 1
            AND NOT EXISTS (SELECT 1 FROM conference c JOIN invitation i ON i.conf = c.id WHERE c.reqid = q.reqid)
        UNION ALL SELECT 'a kept form that nobody finishes' FROM request q WHERE q.is_done = 0
            AND NOT EXISTS (SELECT 1 FROM job j WHERE j.key = q.reqid)
        UNION ALL SELECT 'a form with two rooms' FROM conference WHERE reqid IS NOT NULL GROUP BY account, reqid HAVING count(*) > 1
        UNION ALL SELECT 'a customer with two invitations' FROM invitation GROUP BY conf HAVING count(*) > 1
        UNION ALL SELECT 'a half acceptance' FROM reservation r JOIN invitation i ON i.id = r.invitation
            WHERE (r.state = 'accepted') <> (i.state IN ('accepted', 'done') AND i.agent = r.agent AND EXISTS
                (SELECT 1 FROM member m WHERE m.conf = i.conf AND m.agent = r.agent AND m.left_at = 0)) AND r.state = 'accepted'
        UNION ALL SELECT 'a half announced file' FROM file f WHERE f.event <> 0
            AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = f.event AND e.kind = 'file')
        UNION ALL SELECT 'a message twice' FROM event WHERE kind = 'message' GROUP BY conf, text HAVING count(*) > 1`);
    assert.deepEqual(wrong, []);
    const places = rows(where, 'SELECT place, bytes FROM file'), kept = fs.readdirSync(path.join(state, 'files'));
    assert.deepEqual(kept.sort(), places.map((one) => one.place).sort(), 'a file has a row');
    for (const { place, bytes } of places) assert.ok(fs.statSync(path.join(state, 'files', place)).size >= bytes);
}

/* ── what people do ── */

/* One piece of work: `send` may be repeated until it is taken. */
function workOf(instance, { customer, agent, offers }) {
    const { base } = instance, member = { conf: customer.conference, token: customer.token };
    const form = () => ({ name: 'Ann', phone: '+16035551234', question: 'It does not work.', reqid: randomUUID() });
    const message = () => ({ ...member, kind: 'message', text: `I say ${randomUUID()}`, nonce: randomUUID() });
    const piece = (name, options, send) => ({ name, isPage: options === html, send });
    const posting = (name, program, fields, options) =>
        piece(name, options, () => post(base, `/cgi_bin/${program}`, fields, options));
    const file = { ...member, nonce: randomUUID(), file: { name: 'a.txt', type: 'text/plain', data: 'x'.repeat(20000) } };
    const offer = offers.pop();
    return [
        posting('form', 'form_submit', form(), json),
        posting('form as a page', 'form_submit', form(), html),
        posting('message', 'conf_post', message(), json),
        posting('message as a page', 'conf_post', message(), html),
        piece('file', json, () => request(base, 'POST', '/cgi_bin/file_put', { multipart: file, ...json })),
        ...offer ? [posting('acceptance', 'agent_act', { action: 'accept', reservation: offer.reservation },
            { bearer: offer.agent.token, ...json })] : [],
        posting('note', 'agent_act', { action: 'note', conf: customer.conference, text: 'A note.', nonce: randomUUID() },
            { bearer: agent.token, ...json }),
        posting('signing in', 'agent_sign', { login: 'admin', password: instance.password }, json),
        posting('room', 'vcs_conf_schedule', { conf_type: 'reservationless', subject: 'A room', reqid: randomUUID() }, json),
    ];
}

/* What only looks: it may be answered as ever. */
function looksOf(instance, { customer, agent, file }) {
    const member = { conf: customer.conference, token: customer.token };
    const look = (name, program, query, options, asEver = 200) => ({ name, asEver, isLook: true, isPage: options === html,
        send: () => get(instance.base, `/cgi_bin/${program}`, query, options) });
    return [
        look('a poll', 'conf_poll', { ...member, wait: 1, after: 2 ** 40 }, json),
        look('a look', 'conf_poll', { ...member, wait: 0 }, json),
        look("an agent's poll", 'agent_poll', { wait: 1, after: 2 ** 40 }, { bearer: agent.token, ...json }),
        look('the window', 'conf_view', { ...member, part: 'page' }, html, 303), // its token goes into a cookie
        look('the transcript', 'transcript', member, html),
        look('the form', 'form_submit', {}, html),
        look('a file', 'file_get', { id: file, token: customer.token }, json),
    ];
}

async function inTime(send, name) {
    const began = performance.now(), answer = await send(), ms = performance.now() - began;
    assert.ok(ms < IN_TIME_MS, `${name} took ${ms} ms`);
    return answer;
}

/* Whoever is refused knows when to come again, and in a browser what to do and whom to call. */
function isHelpful(answer, { name, isPage, isLook }) {
    assert.equal(answer.status, 503, `${name}: ${answer.status} ${answer.body}`);
    assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/, `${name}: ${JSON.stringify(answer.headers)}`);
    if (!isPage) assert.equal(answer.json().error.code, 'unavailable', answer.body);
    if (!isPage) return;
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.ok(answer.body.includes(phone), answer.body);
    assert.match(answer.body, isLook ? /load this page again/i : /(go back|all that you entered is still here)[^.]*send it again/i);
}

const isDone = (answer) => [200, 303].includes(answer.status);
const isTaken = (answer) => isDone(answer) || answer.status === 202; // a form that is kept until it is done

/* What was promised with an answer: the same again gives the same. */
function promised(answer) {
    if (answer.status === 303) return answer.headers.location;
    const { id, conference, event, member } = answer.status === 200 ? answer.json() : {};
    return id ?? event ?? member ?? conference;
}

/* A room in talk, and other agents. */
async function peopleIn(instance) {
    const { agent, customer } = await conversation(instance, 'anna');
    const { file } = await sendFile(instance, customer, 'before.txt', 'text/plain', 'x'.repeat(20000));
    return { agent, customer, file, agents: [agent, await readyAgent(instance, 'ben'), await readyAgent(instance, 'sam')] };
}

/* An offer to each of the agents. */
async function withOffers(instance, one) {
    const offers = [];
    for (let i = 0; i < one.agents.length; i++) await ask(instance);
    for (const agent of one.agents) offers.push({ ...await waitForOffer(instance, agent), agent });
    return { ...one, offers };
}

/* ── a fault ── */

/* Until `begin` has effect, while it lasts, and after `end`. What was refused is tried again in the end. */
class Trouble {
    constructor(instance, where, people) {
        Object.assign(this, { instance, where, people, pieces: [], refused: new Map(), isOver: false });
        this.kept = people.offers.pop(); // for when it is over
        this.polling = Promise.all(looksOf(instance, people).map((look) => this.keepLooking(look)));
        this.polling.catch(() => {}); // whoever ends the trouble hears of it
    }

    async keepLooking(look) {
        for (; !this.isOver; await sleep(50)) {
            const answer = await inTime(look.send, look.name);
            if (answer.status !== look.asEver) isHelpful(answer, look);
        }
    }

    async round() {
        const work = workOf(this.instance, this.people);
        this.pieces.push(...work);
        const asked = work.map(async (one) => {
            const answer = await inTime(one.send, one.name);
            one.promised = isTaken(answer) ? promised(answer) : undefined;
            if (isTaken(answer)) return;
            isHelpful(answer, one);
            this.refused.set(one.name, (this.refused.get(one.name) ?? 0) + 1);
        });
        for (const one of await Promise.allSettled(asked)) if (one.reason) throw one.reason;
    }

    async status() {
        const answer = await inTime(() => get(this.instance.base, '/cgi_bin/status'), 'status');
        return { isOk: answer.status === 200, ...answer };
    }

    /* Not ok, and says how to mend it; it writes once in a second. */
    async isToldByStatus(mend) {
        const { status, body } = await until(async () => {
            const now = await this.status();
            return now.isOk ? null : now;
        }, 'status is not ok', IN_TIME_MS);
        assert.equal(status, 503);
        assert.match(body, /^not ok\n/);
        assert.match(body, mend);
    }

    isRefused(...names) {
        for (const name of names) assert.ok(this.refused.get(name) > 0, `${name} was refused`);
    }

    /* Five seconds after `ended` at most status is ok, each look is answered as ever and each kind of work was done, a form to its
     * end. Gives after how many ms that was. */
    async takesAll(ended) {
        const since = () => Math.round(performance.now() - ended), took = {};
        const sent = workOf(this.instance, { ...this.people, offers: [this.kept] });
        assert.deepEqual(sent.map((one) => one.name), everything);
        const inFive = async (name, question) => {
            for (let isSo = false; !isSo; took[name] = since()) {
                assert.ok(since() < IN_TIME_MS, `${name}: not yet after ${since()} ms; ${JSON.stringify(took)}`);
                isSo = await question() || await sleep(50);
            }
            assert.ok(took[name] <= IN_TIME_MS, `${name}: after ${took[name]} ms; ${JSON.stringify(took)}`);
        };
        const looks = looksOf(this.instance, this.people).map((one) => inFive(one.name, async () => (await one.send()).status === one.asEver));
        const works = async () => { for (const one of sent) await inFive(one.name, async () => isDone(await one.send())); };
        await Promise.all([inFive('status', async () => (await this.status()).isOk), works(), ...looks]);
        return took;
    }

    /* Within five seconds everything is taken again, and nothing is half there; the forms that were kept are finished though nobody
     * asks. Then all is sent again: what was taken gives the same answer, so it was not lost, and what was refused is taken. */
    async isWellAgain(ended) {
        this.well = await this.takesAll(ended);
        await until(() => this.keptForms() === 0, 'the kept forms are finished', 10000);
        this.well['kept forms'] = Math.round(performance.now() - ended);
        isWhole(this.where);
        for (const one of this.pieces) {
            const answer = await until(async () => {
                const now = await one.send();
                return isTaken(now) ? now : null;
            }, `${one.name} is taken`, IN_TIME_MS);
            if (one.promised !== undefined) assert.deepEqual(promised(answer), one.promised, `${one.name} is as it was promised`);
        }
        await until(() => this.keptForms() === 0, 'no form is kept', 20000);
        isWhole(this.where);
    }

    keptForms() {
        return rows(this.where, 'SELECT count(*) AS n FROM request WHERE is_done = 0')[0].n;
    }
}

/* Kills the programs of these names; whoever keeps them starts them again, in the middle of the trouble. */
async function startAnew(instance, ...names) {
    const killed = instance.processes().filter((one) => names.includes(one.name)).map((one) => one.pid);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await until(() => {
        const now = instance.processes();
        return names.every((name) => now.some((one) => one.name === name && !killed.includes(one.pid)));
    }, 'all are started again');
}

const programs = (instance) => [...new Set(instance.processes().map((one) => one.name))]
    .filter((name) => fs.existsSync(path.join(buildFolder, 'cgi-bin', name))).sort();

/* Every second of them: the others live through the trouble with what they had open before. */
const everySecond = (instance, first) => programs(instance).filter((_, i) => i % 2 === first);

/* ── the tests ── */

let disk, where, instance, people;
before(async () => {
    console.log(`# disk: seed ${seed}`);
    disk = new Disk({ seed });
    where = { state: disk.state, file: path.join(disk.state, 'rtcc.db'), through: [] };
    instance = await disk.start({ settings });
    people = await peopleIn(instance);
});
after(async () => {
    await instance.stop();
    disk.clear();
});

async function roundsFor(trouble, ms) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) await trouble.round();
}

const everything = ['form', 'form as a page', 'message', 'message as a page', 'file', 'acceptance', 'note', 'signing in', 'room'];

/* The disk as it is made by `begin`, until `end`. */
async function whileDisk(on, where, who, begin, end, during) {
    const trouble = new Trouble(on, where, await withOffers(on, who));
    await begin();
    try {
        await during(trouble);
    } finally {
        trouble.isOver = true;
        await end();
    }
    await Promise.all([trouble.isWellAgain(performance.now()), trouble.polling]);
    console.log(`# well again after (ms): ${JSON.stringify(trouble.well)}`);
    return trouble;
}

const withDisk = (mode, during, perMille) => whileDisk(instance, where, people, () => disk.become(mode, perMille),
    () => disk.become('well'), during);

/* A disk gets full by what is written: its files have some room of their own. The offers are for then. */
async function untilFull(trouble) {
    const { people } = trouble;
    trouble.people = { ...people, offers: [] };
    await until(async () => { await trouble.round(); return everything.every((name) => name === 'acceptance'
        || trouble.refused.has(name)); }, 'the disk is full', 60000, 0);
    trouble.people = people;
}

test('a full disk: 503 and what to do, nothing half kept, and well again with room', () => withDisk('full', async (trouble) => {
    await untilFull(trouble);
    await trouble.isToldByStatus(/database +NOT OK .*free space/);
    await startAnew(instance, ...everySecond(instance, 0));
    await roundsFor(trouble, 2000);
}));

test('a read-only disk: 503 and what to do, nothing half kept, and well again by itself', () => withDisk('readOnly', async (trouble) => {
    await trouble.round();
    trouble.isRefused(...everything);
    await trouble.isToldByStatus(/database +NOT OK .*owner and mode/);
    await startAnew(instance, ...everySecond(instance, 1));
    await roundsFor(trouble, 2000);
}));

test('a disk that breaks off 2 % of the writes: what is taken is there, what is refused is not', async (t) => {
    const before = disk.refused();
    const trouble = await withDisk('broken', (one) => roundsFor(one, BROKEN_MS), 20);
    const refused = [...trouble.refused.values()].reduce((sum, n) => sum + n, 0);
    t.diagnostic(`seed ${seed}: ${disk.refused() - before} writes broken off, ${refused} of ${trouble.pieces.length} requests refused`);
    assert.ok(disk.refused() - before > 5 && refused > 0 && refused < trouble.pieces.length);
});

/* Which of a thousand writes are broken off in a process by itself: as long as the seed is the same the same ones, each time. */
function brokenOff(own) {
    const file = path.join(own.state, 'file'), writes = `const fs = require('fs'), fd = fs.openSync(process.argv[1], 'r+'), broken = [];
        for (let i = 0; i < 1000; i++) try { fs.writeSync(fd, 'x'); } catch (e) { broken.push(i + e.code); }
        console.log(broken.join());`;
    fs.mkdirSync(own.state, { recursive: true });
    fs.writeFileSync(file, '');
    own.become('broken', 20);
    return execFileSync(process.execPath, ['-e', writes, file], { encoding: 'utf8',
        env: { ...process.env, ...own.env } }).trim().split(',');
}

test('a seed chooses which writes are broken off, and does so again', () => {
    const disks = [1, 1, 2].map((one) => new Disk({ seed: seed + one })), [first, same, other] = disks.map(brokenOff);
    assert.ok(first.length > 5 && first.length < 50 && first.every((one) => one.endsWith('EIO')), first.join());
    assert.deepEqual(same, first);
    assert.notDeepEqual(other, first);
    assert.deepEqual(brokenOff(disks[0]), first, 'when it becomes broken again, too');
    for (const one of disks) one.clear();
});

test('a database locked for 8 s: 503 and what to do, then all goes on', async () => {
    let release;
    const trouble = await whileDisk(instance, where, people, async () => { release = await holdDatabase(disk.state); }, () => release(),
        async (one) => {
            const end = Date.now() + 8000;
            await one.isToldByStatus(/database +NOT OK .*locked/);
            while (Date.now() < end) await one.round();
        });
    trouble.isRefused(...everything);
});

/* A disk of its own that is really small, where a disk may be mounted; the first test sees the same everywhere. */
const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const skip = !mayMount && 'here nobody may mount a disk (unshare -m, mount)';

async function onSmallDisk(mb, use) {
    const runDir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-small-'))), inside = path.join(runDir, 'state');
    fs.mkdirSync(inside);
    const small = await startInstance({ crowd: true, runDir, settings,
        through: ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o size=${mb}m,mode=700 none '${inside}' && exec "$@"`, 'sh'] });
    try {
        await use(small, `/proc/${small.child.pid}/root${inside}`, inside);
    } finally {
        await small.stop();
        fs.rmSync(runDir, { recursive: true, force: true });
    }
}

test('a small disk that is really full: 503 and what to do, nothing half kept, and well again with room', { skip },
    () => onSmallDisk(150, async (small, state, inside) => {
        const ballast = path.join(state, 'ballast');
        const there = { state, file: path.join(inside, 'rtcc.db'), through: ['nsenter', '-m', '-t', String(small.child.pid)] };
        await whileDisk(small, there, await peopleIn(small), () => fill(ballast), () => fs.rmSync(ballast), async (trouble) => {
            await untilFull(trouble);
            await trouble.isToldByStatus(/disk +NOT OK .*Make room/);
            await startAnew(small, ...programs(small));
            await roundsFor(trouble, 2000);
        });
    }));

/* Four at a time, of the largest size first; those that are begun count as well. Gives how many were taken, and the refusals. */
async function fillWithFiles(small, customer) {
    const refused = [];
    let taken = 0;
    const put = async (bytes, more = {}) => {
        const answer = await request(small.base, 'POST', '/cgi_bin/file_put', { ...json, multipart: { conf: customer.conference,
            token: customer.token, nonce: randomUUID(), ...more, file: { name: 'a', type: 'x/y', data: Buffer.alloc(bytes) } } });
        if (answer.status === 200) taken++;
        else refused.push(answer);
        return answer.status === 200;
    };
    for (const bytes of [20 << 20, 4 << 20, 1 << 20, 1 << 17]) {
        for (let isRoom = true; isRoom;) isRoom = (await Promise.all([1, 2, 3, 4].map(() => put(bytes)))).includes(true);
    }
    assert.equal(await put(1, { offset: 0, total: 20 << 20 }), false, 'what is still to come counts');
    return { taken, refused };
}

test('somebody fills the disk with files: they are refused in time, and forms and messages go on', { skip },
    () => onSmallDisk(160, async (small, state) => {
        const people = { ...await peopleIn(small), offers: [] }, guests = [people.customer, (await conversation(small, 'ben')).customer];
        const free = () => { const disk = fs.statfsSync(state); return disk.bavail * disk.bsize / 2 ** 20; };
        for (const guest of guests) {
            const { taken, refused } = await fillWithFiles(small, guest);
            if (guest === guests[0]) assert.ok(taken > 2, `${taken} were taken`);
            for (const answer of refused) isHelpful(answer, { name: 'file' });
            assert.ok(refused.some((answer) => /There is no room for more files here/.test(answer.body)), refused.at(-1)?.body);
            assert.ok(free() > 98 && free() < 105, `${free()} MB are free`); // what is written besides files takes of it
        }
        assert.match((await get(small.base, '/cgi_bin/status')).body, /disk +NOT OK .*Make room/);
        for (const one of workOf(small, people)) {
            const answer = await one.send();
            if (one.name !== 'file') assert.ok(isDone(answer), `${one.name}: ${answer.status} ${answer.body}`);
        }
        for (const one of looksOf(small, people)) assert.equal((await one.send()).status, one.asEver, one.name);
    }));

function fill(file) {
    const fd = fs.openSync(file, 'w'), block = Buffer.alloc(1 << 16);
    try {
        for (;;) fs.writeSync(fd, block);
    } catch (e) {
        assert.equal(e.code, 'ENOSPC');
    } finally {
        fs.closeSync(fd);
    }
}
