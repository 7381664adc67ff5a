/* rtcc, the administrator's command: people, keys, topics, work. Backups are in backup.test.js, the doctor in doctor.test.js. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPlace, runToEnd } from '../lib/cgi.js';
import { freePort, sleep, until } from '../lib/instance.js';
import { conferenceOf, isError, json } from '../lib/wire.js';

const password = 'correct horse 42';
let place;
before(async () => { place = await newPlace(); });
after(() => place.clear());

const run = (...args) => place.command(args);
const add = (login, role = 'agent', words = `${password}\n`) => place.command(['agent', 'add', login, `Name of ${login}`, role],
    words);
const sign = (login, words = password) => place.run('agent_sign', 'POST', { form: { login, password: words }, ...json });
const get = (program, query, options) => place.run(program, 'GET', { query, ...options });

/* Asserts that a command was refused with this exit status and one sentence. */
function refused(ended, sentence, status = 1) {
    assert.equal(ended.status, status, ended.stdout + ended.stderr);
    assert.match(ended.stderr, sentence);
    assert.equal(ended.stdout, '');
}

/* ── using it ── */

test('without a command, or with a wrong one, it says what there is and ends with 2', async () => {
    for (const args of [[], ['nonsense'], ['agent'], ['agent', 'nonsense'], ['agent', 'add', 'x'], ['key', 'revoke'], ['backup'],
        ['restore'], ['topic', 'set', 'x'], ['agent', 'password'],
        ['agent', 'disable'], ['agent', 'enable', 'x', 'y'], ['work', '--sty'], ['work', 'extra'], ['init', 'extra'],
        ['doctor', 'extra'], ['agent', 'list', 'extra'], ['agent', 'import', 'x'], ['settings', 'x'], ['restore', place.conf, 'extra'],
        ['key', 'add', '--about'], ['topic', 'set', 'x', 'y', '1', 'z'], ['agent', 'add', 'x3', 'X', 'agent', 'extra'],
        ['agent', 'add', '--random', 'x3', 'X', 'agent'], ['--version', 'extra'], ['--help', 'extra']]) {
        const ended = await run(...args);
        assert.equal(ended.status, 2, args.join(' '));
        for (const command of ['init', 'agent add', 'agent import', 'key add', 'topic set', 'backup', 'restore', 'work', 'doctor']) {
            assert.match(ended.stderr, new RegExp(`rtcc ${command} `));
        }
    }
    const help = await run('--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /rtcc doctor/);
    const version = await run('--version');
    assert.deepEqual([version.status, version.stderr], [0, '']);
    assert.match(version.stdout, /^rtcc \(rtcc\) \d+\.\d+\n$/);
});

test('init makes the folder, the database and the key of form_submit, and again changes nothing', async () => {
    const fresh = await newPlace({ isEmpty: true });
    try {
        const first = await fresh.command(['init']);
        assert.deepEqual([first.status, first.stderr], [0, '']);
        const key = path.join(fresh.state, 'service.key'), text = fs.readFileSync(key, 'utf8');
        assert.match(text, /^k_\w[\w-]*\.[\w-]{30,}\n$/);
        assert.equal(fs.statSync(key).mode & 0o007, 0, 'nobody else can read the key');
        assert.equal(fs.statSync(fresh.state).mode & 0o007, 0, 'nor the database');
        assert.ok(fs.existsSync(path.join(fresh.state, 'files')));
        assert.equal((await fresh.run('vcs', 'GET', { bearer: text.trim() })).status, 200);
        assert.equal((await fresh.command(['init'])).status, 0);
        assert.equal(fs.readFileSync(key, 'utf8'), text);
        assert.equal((await fresh.run('vcs', 'GET', { bearer: text.trim() })).status, 200);
        fs.rmSync(key); // as where the database was restored: who asked before is still the same
        assert.equal((await fresh.command(['init'])).status, 0);
        const another = fs.readFileSync(key, 'utf8');
        assert.equal(another.split('.')[0], text.split('.')[0]);
        assert.equal((await fresh.run('vcs', 'GET', { bearer: another.trim() })).status, 200);
        assert.equal((await fresh.run('vcs', 'GET', { bearer: text.trim() })).status, 401);
    } finally {
        fresh.clear();
    }
});

test('what root makes belongs to the web server\'s user, who works on with it', { skip: process.getuid() !== 0 && 'only root can give away' },
    async () => {
        const fresh = await newPlace({ isEmpty: true }), copy = path.join(fresh.folder, 'rtcc');
        const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, 'www-data'])));
        const asWebUser = (...args) => execFileSync(copy, args, { uid, gid, input: `${password}\n`, encoding: 'utf8',
            env: { ...process.env, RTCC_CONF: fresh.conf } });
        try {
            fs.chmodSync(fresh.folder, 0o711);
            fs.copyFileSync(path.join(fresh.build, 'sbin/rtcc'), copy);
            assert.equal((await fresh.command(['init'])).status, 0);
            assert.equal((await fresh.command(['agent', 'add', 'anna', 'Anna', 'agent'], `${password}\n`)).status, 0);
            for (const name of ['.', ...fs.readdirSync(fresh.state)])
                assert.equal(fs.statSync(path.join(fresh.state, name)).uid, uid, name);
            asWebUser('agent', 'add', 'ben', 'Ben', 'agent');
            assert.match(asWebUser('agent', 'list'), /anna[^]*ben/);
            const mine = fs.mkdtempSync(path.join(fresh.folder, 'mine-')); // one that is there is left to whom it belongs
            fresh.write({ state_dir: mine });
            assert.equal((await fresh.command(['init'])).status, 0);
            assert.equal(fs.statSync(path.join(mine, 'rtcc.db')).uid, 0);
        } finally {
            fresh.clear();
        }
    });

