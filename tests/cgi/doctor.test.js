/* rtcc doctor: what is wrong, and how it is mended. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { newPlace, runToEnd } from '../lib/cgi.js';
import { freePort, tree } from '../lib/instance.js';

const password = 'correct horse 42';
let place;
before(async () => {
    place = await newPlace();
    for (const login of ['anna', 'ben'])
        assert.equal((await place.command(['agent', 'add', login, login, 'agent'], `${password}\n`)).status, 0);
});
after(() => place.clear());

const run = (...args) => place.command(args);

/* Asserts that a command was refused with this one sentence. */
function refused(ended, sentence) {
    assert.equal(ended.status, 1, ended.stdout + ended.stderr);
    assert.match(ended.stderr, sentence);
    assert.equal(ended.stdout, '');
}


/* These places' programs run as whom the tests run as. */
const asMe = ['doctor', '--as-me'];

const doctor = async () => {
    const { status, stdout } = await run(...asMe), lines = stdout.trimEnd().split('\n');
    const wrong = lines.flatMap((line, i) => (line.startsWith('NOT OK') ? [[line.split(/ +/)[2], lines[i + 1]]] : []));
    for (const [name, mend] of wrong) assert.match(mend, /^ +→ [A-Z].{10,}/, `${name} says how to mend it`);
    assert.equal(status, wrong.length ? 1 : 0);
    return { lines, wrong: wrong.map(([name]) => name), mends: Object.fromEntries(wrong) };
};

test('the doctor finds a good place well and ends with 0', async () => {
    const server = await place.serve(), here = `http://127.0.0.1:${server.port}`;
    try {
        place.write({ collaboration_url: here, queue_url: here });
        const { lines, wrong } = await doctor();
        assert.deepEqual(wrong, []);
        assert.ok(lines.length >= 10 && lines.every((line) => /^ok +\w+ +\S.*\.$/.test(line)), lines.join('\n'));
    } finally {
        await server.close();
        place.write();
    }
});

test('the doctor says what is wrong and how to mend it, and ends with 1', async () => {
    const server = await place.serve(), here = `http://127.0.0.1:${server.port}`, nobody = `http://127.0.0.1:${await freePort()}`;
    const away = async (name, found, mend) => {
        const file = path.join(place.state, name);
        fs.renameSync(file, `${file}.away`);
        const said = await doctor();
        fs.renameSync(`${file}.away`, file);
        assert.ok(said.wrong.includes(found), name);
        assert.match(said.mends[found], mend);
    };
    try {
        place.write({ collaboration_url: here, queue_url: here });
        await away('files', 'files', /rtcc init/);
        await away('service.key', 'key', /rtcc init/);
        for (const [down, up] of [['collaboration_url', 'queue_url'], ['queue_url', 'collaboration_url']]) {
            place.write({ [down]: nobody, [up]: here });
            const { wrong, lines } = await doctor();
            assert.ok(wrong.includes(down) && !wrong.includes(up), wrong.join());
            assert.match(lines.join('\n'), new RegExp(`${down} +${nobody}/\\S+ does not answer ok: .*connect.*\\n.*→ .*the programs`));
            assert.match(lines.join('\n'), /service key +Whether .* is not known: .*\n.*→ See that both servers answer/);
        }
        place.write({ collaboration_url: here, queue_url: here, service_key_file: place.conf });
        assert.match((await doctor()).lines.join('\n'), /service key +A server does not take .*\n.*→ Run 'rtcc init'/);
        place.write({ collaboration_url: here, queue_url: here, pages_dir: '/nonexistent' });
        const pages = await doctor();
        assert.ok(pages.wrong.includes('pages'));
        assert.match(pages.mends.pages, /pages_dir/);
    } finally {
        await server.close();
        place.write();
    }
});

test('the doctor misses people, a site and a database', async () => {
    const fresh = await newPlace({ isEmpty: true });
    try {
        const nothing = await fresh.command(asMe);
        assert.equal(nothing.status, 1);
        assert.match(nothing.stdout, new RegExp(`^NOT OK +database .*${fresh.state}.*\n.*→ .*rtcc init`, 'm'));
        fs.mkdirSync(fresh.state);
        const bare = await fresh.command(asMe);
        assert.equal(bare.status, 1);
        assert.match(bare.stdout, /^NOT OK +database .*\n.*→ .*rtcc init/m);
        assert.match(bare.stdout, /^NOT OK +agents .*\n.*→ .*rtcc agent add/m);
    } finally {
        fresh.clear();
    }
});

test('a damaged database: the doctor and every command name the restore, and no init', async () => {
    const fresh = await newPlace();
    try {
        fs.writeFileSync(path.join(fresh.state, 'rtcc.db'), 'this was a database once'.repeat(100));
        const seen = await fresh.command(asMe);
        assert.equal(seen.status, 1);
        assert.match(seen.stdout, /^NOT OK +database .*file is not a database\.\n.*→ .*rtcc restore FILE/m);
        assert.match(seen.stdout, /^NOT OK +queue_url /m, 'the others are looked at as well');
        const refusal = await fresh.command(['agent', 'list']);
        refused(refusal, /file is not a database\. If it is damaged, stop .*: rtcc restore FILE/);
        assert.doesNotMatch(refusal.stderr, /rtcc init/);
    } finally {
        fresh.clear();
    }
});

