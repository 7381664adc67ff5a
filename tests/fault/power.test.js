/* The power goes while customers send forms, write, send files and are accepted: whatever the disk holds then is no damage, and has
 * all that was acknowledged.
 *
 * One instance is recorded (disk.c), one kind of work after the other; what its clients were told is noted with the same clock.
 * Then power.c cuts the record at many places and looks. RTCC_CUTS is how many for each kind (500, or 2,500), FAULT_SEED makes them the
 * same again. The record's machine has run for forty days; what it left is looked at, and used, in another boot, whose clock begins anew.
 * Takes long. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { newPlace } from '../lib/cgi.js';
import { post, request } from '../lib/http.js';
import { demoPassword } from '../lib/instance.js';
import { accept, readyAgent, say, waitForOffer } from '../lib/people.js';
import { Clock } from './clock.js';
import { Disk } from './disk.js';
import { startBetween } from './lib/between.js';
import { buildPower } from './lib/build.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';

const cuts = Number(process.env.RTCC_CUTS ?? sized(500, 2500)), [seed] = seeds(1);
const DAY = 86400;
const kinds = ['form', 'message', 'accept', 'upload'];
const now = () => process.hrtime.bigint();
const run = promisify(execFile);

const heard = [], spans = {}, sent = { files: new Map() };
let disk, clock, boots, power, folder, acknowledged;

const hear = (kind, ...values) => heard.push([now(), kind, ...values].join('\t'));

/* What power.c expects of an upload called SEED.bin. */
function bytesOf(number, count) {
    const data = Buffer.alloc(count), start = Math.imul(number, 2654435761);
    for (let i = 0; i < count; i++) data[i] = (start + Math.imul(i, 40503)) >>> 8;
    return data;
}

/* `count` pieces of work, so many at a time. */
async function together(count, width, work) {
    let next = 0;
    await Promise.all(Array.from({ length: width }, async () => {
        while (next < count) await work(next++);
    }));
}

/* A server between that fails at the first call for every sixth form: the form is kept, and its customer told so. */
async function startFailing() {
    const failed = new Set(), between = await startBetween();
    between.how = ({ body }) => {
        const reqid = body.get('reqid') ?? '';
        if (!reqid.includes('late-') || failed.has(reqid)) return 'pass';
        failed.add(reqid);
        return 'error';
    };
    return between;
}

async function sendForm(instance, i) {
    const reqid = `${i % 6 === 0 ? 'late-' : ''}${randomUUID()}`, question = `${i} `.repeat(1000);
    const form = { name: `Ann ${reqid}`, phone: '+16035551234', question, reqid };
    const send = () => post(instance.base, '/cgi_bin/form_submit', form, { accept: 'application/json' });
    let answer = await send();
    for (; answer.status === 202; answer = await send()) hear('kept', reqid);
    assert.equal(answer.status, 200, answer.body);
    const { conference, token } = answer.json();
    hear('form', reqid, parseInt(conference, 10), [...question].length);
    return { conference, token };
}

async function sendMessage(instance, member, i) {
    const nonce = `message-${i}`, text = `${nonce} `.repeat(1 + i % 500);
    const { id } = await say(instance, member, text, nonce);
    hear('message', id, parseInt(member.conference, 10), nonce, text.length);
}

/* Every third in three pieces, each of which is promised to be there for the next. */
async function sendFile(instance, member, i) {
    const nonce = `file-${i}`, data = bytesOf(i + 1, 1 + (i * 7919) % 90000), size = i % 3 === 0 ? Math.ceil(data.length / 3) : data.length;
    let answer;
    for (let offset = 0; offset < data.length; offset += size) {
        const file = { name: `${i + 1}.bin`, type: 'text/plain', data: data.subarray(offset, offset + size) };
        const multipart = { conf: member.conference, token: member.token, nonce, offset, total: data.length, file };
        answer = await request(instance.base, 'POST', '/cgi_bin/file_put', { multipart, accept: 'application/json' });
        assert.equal(answer.status, 200, answer.body);
        hear('piece', nonce, offset + file.data.length);
    }
    const { event, file } = answer.json();
    hear('upload', file, event, nonce, data.length);
    sent.files.set(Number(file), { member, data });
}