test('init leaves a key that is another server\'s as it is, whatever the address, and says what to do; it makes its own good', async () => {
    const fresh = await newPlace(), away = await newPlace(), other = path.join(fresh.folder, 'other.key');
    const own = path.join(fresh.state, 'service.key');
    const init = async (says) => {
        const ended = await fresh.command(['init']);
        assert.deepEqual([ended.status, ended.stderr], [0, '']);
        assert.match(ended.stdout, says);
    };
    const opens = async (file) => (await fresh.run('vcs', 'GET', { bearer: fs.readFileSync(file, 'utf8').trim() })).status;
    try {
        const theirs = (await away.command(['key', 'add', 'the form'])).stdout;
        for (const file of [own, other]) {
            for (const url of ['http://127.0.0.1:8081', 'http://localhost.example.com', 'https://rooms.example.com']) {
                fresh.write({ collaboration_url: url, ...(file === other && { service_key_file: other }) });
                fs.writeFileSync(file, theirs);
                await init(new RegExp(`^${file} has a key that is none of this database's, and stays as it is: if ${url} is this place, ` +
                    'remove the file .*\\n.* is ready\\.\\n$'));
                assert.equal(fs.readFileSync(file, 'utf8'), theirs, url);
            }
            fs.rmSync(file);
            await init(/ has a new key of this database; /); // as it was told
            assert.equal(await opens(file), 200);
            await init(/ has a valid key of this database; /);
            const [id] = fs.readFileSync(file, 'utf8').split('.');
            fs.writeFileSync(file, `${id}.of-an-earlier-time\n`);
            await init(/ has a new key /);
            assert.equal(await opens(file), 200);
            fs.writeFileSync(file, '\n');
            await init(/ has a new key /);
            assert.equal(await opens(file), 200);
        }
    } finally {
        fresh.clear();
        away.clear();
    }
});

