/* make install lays everything where an administrator looks for it, uninstall takes it away, and systemd likes the units. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, tree } from '../lib/instance.js';

const programs = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c')).map((name) => path.parse(name).name);
const make = (what, destdir = root, prefix = '/usr') => execFileSync('make', ['-s', '--no-print-directory', `O=${buildFolder}`,
    `DESTDIR=${destdir}`, `PREFIX=${prefix}`, what], { cwd: tree, stdio: 'pipe' });
let root;

const there = (name) => fs.existsSync(path.join(root, name));
const files = (below = root) => fs.readdirSync(below, { recursive: true }).filter((name) =>
    fs.statSync(path.join(below, name)).isFile());

before(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-install-'));
    make('install');
});
after(() => fs.rmSync(root, { recursive: true }));

test('programs, pages, settings, manual pages and units lie where Debian has them', () => {
    for (const name of programs) {
        assert.ok(fs.statSync(path.join(root, 'usr/lib/cgi-bin/rtcc', name)).mode & 0o001, name);
        assert.ok(there(`usr/share/man/man8/${name}.8`), name);
    }
    for (const name of ['usr/sbin/rtcc', 'usr/share/man/man8/rtcc.8', 'usr/share/man/man5/rtcc.conf.5', 'usr/share/man/man7/rtcc_cgi.7',
        'usr/share/rtcc/htdocs/index.html', 'usr/share/rtcc/htdocs/templates/conf.html', 'usr/share/rtcc/conf/nginx/rtcc.conf',
        'usr/share/rtcc/conf/apache/rtcc-proxy.conf',
        'usr/share/rtcc/conf/nginx/rtcc-tls.inc', 'usr/share/rtcc/conf/apache/rtcc-tls.inc', 'etc/rtcc/rtcc.conf',
        'usr/lib/systemd/system/rtcc.target',
        'usr/lib/systemd/system/rtcc@.socket', 'usr/lib/systemd/system/rtcc@form_submit.service.d/pool.conf']) {
        assert.ok(there(name), name);
    }
    assert.deepEqual(fs.readdirSync(path.join(root, 'usr/lib/cgi-bin/rtcc')).sort(), [...programs].sort(), 'programs and no more');
});

test('under another prefix nothing names the first, and the programs find their pages', () => {
    const other = fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-install-'));
    try {
        make('install', other, '/usr/local');
        const placed = files(other).filter((name) => /^(etc|usr\/local\/(share\/rtcc\/conf|lib\/systemd))\//.test(name));
        const texts = placed.map((name) => fs.readFileSync(path.join(other, name), 'utf8'));
        assert.ok(placed.length > 15, String(placed));
        for (const [i, text] of texts.entries()) assert.doesNotMatch(text, /\/usr\/(share|sbin|lib\/cgi-bin)\/rtcc/, placed[i]);
        for (const place of ['sbin/rtcc work', 'lib/cgi-bin/rtcc/%i', 'share/rtcc/htdocs;', 'lib/cgi-bin/rtcc/$1'])
            assert.ok(texts.some((text) => text.includes(`/usr/local/${place}`)), place);
        assert.ok(texts[placed.indexOf('etc/rtcc/rtcc.conf')].includes('\npages_dir /usr/local/share/rtcc/htdocs\n'));
        assert.match(fs.readFileSync(path.join(root, 'etc/rtcc/rtcc.conf'), 'utf8'), /\n#pages_dir \/usr\/share\/rtcc\/htdocs\n/);
        make('uninstall', other, '/usr/local');
        assert.deepEqual(files(other), ['etc/rtcc/rtcc.conf']);
    } finally {
        fs.rmSync(other, { recursive: true });
    }
});

test('the target has every program', () => {
    const target = fs.readFileSync(path.join(root, 'usr/lib/systemd/system/rtcc.target'), 'utf8');
    const named = [...target.matchAll(/^Wants=rtcc@(\w+)\.socket$/gm)].map((found) => found[1]);
    assert.deepEqual(named.sort(), [...programs].sort());
});

test('systemd takes the units without a word, and finds an exposure of 1.5 at most', () => {
    const units = path.join(root, 'usr/lib/systemd/system'), env = { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` };
    for (const name of files().filter((one) => one.startsWith('usr/lib/systemd/'))) { /* verify looks whether a program is there */
        const text = fs.readFileSync(path.join(root, name), 'utf8');
        fs.writeFileSync(path.join(root, name), text.replace(/\/usr\/(lib\/cgi-bin|sbin)\//g, `${root}/usr/$1/`));
    }
    const services = programs.map((name) => `rtcc@${name}.service`);
    for (const name of [...services, 'rtcc@queue.socket', 'rtcc-work.service', 'rtcc.target']) {
        const verify = spawnSync('systemd-analyze', ['verify', '--man=no', name], { env, encoding: 'utf8' });
        assert.deepEqual(verify.stderr.split('\n').filter((line) => /rtcc/.test(line)), []);
        assert.equal(verify.status, 0, `${name}: ${verify.stderr}`);
    }
    for (const name of ['rtcc@.service', 'rtcc-work.service']) {
        const judged = path.join(units, name.replace('rtcc', 'judged').replace('@', '@queue'));
        fs.copyFileSync(path.join(units, name), judged);
        const security = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=15', judged], { encoding: 'utf8' });
        fs.rmSync(judged);
        assert.equal(security.status, 0, security.stdout + security.stderr);
    }
});

test('whatever ends is started again, however often', () => {
    const units = path.join(root, 'usr/lib/systemd/system'), read = (name) => fs.readFileSync(path.join(units, name), 'utf8');
    for (const name of ['rtcc@.service', 'rtcc-work.service']) {
        const [head, body] = read(name).split('[Service]'); // a limit in [Service] would be another's
        assert.match(head, /^StartLimitIntervalSec=0$/m, name);
        assert.match(body, /^Restart=always$/m, name);
    }
    assert.match(read('rtcc@.socket'), /^TriggerLimitIntervalSec=0$/m);
    for (const name of ['form_submit', 'file_put', 'file_get', 'agent_sign'])
        assert.match(read(`rtcc@${name}.service.d/pool.conf`), name === 'form_submit' ? /-f 8 -t 0 / : /-f 4 -t 0 /, name);
});

test('the programs can reach this machine alone until the administrator names another address', () => {
    for (const name of ['rtcc@.service', 'rtcc-work.service']) {
        const unit = fs.readFileSync(path.join(root, 'usr/lib/systemd/system', name), 'utf8');
        assert.deepEqual(unit.match(/^IPAddress\w+=.*$/gm), ['IPAddressDeny=any', 'IPAddressAllow=localhost'], name);
    }
});

test('uninstall leaves nothing but the settings', () => {
    make('install');
    make('uninstall');
    assert.deepEqual(files(), ['etc/rtcc/rtcc.conf']);
});
