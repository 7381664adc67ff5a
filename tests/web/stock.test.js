/* Apache as Debian has it, with its package's own settings, and what an administrator does to it by the heads of conf/apache: each
 * of the three ways on a machine of its own, whose port is 80 and whose places are the real ones. Once is enough: nobody installs
 * sanitized programs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, demoPassword, tree } from '../lib/instance.js';

const here = path.join(tree, 'tests/web/stock');
const asRoot = process.getuid() === 0 ? [] : ['sudo', '-n', `RTCC_DEMO_PASSWORD=${demoPassword}`];

describe('Debian\'s apache2', { concurrency: true }, () => {
    for (const way of ['proxy', 'fcgid', 'cgid']) {
        test(`rtcc-${way}.conf works as it is: copied, rtcc init, and the whole way of the patent is open`, async () => {
            const [command, ...args] = [...asRoot, path.join(here, 'machine'), path.join(here, 'debs'), path.join(here, 'install'), way,
                tree, buildFolder];
            const { stdout } = await promisify(execFile)(command, args, { timeout: 120000,
                env: { ...process.env, RTCC_DEMO_PASSWORD: demoPassword } });
            assert.match(stdout, /^the whole way$/m);
            const checks = stdout.split('\n').slice(stdout.split('\n').indexOf('the whole way') + 1).filter(Boolean);
            assert.ok(checks.length > 10 && checks.every((line) => line.startsWith('ok ')), stdout);
        });
    }
});