test('a database of another place is restored: form_submit\'s key opens it, and another server\'s is left', async () => {
    const first = await newPlace(), second = await newPlace(), copy = path.join(first.folder, 'copy.db');
    const file = path.join(second.state, 'service.key'), key = () => fs.readFileSync(file, 'utf8').trim();
    try {
        assert.equal((await first.command(['backup', copy])).status, 0);
        second.write({ collaboration_url: 'https://support.example.com' });
        const restored = await second.command(['restore', copy]);
        assert.equal(restored.status, 0, restored.stderr);
        assert.match(restored.stdout, / has a new key of this database/);
        assert.equal((await second.run('vcs', 'GET', { bearer: key() })).status, 200);
        const theirs = (await first.command(['key', 'add', 'the form'])).stdout.trim();
        fs.writeFileSync(file, `${theirs}\n`);
        assert.doesNotMatch((await second.command(['restore', copy])).stdout, /key/);
        assert.equal(key(), theirs);
    } finally {
        first.clear();
        second.clear();
    }
});

/* ── agents ── */

test('agent add: the password comes from stdin, or is made up and printed', async () => {
    assert.equal((await add('anna')).status, 0);
    assert.equal((await sign('anna')).json().role, 'agent');
    const made = await place.command(['agent', 'add', 'ben', 'Ben', 'supervisor', '--random']);
    assert.equal(made.status, 0);
    assert.match(made.stdout, /^\S{12,}\n$/);
    assert.equal((await sign('ben', made.stdout.trim())).json().role, 'supervisor');
    const settings = fs.readFileSync(place.conf, 'utf8');
    fs.appendFileSync(place.conf, 'password_least 64\n');
    const long = await place.command(['agent', 'add', 'bea', 'Bea', 'agent', '--random']);
    fs.writeFileSync(place.conf, settings);
    assert.match(long.stdout, /^\S{64}\n$/, long.stderr);
    assert.equal((await sign('bea', long.stdout.trim())).json().role, 'agent');
    assert.equal((await add('last', 'admin', password)).status, 0, 'a line without its end');
    assert.equal((await sign('last')).json().role, 'admin');
});

test('agent add refuses what is there already, roles and logins that there are not, short and missing passwords', async () => {
    refused(await add('anna'), /anna already/);
    refused(await add('x1', 'king'), /agent, supervisor or admin/);
    for (const login of ['', 'a b', 'ä', 'x'.repeat(65), 'a/b']) refused(await add(login), /login has/);
    for (const words of ['', '\n', 'short\n', `${'x'.repeat(1000)}\n`, `${'漢'.repeat(171)}\n`])
        refused(await add('x2', 'agent', words), /password has/);
    assert.equal((await add('long', 'agent', `${'漢'.repeat(170)}\n`)).status, 0);
    assert.equal((await sign('long', '漢'.repeat(170))).status, 200);
    refused(await place.command(['agent', 'password', 'long'], `${'漢'.repeat(171)}\n`), /password has 511 bytes at most/);
    assert.doesNotMatch((await run('agent', 'list')).stdout, /^x[12]/m);
});

test('agent import adds everybody of a list, and each signs in', async () => {
    const list = `ina\tIna Öst\tagent\t${password}\njon\tJon\tsupervisor\tother horse 7\r\nkim\tKim\tadmin\tthe last has no end`;
    const { status, stdout, stderr } = await place.command(['agent', 'import'], list);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '3 added\n', stderr: '' });
    for (const [login, words, role] of [['ina', password, 'agent'], ['jon', 'other horse 7', 'supervisor'],
        ['kim', 'the last has no end', 'admin']]) assert.equal((await sign(login, words)).json().role, role);
    assert.match((await run('agent', 'list')).stdout, /^ina +agent +notready +away +Ina Öst$/m);
});