async function acceptOne(instance, agent) {
    const offer = await waitForOffer(instance, agent);
    const taken = await accept(instance, agent, offer);
    hear('accept', offer.reservation, parseInt(taken.conference, 10), taken.member);
    return taken;
}

async function during(kind, work) {
    const from = now();
    await work();
    spans[kind] = [from, now()];
}

/* Writes go on all the time, so that the log comes to its end and is begun anew in every span. */
async function record(instance) {
    const customers = [];
    await during('form', () => together(48, 6, async (i) => customers.push(await sendForm(instance, i))));
    await during('message', () => together(160, 8, (i) => sendMessage(instance, customers[i % 16], i)));
    const agents = await Promise.all(['anna', 'ben'].map((login) => readyAgent(instance, login)));
    await during('accept', () => Promise.all(agents.map(async (agent) => {
        for (let i = 0; i < 20; i++) {
            const taken = await acceptOne(instance, agent);
            await sendMessage(instance, taken, 1000 + 100 * agents.indexOf(agent) + i);
        }
    })));
    await during('upload', () => together(60, 4, async (i) => {
        await sendFile(instance, customers[i % 16], i);
        await sendMessage(instance, customers[i % 16], 2000 + i);
    }));
}

async function cut(kind, { without = 'none', count = cuts, kept = 0 } = {}) {
    const own = fs.mkdtempSync(path.join(folder, `${kind}-`)), [from, to] = spans[kind];
    const { stdout } = await run(power, [disk.file, acknowledged, own, without, String(seed), String(count), String(from), String(to),
        String(kept)], { maxBuffer: 1 << 28, env: { ...process.env, ...clock.env } });
    return { ...JSON.parse(stdout), own };
}

before(async () => {
    power = buildPower();
    disk = new Disk({ bytes: 2 ** 30 });
    disk.set('syncUs', 1000);
    disk.set('isRecording', 1);
    folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'rtcc-power-'));
    clock = new Clock();
    const between = await startFailing(), settings = { capacity: 100, ...between.settings };
    const recorded = clock.boot(40 * DAY), instance = await disk.start({ settings, env: clock.env });
    between.to = instance.port;
    try {
        await record(instance);
    } finally {
        await instance.stop();
        await between.stop();
        disk.set('isRecording', 0);
    }
    assert.ok(heard.filter((line) => line.includes('\tkept\t')).length >= 8, 'some were told that their form is kept');
    boots = [recorded, clock.boot(0)]; // the power comes back
    acknowledged = path.join(folder, 'acknowledged');
    fs.writeFileSync(acknowledged, `${heard.join('\n')}\n`);
});
after(() => {
    fs.rmSync(folder, { recursive: true, force: true });
    disk.clear();
    clock.clear();
});

test('the record has all that was done to the disk: played to its end it is what is there', async () => {
    const end = fs.mkdtempSync(path.join(folder, 'end-'));
    await run(power, [disk.file, '-', end]);
    const namesIn = (top) => fs.readdirSync(top, { recursive: true }).filter((name) => !name.endsWith('-shm')).sort();
    assert.deepEqual(namesIn(end), namesIn(disk.state));
    assert.ok(namesIn(end).includes('rtcc.db') && sent.files.size === 60 && namesIn(end).length > 60);
    for (const name of namesIn(end).filter((one) => fs.statSync(path.join(end, one)).isFile())) {
        assert.ok(fs.readFileSync(path.join(end, name)).equals(fs.readFileSync(path.join(disk.state, name))), name);
    }
});

const rowsOf = async (state, name, sql) => JSON.parse((await run('sqlite3', ['-json', path.join(state, name), sql])).stdout || '[]');

/* What held by the boot's clock, which ran for forty days and has begun anew: offers of then are taken back, whoever was there is
 * not, until he comes again. Gives how many offers were open. */
