/* make bench's own test: a short run has every row of its groups, with figures, and the heading that they are worth nothing without.
 * How high the figures are is no test's business: machines are noisy. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, tree } from '../lib/instance.js';

const rows = [
    'null program ÷ static file, 8 connections',
    'vcs_conf_schedule, durable ÷ null program, 8 connections',
    'vcs_conf_schedule, durable ÷ null program, 64 connections',
    'form_submit to queued, 8 at once: p99',
    'chats started, 8 at once',
    'delivery p50 ÷ nchan, 100 held, 200 messages/s to 10 each',
    'delivery p99 ÷ nchan, 100 held, 200 messages/s to 10 each',
    'messages/s flat out ÷ nchan, 100 held',
    'messages/s flat out',
    'a chat started: the server\'s CPU',
    'a message flat out: the server\'s CPU',
    'one offer with 100 waiting ÷ with 10',
];

test('a short run fills the table', { timeout: 300000 }, async () => {
    execFileSync('make', ['-s', '-C', tree, `O=${buildFolder}`, ...['null', 'load'].map((name) => path.join(buildFolder, 'bench', name))]);
    const env = { ...process.env, BENCH: 'programs,chats,delivery,offers', MOST: '100', ROUNDS: '1', SECONDS: '1' };
    const { stdout } = await promisify(execFile)('node', [path.join(tree, 'tests/bench/bench.js')], { env, maxBuffer: 1 << 24 });
    const lines = stdout.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((one) => one.trim()));
    for (const name of rows) {
        const found = lines.find(([what]) => what === name);
        assert.ok(found, `no row: ${name}\n${stdout}`);
        assert.match(found[1], /^\d[\d,]*(\.\d+)?( ms|\/s)?$/, name);
        assert.ok(parseFloat(found[1]) > 0, name);
        assert.match(found[2], /\d/, `${name}: its target`);
    }
    assert.match(stdout, /\n\nBeside the table that is kept:\nnull program ÷ static file, 8 connections: [\d.]+, was [\d.]+\n/);
    assert.match(stdout, /^\d{4}-\d\d-\d\d, rtcc \S+, \d+ cores \(.+\), load before \d.*nginx 1\.\d+.*libsqlite3-0 3\.\d+/m);
    assert.match(stdout, /^Load after: \d+\.\d\d$/m);
});