test('agent import adds nobody of a list that is not right, and says which line', async () => {
    const before = (await run('agent', 'list')).stdout, good = `x5\tX\tagent\t${password}\n`;
    const wrong = (number, reason) => new RegExp(`^rtcc: Nobody was added, because of line ${number}: ${reason}\n$`);
    const shape = wrong(2, 'A line is login, name, role and password, with tabs between them\\.');
    for (const line of ['\n', 'x6\n', `x6 X agent ${password}\n`, `x6\tX\tagent\n`, `x6\tX\tagent\t${password}\tmore\n`,
        `x6\tX\tagent\t${password}\0more\n${good}`, `x6\tX\tagent\t${password}\0more`, `x6\tX\tagent\tpass\rword 42\n`,
        `x6\tX\tagent\t${password}\rx7\tX\tagent\t${password}\r`]) {
        refused(await place.command(['agent', 'import'], good + line), shape);
    }
    for (const [line, reason] of [[`x6\tX\tking\t${password}`, 'A role is agent, supervisor or admin\\.'],
        ['x6\tX\tagent\tshort', 'A password has 8 to 200 characters\\.'], [`x6\tX\tagent\t${'p'.repeat(3000)}`, 'A password has .*'],
        [`x 6\tX\tagent\t${password}`, 'A login has 1 to 64 characters out of .*'], [`x6\t\tagent\t${password}`, 'A name has .*'],
        [`ina\tX\tagent\t${password}`, 'There is an agent ina already\\.'], [good.trim(), 'There is an agent x5 already\\.']]) {
        refused(await place.command(['agent', 'import'], `${good}${line}\n`), wrong(2, reason));
    }
    refused(await place.command(['agent', 'import'], ''), /^rtcc: Nobody was added, because the list is empty\.\n$/);
    refused(await place.command(['agent', 'import'], 'x'.repeat(3e6)), /^rtcc: Nobody was added, because the list is too large\.\n$/);
    refused(await place.command(['agent', 'import'], good.repeat(1001)), wrong(1001, 'A list has 1000 lines at most\\.'));
    assert.equal((await run('agent', 'list')).stdout, before);
});

test('names that nobody can read are refused, and nothing is made', async () => {
    const sentence = /^rtcc: (A name|A topic|A skill|What a key is for) has 1 to 100 characters in UTF-8, none .*\.\n$/;
    for (const name of ['', ' ', 'a\u0007b', 'two\nlines', 'x'.repeat(101)]) {
        refused(await place.command(['agent', 'add', 'x4', name, 'agent', '--random']), sentence);
        refused(await run('topic', 'set', name, 'skill'), sentence);
        if (name) refused(await run('topic', 'set', 'unread', name), sentence);
        refused(await run('key', 'add', name), sentence);
        refused(await run('agent', 'skill', 'anna', name), sentence);
    }
    assert.doesNotMatch((await run('agent', 'list')).stdout, /^x4/m);
    assert.equal((await run('topic', 'list')).stdout, '');
    assert.equal((await run('key', 'list')).stdout.trimEnd().split('\n').length, 1, 'the one of init');
});

test('agent list shows everybody, his role and whether he is ready and here', async () => {
    const before = (await run('agent', 'list')).stdout;
    assert.match(before, /^anna +agent +notready +away +Name of anna$/m);
    assert.match(before, /^ben +supervisor /m);
    const { token: bearer } = (await sign('anna')).json();
    await get('agent_poll', { wait: 0 }, { bearer });
    await place.run('agent_act', 'POST', { form: { action: 'ready' }, bearer });
    assert.match((await run('agent', 'list')).stdout, /^anna +agent +ready +here /m);
});

test('agent password sets another one and ends all his sessions', async () => {
    const { token: bearer } = (await sign('anna')).json();
    assert.equal((await place.command(['agent', 'password', 'anna'], 'another horse 43\n')).status, 0);
    isError(await get('agent_poll', { wait: 0 }, { bearer }), 'unauthorized');
    isError(await sign('anna'), 'unauthorized');
    assert.equal((await sign('anna', 'another horse 43')).status, 200);
    refused(await place.command(['agent', 'password', 'nobody'], `${password}\n`), /no such agent/);
    refused(await place.command(['agent', 'password', 'anna'], 'x\n'), /password has/);
    assert.equal((await place.command(['agent', 'password', 'anna'], `${password}\n`)).status, 0);
});

