/* rtcc backup while everybody writes, and rtcc restore: a whole instance, stopped and started again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { get, post } from '../lib/http.js';
import { buildFolder, sleep, startInstance } from '../lib/instance.js';
import { agentPoll, allEvents, ask, confPoll, say, sendFile, signIn } from '../lib/people.js';
import { isError, join, room, rtcc, schedule } from '../lib/wire.js';

const FIRST_EVENT = 2;
let folder, runDir, instance, base;
before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    runDir = path.join(folder, 'run');
    instance = await startInstance({ runDir });
    ({ base } = instance);
});
after(async () => {
    await instance.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

const command = (...args) => rtcc(buildFolder, path.join(runDir, 'rtcc.conf'), args);
const live = () => path.join(runDir, 'state/rtcc.db');
const sqlite = (file, sql) => execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', file, sql],
    { encoding: 'utf8', maxBuffer: 1 << 28 }).trim();
const eventsUpTo = (file, id) => sqlite(file,
    `SELECT id, conf, member, kind, text, data, nonce FROM event WHERE id <= ${id} ORDER BY id`);

test('a backup under load is whole, and is what was there at one moment', async () => {
    const { id, participant } = await schedule(base);
    const writers = await Promise.all(Array.from({ length: 8 }, (_, i) => join(base, participant, id, { name: `W${i}` })));
    let isOver = false, written = 0, slowest = 0;
    const load = writers.map(async (writer) => {
        while (!isOver) {
            const began = Date.now();
            await say(instance, writer, `message ${written++}`);
            slowest = Math.max(slowest, Date.now() - began);
        }
    });
    const copies = [];
    for (let i = 0; i < 5; i++) {
        const copy = path.join(folder, `copy${i}.db`), before = written;
        const made = await command('backup', copy);
        assert.equal(made.status, 0, made.stderr);
        assert.ok(written >= before);
        copies.push(copy);
        await sleep(200);
    }
    isOver = true;
    await Promise.all(load);
    assert.ok(written > 100, `${written} messages were written meanwhile`);
    assert.ok(slowest < 2000, `nobody waited longer than 2 s (${slowest} ms)`);
    let last = 0;
    for (const copy of copies) {
        assert.equal(sqlite(copy, 'PRAGMA integrity_check; PRAGMA foreign_key_check'), 'ok');
        const [newest, counter, count] = sqlite(copy,
            'SELECT (SELECT max(id) FROM event), last_event, (SELECT count(*) FROM event) FROM site')
            .split('|').map(Number);
        assert.equal(newest, counter);
        assert.equal(count, newest - FIRST_EVENT + 1, 'nothing in between is missing');
        assert.ok(newest >= last, 'later copies have more');
        assert.equal(eventsUpTo(copy, newest), eventsUpTo(live(), newest), 'what the live database had up to there');
        last = newest;
    }
    assert.ok(last > Number(sqlite(copies[0], 'SELECT max(id) FROM event')));
});

const fileOf = (place, who, file) => get(place.base, '/cgi_bin/file_get', { id: file, token: who.token });

/* Another place, whose programs are stopped. */
async function elsewhere(name) {
    const runDir = path.join(folder, name), first = await startInstance({ runDir });
    await first.stop();
    return {
        state: path.join(runDir, 'state'),
        command: (...args) => rtcc(buildFolder, path.join(runDir, 'rtcc.conf'), args),
        start: () => startInstance({ runDir, port: first.port }),
    };
}

test('the files that were sent go along with a backup, and are there where it is restored', async () => {
    const { customer, agent } = await room(base), bytes = Buffer.alloc(300000, 'file ');
    const { file } = await sendFile(instance, customer, 'a.txt', 'text/plain', bytes);
    const copy = path.join(folder, 'files.db');
    assert.equal((await command('backup', copy)).status, 0);
    const kept = fs.readdirSync(`${copy}.files`);
    assert.deepEqual(kept, fs.readdirSync(path.join(runDir, 'state/files')));
    assert.match((await command('backup', copy)).stderr, /stands already/);
    fs.renameSync(`${copy}.files`, path.join(folder, 'again.db.files'));
    assert.match((await command('backup', path.join(folder, 'again.db'))).stderr, /again\.db\.files stands already/);
    assert.ok(!fs.existsSync(path.join(folder, 'again.db')), 'half a backup looks like a whole one');
    fs.renameSync(path.join(folder, 'again.db.files'), `${copy}.files`);

    const there = await elsewhere('other');
    fs.renameSync(`${copy}.files`, `${copy}.away`);
    const without = await there.command('restore', copy);
    assert.equal(without.status, 0, without.stderr);
    assert.match(without.stderr, new RegExp(`^rtcc: ${kept.length} files that the database knows are not in `));
    const poor = await there.start();
    const lost = await fileOf(poor, customer, file), doctor = await there.command('doctor', '--as-me');
    await poor.stop();
    isError(lost, 'not_found');
    assert.match(lost.body, /not kept here any more/);
    assert.equal(doctor.status, 1);
    assert.match(doctor.stdout, new RegExp(`NOT OK  sent files +${kept.length} files .*\\n.*FILE\\.files`));

    fs.renameSync(`${copy}.away`, `${copy}.files`);
    const whole = await there.command('restore', copy);
    assert.equal(whole.status, 0);
    assert.equal(whole.stderr, '');
    assert.deepEqual(fs.readdirSync(path.join(there.state, 'files')), kept);
    const rich = await there.start();
    const found = await fileOf(rich, customer, file), well = await there.command('doctor', '--as-me');
    await rich.stop();
    assert.equal(found.status, 200);
    assert.equal(found.body, bytes.toString());
    assert.match(well.stdout, /ok +sent files +All are in /);
    assert.equal((await fileOf(instance, agent, file)).body, bytes.toString(), 'and it is still where it was');
});