async function isOfThisBoot(place, state) {
    const open = () => rowsOf(state, 'rtcc.db', `SELECT id FROM reservation WHERE state = 'pending' AND boot = '${boots[0]}'`);
    const were = await open();
    const worked = await place.command(['work']);
    assert.equal(worked.status, 0, worked.stderr);
    assert.deepEqual(await open(), []);
    assert.deepEqual(await rowsOf(state, 'rtcc.db', 'SELECT login FROM agent WHERE is_present = 1'), []);
    const signed = await place.run('agent_sign', 'POST', { form: { login: 'anna', password: demoPassword }, accept: 'application/json' });
    assert.equal(signed.status, 200, signed.stderr); // counts its tries in live.db
    const polled = await place.run('agent_poll', 'GET', { query: { wait: 0 }, bearer: signed.json().token });
    assert.equal(polled.status, 200, polled.stderr);
    const seen = await rowsOf(state, 'live.db', 'SELECT boot, boot_ms FROM presence');
    assert.ok(seen.length === 1 && seen[0].boot === boots[1] && seen[0].boot_ms < DAY * 1000, JSON.stringify(seen));
    return were.length;
}

/* Programs on what a cut left: what the customers sent is given out again, and the next customer is served. Gives how many offers
 * were open. */
async function useImage(state) {
    const place = await newPlace({ isEmpty: true, settings: { state_dir: state }, env: clock.env });
    try {
        const made = await place.command(['init']);
        assert.equal(made.status, 0, made.stderr);
        const files = fs.readdirSync(path.join(state, 'files'));
        const whole = await rowsOf(state, 'rtcc.db', 'SELECT id FROM file WHERE event <> 0 ORDER BY id DESC LIMIT 3');
        for (const { id } of whole.filter((one) => sent.files.has(one.id))) {
            const { member, data } = sent.files.get(id);
            const got = await place.run('file_get', 'GET', { query: { id, token: member.token, conf: member.conference } });
            assert.ok(got.status === 200 && got.bytes.equals(data), `file ${id} of ${files.length}: ${got.status}`);
        }
        const next = await place.run('vcs_conf_schedule', 'GET', { query: { conf_type: 'reservationless', subject: 's' } });
        assert.equal(next.status, 200, next.stderr);
        return await isOfThisBoot(place, state);
    } finally {
        place.clear();
    }
}

describe('after a power cut', { concurrency: 2 }, () => {
    for (const kind of kinds) {
        test(`${kind}: nothing is damaged, nothing acknowledged is lost, and the programs go on`, async (t) => {
            const { own, ...found } = await cut(kind, { kept: 5 });
            t.diagnostic(`seed ${seed}: ${JSON.stringify(found)}`);
            const { corrupt, lost, hindered, broken_files: broken, cuts: done, looked_for: looked } = found;
            assert.deepEqual({ corrupt, lost, hindered, broken }, { corrupt: 0, lost: 0, hindered: 0, broken: 0 }, found.first);
            assert.ok(done === cuts && looked > done, 'there was something to lose');
            const kept = fs.readdirSync(own).filter((name) => name.startsWith('cut'));
            assert.equal(kept.length, 5);
            let open = 0;
            for (const name of kept) open += await useImage(path.join(own, name));
            t.diagnostic(`${open} open offers of the boot before were taken back`);
        });
    }
});

/* Without what it does for this the same record shows the harm: so these cuts would find it. */
describe('the cuts find what is wrong', { concurrency: 2 }, () => {
    const loss = async (t, kind, without) => {
        const { own, ...found } = await cut(kind, { without, count: 60 });
        t.diagnostic(`without the syncs of ${without}: ${JSON.stringify(found)}`);
        return found;
    };
    for (const kind of kinds) {
        test(`${kind}: without the sync of the log what was acknowledged is lost`, async (t) => {
            assert.ok((await loss(t, kind, 'wal')).lost > 10);
        });
    }
    test('without any sync the database is damaged', async (t) => {
        const { corrupt, lost } = await loss(t, 'message', 'any');
        assert.ok(corrupt > 5 && corrupt + lost > 30);
    });
    test('without the sync of the folder files are gone', async (t) => {
        assert.ok((await loss(t, 'upload', 'folders')).broken_files > 30);
    });
    test('without the sync of a file it is not whole', async (t) => {
        assert.ok((await loss(t, 'upload', 'files')).broken_files > 30);
    });
});