test('agent disable keeps somebody out and ends his sessions; agent enable lets him in again, not ready', async () => {
    const { token: bearer } = (await sign('anna')).json();
    await get('agent_poll', { wait: 0 }, { bearer });
    await place.run('agent_act', 'POST', { form: { action: 'ready' }, bearer });
    assert.equal((await run('agent', 'disable', 'anna')).status, 0);
    assert.match((await run('agent', 'list')).stdout, /^anna +agent +disabled +\S+ +Name of anna$/m);
    isError(await get('agent_poll', { wait: 0 }, { bearer }), 'unauthorized');
    isError(await sign('anna'), 'unauthorized');
    assert.equal((await run('agent', 'enable', 'anna')).status, 0);
    isError(await get('agent_poll', { wait: 0 }, { bearer }), 'unauthorized');
    const again = (await sign('anna')).json().token;
    assert.match((await run('agent', 'list')).stdout, /^anna +agent +notready /m);
    assert.equal((await run('agent', 'enable', 'anna')).status, 0);
    assert.equal((await get('agent_poll', { wait: 0 }, { bearer: again })).status, 200, 'who was not disabled goes on');
    for (const what of ['disable', 'enable']) refused(await run('agent', what, 'nobody'), /no such agent/);
});

test('agent skill takes a level from 1 to 10', async () => {
    assert.equal((await run('agent', 'skill', 'anna', 'billing')).status, 0);
    assert.equal((await run('agent', 'skill', 'anna', 'billing', '10')).status, 0);
    for (const level of ['0', '11', 'x']) refused(await run('agent', 'skill', 'anna', 'billing', level), /1 to 10/);
    refused(await run('agent', 'skill', 'nobody', 'billing'), /no such agent/);
});

/* ── keys, topics ── */

test('key add prints a key once; list shows ids only; revoke makes it open nothing', async () => {
    const made = await run('key', 'add', 'the shop');
    assert.match(made.stdout, /^k_[\w-]+\.[\w-]{30,}\n$/);
    const key = made.stdout.trim(), [id, secret] = key.split('.');
    assert.equal((await get('vcs', {}, { bearer: key })).status, 200);
    const listed = (await run('key', 'list')).stdout;
    assert.match(listed, new RegExp(`^${id} +valid +the shop$`, 'm'));
    assert.ok(!listed.includes(secret));
    assert.equal((await run('key', 'revoke', id)).status, 0);
    isError(await get('vcs', {}, { bearer: key }), 'unauthorized');
    assert.match((await run('key', 'list')).stdout, new RegExp(`^${id} +revoked `, 'm'));
    refused(await run('key', 'revoke', id), /no valid key/);
    refused(await run('key', 'revoke', 'k_nobody'), /no valid key/);
    const stored = fs.readdirSync(place.state, { withFileTypes: true }).filter((file) => file.isFile())
        .map((file) => fs.readFileSync(path.join(place.state, file.name), 'latin1')).join('');
    assert.ok(stored.includes(id.slice(2)));
    assert.ok(!stored.includes(secret), 'a key is stored hashed');
});

test('topic set and list: skill and priority of a topic', async () => {
    assert.equal((await run('topic', 'set', 'Billing', 'billing', '2')).status, 0);
    assert.equal((await run('topic', 'set', 'Chat', '')).status, 0);
    assert.equal((await run('topic', 'set', 'Billing', 'money', '3')).status, 0, 'set again is changed');
    const { stdout } = await run('topic', 'list');
    assert.match(stdout, /^Billing +priority 3 +skill money$/m);
    assert.match(stdout, /^Chat +priority 5 +skill -$/m);
    for (const priority of ['0', '11', 'x']) refused(await run('topic', 'set', 'x', 'y', priority), /1 \(first\) to 10/);
});