test('a database whose file names lead out of the folder copies nothing from there', async () => {
    const { customer } = await room(base), copy = path.join(folder, 'hostile.db');
    await sendFile(instance, customer, 'a.txt', 'text/plain', Buffer.from('x'));
    assert.equal((await command('backup', copy)).status, 0);
    fs.writeFileSync(path.join(folder, 'secret'), 'secret');
    execFileSync('sqlite3', [copy, "UPDATE file SET place = '../secret'"]);
    const there = await elsewhere('trusting'), restored = await there.command('restore', copy);
    assert.match(restored.stderr, /files that the database knows are not in/);
    assert.ok(!fs.existsSync(path.join(there.state, 'secret')));
});

test('a backup overwrites nothing and says where it cannot write', async () => {
    const there = path.join(folder, 'there.db');
    fs.writeFileSync(there, 'mine');
    const refused = await command('backup', there);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /stands already/);
    assert.equal(fs.readFileSync(there, 'utf8'), 'mine');
    const nowhere = await command('backup', path.join(folder, 'no/such/folder.db'));
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.stderr, /folder\.db' cannot be made: its folder is not there\.\n$/);
    const below = await command('backup', path.join(there, 'folder.db'));
    assert.equal(below.status, 1);
    assert.match(below.stderr, /cannot be made: Not a directory\.\n$/);
    const nameless = await command('backup', '');
    assert.equal(nameless.status, 1, 'sqlite would write to no file at all');
    fs.symlinkSync(path.join(folder, 'elsewhere.db'), path.join(folder, 'link.db'));
    assert.match((await command('backup', path.join(folder, 'link.db'))).stderr, /stands already/);
});

test('restore is refused while the programs run, and nothing changes', async () => {
    const copy = path.join(folder, 'running.db');
    assert.equal((await command('backup', copy)).status, 0);
    const customer = await ask(instance), refused = await command('restore', copy);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /nothing was restored: .*running.*stop/);
    assert.ok(!fs.existsSync(`${live()}.before`));
    assert.equal((await confPoll(instance, customer)).state, 'waiting');
});

test('restored: what was there then is there again, and no id is used twice', async () => {
    const { customer, agent } = await room(base), staff = await signIn(instance, 'anna');
    await say(instance, customer, 'before the backup');
    const copy = path.join(folder, 'kept.db');
    assert.equal((await command('backup', copy)).status, 0);
    const { id: lost } = await say(instance, customer, 'after the backup'), later = await room(base);
    const { after: cursor } = await confPoll(instance, customer);
    assert.ok(cursor >= lost);
    await instance.stop();

    for (const bad of [path.join(folder, 'there.db'), path.join(folder, 'none.db'), folder]) {
        const refused = await command('restore', bad);
        assert.equal(refused.status, 1, bad);
        assert.match(refused.stderr, /nothing was restored: /);
    }
    assert.ok(!fs.existsSync(`${live()}.before`), 'a bad copy leaves everything as it was');
    const restored = await command('restore', copy);
    assert.equal(restored.status, 0, restored.stderr);
    assert.ok(sqlite(`${live()}.before`, "SELECT count(*) FROM event WHERE text = 'after the backup'") === '1',
        'the old one is kept');
    assert.deepEqual(fs.readdirSync(path.join(runDir, 'state')).filter((name) => name.startsWith('restore')), []);

    instance = await startInstance({ runDir, port: instance.port, env: { RTCC_DEMO_PASSWORD: '' } }); // setting it ends sessions
    const events = await allEvents(instance, customer);
    assert.ok(events.some((one) => one.text === 'before the backup') && !events.some((one) => one.text === 'after the backup'));
    isError(await get(base, '/cgi_bin/conf_poll', { conf: later.id, token: later.customer.token }), 'unauthorized');
    assert.equal((await agentPoll(instance, staff)).agent.login, 'anna', 'who was signed in then is signed in');
    const { id } = await say(instance, agent, 'after the restore');
    assert.ok(id > cursor + 1000, 'ids go on far behind those that were lost');
    const heard = await confPoll(instance, customer, cursor, 5);
    assert.deepEqual(heard.events.map((one) => one.text), ['after the restore'], 'a cursor from before hears it');
    const { participant, id: conference } = await schedule(base), { member } = await join(base, participant, conference);
    assert.ok(member > later.agent.member + 1000, 'and so does everything else that has an id');
    assert.equal((await post(base, '/cgi_bin/conf_post', { conf: customer.conference, token: customer.token,
        kind: 'leave' })).status, 200);
    const doctor = await command('doctor', '--as-me');
    assert.equal(doctor.status, 0, doctor.stdout);
});