test('a database of newer programs: the doctor says so and goes on, and every command ends with the sentence', async () => {
    const fresh = await newPlace();
    try {
        const file = fs.openSync(path.join(fresh.state, 'rtcc.db'), 'r+');
        fs.writeSync(file, Buffer.from([0, 0, 0x27, 0x0f]), 0, 4, 60); // user_version
        fs.closeSync(file);
        const seen = await fresh.command(asMe);
        assert.equal(seen.status, 1);
        assert.match(seen.stdout, /^ok +disk .*\n[^]*^NOT OK +database .*schema 9999, .* install the newer programs\.\n.*→ Nothing is lost/m);
        for (const name of ['files', 'pages', 'key', 'settings', 'queue_url'])
            assert.match(seen.stdout, new RegExp(`^(ok|NOT OK) +${name} `, 'm'));
        assert.doesNotMatch(seen.stdout, /restore/);
        refused(await fresh.command(['agent', 'list']), /schema 9999, this program knows \d+: install the newer programs/);
    } finally {
        fresh.clear();
    }
});

const onlyRoot = { skip: process.getuid() !== 0 && 'only root can do so' };

test('a full disk: the doctor says it first, and names no backup', onlyRoot, async () => {
    const fresh = await newPlace({ isEmpty: true }), script = `mkdir "$1"; mount -t tmpfs -o size=400k rtcc "$1"
        head -c 1000000 /dev/zero >"$1/filled" || true; exec "$0" doctor --as-me`;
    try {
        const ended = await runToEnd('unshare', ['--mount', 'sh', '-c', script, path.join(fresh.build, 'sbin/rtcc'), fresh.state],
            { ...process.env, RTCC_CONF: fresh.conf }), said = ended.stdout.toString();
        assert.match(said, /^NOT OK +disk +0 MB are free in .*\n.*→ Make room/, ended.stderr);
        assert.match(said, /^NOT OK +database .*\n.*→ The disk of .* is full/m);
        assert.doesNotMatch(said, /restore/);
    } finally {
        fresh.clear();
    }
});

test('root sees with the doctor what the programs\' user can do, and init gives him the key\'s file', onlyRoot, async () => {
    const fresh = await newPlace({ isEmpty: true }), htdocs = path.join(fresh.folder, 'htdocs'), key = path.join(fresh.folder, 'form.key');
    const authority = path.join(fresh.folder, 'own', 'ca.pem'), settings = { pages_dir: htdocs, service_key_file: key };
    const wrong = async () => [...(await fresh.command(['doctor'])).stdout.matchAll(/^NOT OK +(\w+) .*\n +→ (.*)$/gm)]
        .filter(([, name]) => !['agents', 'collaboration_url', 'queue_url', 'service'].includes(name))
        .map(([, name, mend]) => `${name}: ${mend}`);
    try {
        fs.chmodSync(fresh.folder, 0o711);
        fs.cpSync(path.join(tree, 'htdocs'), htdocs, { recursive: true, dereference: true });
        fresh.write(settings);
        assert.equal((await fresh.command(['init'])).status, 0);
        assert.deepEqual(await wrong(), [], 'all is www-data\'s, also the key');
        assert.match((await fresh.command(['doctor'])).stdout, /^ok +user +This looks as www-data, /m);
        const without = async (file, mode, found) => {
            const before = fs.statSync(file);
            fs.chownSync(file, 0, 0);
            fs.chmodSync(file, mode);
            const [first, ...others] = await wrong();
            assert.match(first ?? '', found, file);
            assert.deepEqual(others, [], file);
            fs.chownSync(file, before.uid, before.gid);
            fs.chmodSync(file, before.mode & 0o777);
        };
        await without(path.join(fresh.state, 'rtcc.db'), 0o644, /^database: /);
        await without(path.join(fresh.state, 'files'), 0o755, /^files: /);
        await without(htdocs, 0o700, /^pages: /);
        await without(fresh.conf, 0o600, /^settings: .*chmod 644 /);
        await without(key, 0o640, /^key: Run 'rtcc init'/);
        fs.chownSync(key, 0, 0);
        assert.equal((await fresh.command(['init'])).status, 0);
        assert.deepEqual(await wrong(), [], 'as it was told');
        fs.mkdirSync(path.dirname(authority), { mode: 0o700 });
        fs.writeFileSync(authority, '');
        fresh.write({ ...settings, service_ca_file: authority });
        assert.match((await wrong()).join(), /^service_ca_file: .*each folder above/);
        fresh.write({ ...settings, state_dir: fs.mkdtempSync(path.join(fresh.folder, 'mine-')) });
        assert.match((await fresh.command(['init'])).stdout, / is root's, .*: chown -R www-data: /);
        assert.match((await wrong()).join(), /database: .*chown -R www-data: /);
    } finally {
        fresh.clear();
    }
});