/* ── work ── */

test('work finishes a form that was kept, and leaves it kept while the servers are down', async () => {
    const port = await freePort(), settings = { collaboration_url: `http://127.0.0.1:${port}`,
        queue_url: `http://127.0.0.1:${port}` };
    place.write(settings);
    const form = { name: 'Ann', phone: '+16035551234', reqid: 'kept' };
    const kept = await place.run('form_submit', 'POST', { form, ...json });
    assert.equal(kept.status, 202);
    const now = () => execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(place.state, 'rtcc.db'), 'UPDATE job SET due_at = 0']);
    now(); // and not in the ten seconds that its sender is given
    assert.equal((await run('work')).status, 0);
    assert.equal((await place.run('form_submit', 'POST', { form, ...json })).status, 202, 'still kept');
    const server = await place.serve(port);
    try {
        await until(async () => {
            now();
            assert.equal((await run('work')).status, 0);
            return (await get('queue', { action: 'list' })).json().invitations.length === 1;
        }, 'it is in the queue', 20000);
        assert.equal((await place.run('form_submit', 'POST', { form, ...json })).status, 200);
        assert.equal((await get('queue', { action: 'list' })).json().invitations.length, 1, 'once');
    } finally {
        await server.close();
        place.write();
    }
});

test('work removes a file of which only a part came when nobody went on with it for a day', async () => {
    place.write();
    const { id: conf, participant: vanity } = conferenceOf((await get('vcs_conf_schedule')).xml());
    const { token } = (await get('vcs_call', { vanity }, json)).json().member;
    const put = (nonce, offset, data) => place.run('file_put', 'POST',
        { multipart: { conf, token, nonce, offset, total: 10, file: { name: 'a', type: 'x/y', data } }, ...json });
    const files = () => fs.readdirSync(path.join(place.state, 'files')).length;
    for (const nonce of ['left', 'new']) assert.equal((await put(nonce, 0, 'half.')).status, 200);
    assert.equal((await put('whole', 0, 'ten bytes.')).status, 200);
    const ago = (nonces, ms) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(place.state, 'rtcc.db'),
        `UPDATE file SET created_at = ${Date.now() - ms} WHERE nonce IN (${nonces})`]);
    ago("'left', 'whole'", 86405000);
    ago("'new'", 86395000);
    const before = files();
    assert.equal((await run('work')).status, 0);
    assert.equal(files(), before - 1);
    assert.equal((await put('new', 5, '.half')).status, 200);
    const refused = await put('left', 5, '.half');
    isError(refused, 'conflict', 'offset');
    assert.equal(refused.json().error.offset, 0);
    assert.equal((await put('left', 0, 'ten bytes.')).status, 200);
});

test('work --stay goes on until it is told to stop', async () => {
    const env = { ...process.env, RTCC_CONF: place.conf };
    for (const signal of ['SIGTERM', 'SIGINT']) {
        const child = spawn(path.join(place.build, 'sbin/rtcc'), ['work', '--stay'], { env, stdio: 'ignore' });
        const ended = new Promise((done) => child.once('exit', (status, by) => done([status, by])));
        await sleep(1300);
        assert.equal(child.exitCode, null);
        child.kill(signal);
        assert.deepEqual(await Promise.race([ended, sleep(3000)]), [0, null]);
    }
});

test('settings that are not there: it says how to mend it', async () => {
    const ended = await runToEnd(path.join(place.build, 'sbin/rtcc'), ['doctor'], { ...process.env, RTCC_CONF: '/nonexist' });
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /\/nonexist: No such file .* RTCC_CONF names this file: .* 'rtcc settings'/);
});
